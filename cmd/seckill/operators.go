package main

import (
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

// askAudit asks a running system for its audit.
func askAudit(ctx context.Context, config app.Config, url string, sale *seckill.ID) (report api.AuditReport, err error) {
	key, err := operatorKey(config)
	if err != nil {
		return report, err
	}
	path := "/admin/v1/audit"
	if sale != nil {
		path = "/admin/v1/sales/" + sale.String() + "/audit"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(url, "/")+path, http.NoBody)
	if err != nil {
		return report, fmt.Errorf("--url: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return report, fmt.Errorf("ask the running system (name its operators' address with --url): %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		var problem api.Problem
		_ = json.NewDecoder(response.Body).Decode(&problem)
		return report, fmt.Errorf("the running system answered %s: %s", response.Status, problem.Detail)
	}
	if err := json.NewDecoder(response.Body).Decode(&report); err != nil {
		return report, fmt.Errorf("read the audit of the running system: %w", err)
	}
	return report, nil
}
