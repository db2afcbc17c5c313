package httpapi_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// updateGolden is set by: go test ./internal/httpapi -run Golden -update.
func updateGolden() bool {
	update := flag.Lookup("update")
	return update != nil && update.Value.String() == "true"
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the golden files")
	os.Exit(m.Run())
}

// TestGolden holds the main answers, byte by byte: what clients have come to rely on changes on purpose or not at all.
func TestGolden(t *testing.T) {
	t.Parallel()
	buy := call{method: http.MethodPost, path: reservationsURL, body: `{"quantity":1}`, header: asShopper("Idempotency-Key", "cart-42-x", "X-Request-Id", "golden")}
	refusing := func(refusal seckill.Refusal) func(*world) {
		return func(w *world) { w.purchases.refuse(&refusal) }
	}
	cases := map[string]struct {
		call  call
		given func(*world)
	}{
		"queued": {call: buy},
		"replayed": {call: buy, given: func(w *world) {
			w.purchases.buy = func(context.Context, purchase.Request) (purchase.Receipt, error) {
				return purchase.Receipt{Reservation: queued(), Replayed: true}, nil
			}
		}},
		"sold_out":             {call: buy, given: refusing(seckill.Refusal{Reason: seckill.SoldOut, Detail: "asked for 1, 0 are left"})},
		"limit_reached":        {call: buy, given: refusing(seckill.Refusal{Reason: seckill.LimitReached, Detail: "at most 1 per shopper", Held: []seckill.Reservation{queued()}})},
		"not_started":          {call: buy, given: refusing(seckill.Refusal{Reason: seckill.NotStarted, Detail: "it starts at 2026-03-20T12:00:02Z", RetryAfter: 2 * time.Second})},
		"busy":                 {call: buy, given: refusing(seckill.Refusal{Reason: seckill.Busy, Detail: "stock is being rebuilt", RetryAfter: 2 * time.Second})},
		"unknown_outcome":      {call: buy, given: refusing(seckill.Refusal{Reason: seckill.UnknownOutcome, Detail: "the reply was lost", Item: itemID, Reservation: reservationID})},
		"idempotency_mismatch": {call: buy, given: refusing(seckill.Refusal{Reason: seckill.IdempotencyMismatch, Detail: "this key was used for a quantity of 2", Field: "Idempotency-Key"})},
		"invalid":              {call: call{method: http.MethodPost, path: reservationsURL, body: `{"quantity":1e3}`, header: asShopper("X-Request-Id", "golden")}},
		"unauthenticated":      {call: call{path: "/v1/orders", header: headers("X-Request-Id", "golden")}},
		"ordered": {call: call{path: reservationsURL + "/" + reservationID.String(), header: asShopper("X-Request-Id", "golden")}, given: func(w *world) {
			w.purchases.status = func(context.Context, time.Duration) (seckill.Reservation, error) {
				r := queued()
				r.State = seckill.ReservationOrdered
				return r, nil
			}
		}},
		"order": {call: call{path: "/v1/orders/7301444403200099", header: asShopper("X-Request-Id", "golden")}, given: func(w *world) {
			w.orders.orders = []seckill.Order{order(reservationID, "ada")}
		}},
		"sales":      {call: call{path: "/v1/sales", header: headers("X-Request-Id", "golden")}},
		"login":      {call: call{method: http.MethodPost, path: "/v1/auth/login", body: `{"username":"ada","password":"correct horse"}`, header: headers("X-Request-Id", "golden")}},
		"admin_sale": {call: call{method: http.MethodPost, path: adminSale + "/preload", header: golden(asOperator())}},
		"admin_sales": {call: call{path: adminSales, header: golden(asOperator())}, given: func(w *world) {
			w.operations.page = operate.Page{Sales: []operate.SaleReport{{Sale: drop(seckill.SaleDraft), Now: noon()}}, Next: saleID}
		}},
		"stats": {call: call{path: adminSale + "/stats", header: golden(asOperator())}},
		"audit": {call: call{path: adminSale + "/audit", header: golden(asOperator())}, given: func(w *world) {
			w.audit.report = audit.Report{Checked: audit.Checked{Items: 1, Claims: 2, Orders: 1}, Findings: []audit.Finding{{
				ID: "claim_without_order", Item: itemID, Reservation: reservationID, Table: "claims", Key: reservationID.String(), Detail: "no order",
			}}}
		}},
	}
	for name, c := range cases {
		t.Run("answers "+name+" as ever", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if c.given != nil {
				c.given(w)
			}
			expectGolden(t, name, dump(t, w.ask(c.call)))
		})
	}
}

func golden(header http.Header) http.Header {
	header.Set("X-Request-Id", "golden")
	return header
}

// dump writes status, headers in order, and body.
func dump(t *testing.T, response *http.Response) []byte {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "%d\n", response.StatusCode)
	var lines []string
	for name, values := range response.Header {
		lines = append(lines, name+": "+strings.Join(values, ", "))
	}
	slices.Sort(lines)
	fmt.Fprintf(&text, "%s\n\n%s\n", strings.Join(lines, "\n"), body)
	return text.Bytes()
}

func expectGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name+".txt")
	if updateGolden() {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
