package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/sandbox"
)

// bank is the sandbox as who pays sees it, and who owns it.
type bank struct {
	t   *testing.T
	url string
}

// provider is the sandbox as the shop sees it.
func (b bank) provider() *sandbox.Provider {
	b.t.Helper()
	provider, err := sandbox.NewProvider(sandbox.ProviderOptions{URL: b.url, Key: goodKey, Secret: goodSecret})
	if err != nil {
		b.t.Fatal(err)
	}
	return provider
}

// withBank gives a configuration a sandbox inside, whose keys the tests know.
func withBank(config app.Config) app.Config {
	config.Payments.Sandbox = app.SandboxConfig{Listen: "127.0.0.1:0", Key: goodKey, Secret: goodSecret}
	return config
}

// pay does at the pay page what people do there, and returns the status, 0 without an answer.
func (b bank) pay(page string, how sandbox.Behaviour) int {
	return b.post(page, map[string]any{"behave": how})
}

// payLater does it after a while, at once if that is over.
func (b bank) payLater(page string, how sandbox.Behaviour, after time.Duration) int {
	return b.post(page, map[string]any{"behave": how, "delay": max(after, 0).Seconds()})
}

// beAway has the bank answer nobody for so long.
func (b bank) beAway(seconds float64) {
	b.t.Helper()
	if status := b.post(b.url+"/v1/outage", map[string]any{"seconds": seconds}); status != http.StatusNoContent {
		b.t.Fatalf("status %d", status)
	}
}

func (b bank) post(url string, body any) int {
	text, err := json.Marshal(body)
	if err != nil {
		return 0
	}
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		return 0
	}
	request.Header.Set("Authorization", "Bearer "+goodKey)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// ledger is all that has happened at the bank.
func (b bank) ledger() (all []sandbox.Entry) {
	b.t.Helper()
	const pageMax = 1000
	for after := int64(0); ; after = all[len(all)-1].N {
		page, err := b.provider().Ledger(b.t.Context(), after, pageMax)
		if err != nil {
			b.t.Fatal(err)
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
	}
}

// standing is what the bank has and keeps, by the payment, and how many charges went back.
func (b bank) standing() (kept map[string]int64, refunds int) {
	b.t.Helper()
	kept = map[string]int64{}
	back := map[string]bool{}
	for _, entry := range b.ledger() {
		switch {
		case entry.Kind == sandbox.KindCharged:
			kept[entry.Reference] += entry.AmountMinor
		case entry.Kind == sandbox.KindRefunded && back[entry.Txn]:
			b.t.Errorf("charge %s went back twice", entry.Txn)
		case entry.Kind == sandbox.KindRefunded:
			back[entry.Txn] = true
			kept[entry.Reference] -= entry.AmountMinor
		}
	}
	for reference, amount := range kept {
		if amount == 0 {
			delete(kept, reference)
		}
	}
	return kept, len(back)
}

// wantKept holds what the bank keeps against what it should.
func (b bank) wantKept(want map[string]int64) {
	b.t.Helper()
	if got, _ := b.standing(); fmt.Sprint(got) != fmt.Sprint(want) { // maps print in the order of their keys
		b.t.Errorf("the bank keeps %v, want %v", got, want)
	}
}
