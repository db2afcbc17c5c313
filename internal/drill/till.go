package drill

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// till is the payment provider's ledger, as far as it was read.
type till struct {
	url, key string

	after   int64
	charges map[string]*charge // by txn
	// promised are payments that come by themselves later, by the number of their line; untold are charges that the shop has
	// not confirmed to have heard of.
	promised map[int64]bool
	untold   map[string]bool
}

// charge is money that arrived, and what went back of it.
type charge struct {
	tillLine

	refunds []tillLine
}

// tillLine is one line of the ledger. Reference is our payment.
type tillLine struct {
	N           int64  `json:"n"`
	Kind        string `json:"kind"`
	Reference   string `json:"reference"`
	Txn         string `json:"txn"`
	AmountMinor int64  `json:"amount_minor"`
	Currency    string `json:"currency"`
	Promise     int64  `json:"promise"`
}

const (
	tillPage   = 1000
	tillWithin = 10 * time.Second
	tillMax    = 16 << 20
	// tillStill is for how long nothing new may come until there is nothing more to be expected.
	tillStill = 3 * time.Second
)

func newTill(url, key string) *till {
	return &till{url: url, key: key, charges: make(map[string]*charge), promised: make(map[int64]bool), untold: make(map[string]bool)}
}

// settle reads on until nothing more is to be expected, or ctx ends.
func (t *till) settle(ctx context.Context) error {
	still := time.Now()
	for {
		news, err := t.read(ctx)
		if news {
			still = time.Now()
		}
		if err == nil && time.Since(still) > tillStill && len(t.promised)+len(t.untold) == 0 {
			return nil
		}
		select {
		case <-time.After(restPoll):
		case <-ctx.Done():
			if err != nil {
				return fmt.Errorf("read the provider's ledger: %w", err)
			}
			return fmt.Errorf("the provider still owes %d payments and has %d to tell of", len(t.promised), len(t.untold))
		}
	}
}

// read reads to the end and says whether there was anything new.
func (t *till) read(ctx context.Context) (news bool, err error) {
	for {
		page, err := t.page(ctx)
		if err != nil || len(page) == 0 {
			return news, err
		}
		news = true
		for text := range bytes.Lines(page) {
			if err := t.addText(text); err != nil {
				return news, err
			}
		}
	}
}

func (t *till) page(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, tillWithin)
	defer cancel()
	url := t.url + "/v1/ledger?limit=" + strconv.Itoa(tillPage) + "&after=" + strconv.FormatInt(t.after, 10)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+t.key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the provider answers %s", response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, tillMax))
}

func (t *till) addText(text []byte) error {
	var line tillLine
	if err := json.Unmarshal(text, &line); err != nil {
		return fmt.Errorf("behind line %d: %w", t.after, err)
	}
	if line.N <= t.after {
		return fmt.Errorf("line %d comes behind line %d", line.N, t.after)
	}
	t.add(line)
	return nil
}

func (t *till) add(line tillLine) {
	t.after = line.N
	switch line.Kind {
	case "promised":
		t.promised[line.N] = true
	case "charged":
		t.charges[line.Txn] = &charge{tillLine: line}
		t.untold[line.Txn] = true
		delete(t.promised, line.Promise)
	case "told", "given_up":
		delete(t.untold, line.Txn)
	case "refunded":
		if of := t.charges[line.Txn]; of != nil {
			of.refunds = append(of.refunds, line)
		}
	}
}
