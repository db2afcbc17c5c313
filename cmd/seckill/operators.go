package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/seckill-dev/seckill/api"
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

// operators is the operators' address of a running system.
type operators struct {
	url string
	key string
}

// operatorsAt introduces us at an address of a system that has the same configuration.
func operatorsAt(config app.Config, url string) (operators, error) {
	key, err := operatorKey(config)
	return operators{strings.TrimSuffix(url, "/"), key}, err
}

// call sends a request, with a body unless that is nil, and decodes the answer.
func (o operators) call(ctx context.Context, method, path string, body, answer any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, o.url+path, bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("--url: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+o.key)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask the running system (name its operators' address with --url): %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		var problem api.Problem
		_ = json.NewDecoder(response.Body).Decode(&problem)
		return fmt.Errorf("the running system answered %s: %s", response.Status, problem.Detail)
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		return fmt.Errorf("read the answer of the running system: %w", err)
	}
	return nil
}

// askAudit asks a running system for its audit.
func askAudit(ctx context.Context, config app.Config, url string, sale *seckill.ID) (report api.AuditReport, err error) {
	system, err := operatorsAt(config, url)
	if err != nil {
		return report, err
	}
	path := "/admin/v1/audit"
	if sale != nil {
		path = "/admin/v1/sales/" + sale.String() + "/audit"
	}
	return report, system.call(ctx, http.MethodGet, path, nil, &report)
}
