package crowd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// till is the payment provider's ledger, as far as it has been read.
type till struct {
	after   int64
	charges []*charge
	byTxn   map[string]*charge
}

// charge is money that arrived, and what went back of it.
type charge struct {
	tillLine
	refunds []tillLine
}

// tillLine is one line of the provider's ledger. Reference is our payment.
type tillLine struct {
	N           int64  `json:"n"`
	Kind        string `json:"kind"`
	Reference   string `json:"reference"`
	Txn         string `json:"txn"`
	AmountMinor int64  `json:"amount_minor"`
	Currency    string `json:"currency"`
}

// The kinds of lines that tell of money.
const (
	lineCharged  = "charged"
	lineRefunded = "refunded"
)

const (
	tillPage = 1000
	// tillEvery is how long the crowd waits before it reads on in a ledger that does not add up yet.
	tillEvery = 500 * time.Millisecond
)

func newTill() *till { return &till{byTxn: make(map[string]*charge)} }

// addPage adds lines as the provider writes them, each behind those that are known.
func (t *till) addPage(page []byte) error {
	for text := range bytes.Lines(page) {
		var line tillLine
		if err := json.Unmarshal(text, &line); err != nil {
			return fmt.Errorf("behind line %d: %w", t.after, err)
		}
		if line.N <= t.after {
			return fmt.Errorf("line %d comes behind line %d", line.N, t.after)
		}
		t.add(line)
	}
	return nil
}

func (t *till) add(line tillLine) {
	t.after = line.N
	switch line.Kind {
	case lineCharged:
		found := &charge{tillLine: line}
		t.charges, t.byTxn[line.Txn] = append(t.charges, found), found
	case lineRefunded:
		if of := t.byTxn[line.Txn]; of != nil {
			of.refunds = append(of.refunds, line)
		}
	}
}

// judgeProvider holds the provider's ledger against the orders. Refunds may still be on their way: until the crowd's
// patience is over it reads on.
func (c *crowd) judgeProvider(ctx context.Context) error {
	if c.config.LedgerURL == "" {
		return nil
	}
	limit := time.Now().Add(c.config.Patience)
	c.tally.expect(limit)
	for {
		if err := c.readTill(ctx); err != nil {
			return fmt.Errorf("read the provider's ledger: %w", err)
		}
		problems := c.againstTill()
		if len(problems) == 0 || time.Now().After(limit) {
			for _, problem := range problems {
				c.problems.add(problem)
			}
			return nil
		}
		if err := c.pause(ctx, tillEvery); err != nil {
			return err
		}
	}
}

// readTill reads on to the end.
func (c *crowd) readTill(ctx context.Context) error {
	for {
		r, err := c.insist(ctx, c.visitor, call{
			method: http.MethodGet, token: c.config.LedgerKey, outside: true,
			url: c.config.LedgerURL + "/v1/ledger?limit=" + strconv.Itoa(tillPage) + "&after=" + strconv.FormatInt(c.till.after, 10),
		})
		if err != nil {
			return err
		}
		if r.status != http.StatusOK {
			return fmt.Errorf("status %d: %.200s", r.status, r.body)
		}
		before := c.till.after
		if err := c.till.addPage(r.body); err != nil || c.till.after == before {
			return err
		}
	}
}
