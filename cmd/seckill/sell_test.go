package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/seckill-dev/seckill/api"
)

func sell(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: sell units [seconds]")
	}
	units, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	payWithin := 600
	if len(args) == 2 {
		payWithin, err = strconv.Atoi(args[1])
		ts.Check(err)
	}
	price, now := int64(100), time.Now().UTC()
	var sale api.AdminSale
	ts.Check(operate(ts, "/admin/v1/sales", api.NewSale{
		Name: "sale", StartsAt: now, EndsAt: now.Add(time.Hour), PayWithinSeconds: payWithin,
		Items: []api.NewItem{{Sku: "A", Title: "A", PriceMinor: &price, Currency: "EUR", Allotment: units, LimitPerUser: 2}},
	}, &sale))
	ts.Check(operate(ts, "/admin/v1/sales/"+sale.ID+"/preload", struct{}{}, &sale))
	ts.Setenv("SALE", sale.ID)
	ts.Setenv("ITEM", sale.Items[0].ID)
}

func end(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: end")
	}
	var sale api.AdminSale
	ts.Check(operate(ts, "/admin/v1/sales/"+ts.Getenv("SALE")+"/end", struct{}{}, &sale))
	await(ts, "the stock is closed", func() bool {
		query(ts, false, []string{"OPEN", "SELECT COUNT(*) FROM stock WHERE state <> 'closed'"})
		return ts.Getenv("OPEN") == "0"
	})
}

// operate posts to the operators' address of the script's process, with the key that it made, or another one that the
// script names.
func operate(ts *testscript.TestScript, path string, body, answer any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	url := "http://" + ts.Getenv("ADMIN") + path
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(encoded)) //nolint:noctx // bounded by the client
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(ts.ReadFile(ts.Getenv("OPERATOR_KEY"))))
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{Timeout: patience}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s: %s %s %w", path, response.Status, text, err)
	}
	return json.Unmarshal(text, answer)
}
