package main

import (
	"context"
	"fmt"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/adminclient"
	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// operatorKey is the key to introduce ourselves with to a system that has the same configuration.
func operatorKey(config app.Config) (string, error) {
	credentials, err := config.Credentials()
	if err != nil {
		return "", err
	}
	if len(credentials.Operators) == 0 {
		return "", fmt.Errorf("operators: no key is configured; add one to call the operators' address")
	}
	return credentials.Operators[0].Key, nil
}

// operatorsAt introduces us at the operators' address of a system that has the same configuration.
func operatorsAt(config app.Config, url string) (*adminclient.Client, error) {
	key, err := operatorKey(config)
	if err != nil {
		return nil, err
	}
	return operatorAt(url, key)
}

func operatorAt(url, key string) (*adminclient.Client, error) {
	client, err := adminclient.New(url, key, nil)
	if err != nil {
		return nil, fmt.Errorf("--url: %w", err)
	}
	return client, nil
}

// askAudit asks a running system for its audit.
func askAudit(ctx context.Context, config app.Config, url string, sale *seckill.ID) (api.AuditReport, error) {
	system, err := operatorsAt(config, url)
	if err != nil {
		return api.AuditReport{}, err
	}
	name := ""
	if sale != nil {
		name = sale.String()
	}
	return system.Audit(ctx, name)
}
