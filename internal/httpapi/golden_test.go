package httpapi_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

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
	goleak.VerifyTestMain(m)
}

// goldenCase is a call, and what the use cases behind it say.
type goldenCase struct {
	call  call
	given func(*world)
}

func refusing(refusal seckill.Refusal) func(*world) {
	return func(w *world) { w.purchases.refuse(&refusal) }
}

func goldenPurchases() map[string]goldenCase {
	buy := call{method: http.MethodPost, path: reservationsURL, body: `{"quantity":1}`, header: asShopper("Idempotency-Key", "cart-42-x", "X-Request-Id", "golden")}
	return map[string]goldenCase{
		"queued": {call: buy},
		"replayed": {call: buy, given: func(w *world) {
			w.purchases.buy = func(context.Context, purchase.Request) (purchase.Receipt, error) {
				return purchase.Receipt{Reservation: queued(), Replayed: true}, nil
			}
		}},
		"sold_out":             {call: buy, given: refusing(seckill.Refusal{Reason: seckill.SoldOut, Detail: "asked for 1, 0 are left"})},
		"limit_reached":        {call: buy, given: refusing(seckill.Refusal{Reason: seckill.LimitReached, Detail: "with these it would be too many", Held: []seckill.Reservation{queued()}})},
		"not_started":          {call: buy, given: refusing(seckill.Refusal{Reason: seckill.NotStarted, Detail: "it starts at 2026-03-20T12:00:02Z", RetryAfter: 2 * time.Second})},
		"busy":                 {call: buy, given: refusing(seckill.Refusal{Reason: seckill.Busy, Detail: "stock is being rebuilt", RetryAfter: 2 * time.Second})},
		"unknown_outcome":      {call: buy, given: refusing(seckill.Refusal{Reason: seckill.UnknownOutcome, Detail: "the reply was lost", Item: itemID, Reservation: reservationID})},
		"idempotency_mismatch": {call: buy, given: refusing(seckill.Refusal{Reason: seckill.IdempotencyMismatch, Detail: "this key was used for a quantity of 2", Field: "Idempotency-Key"})},
		"invalid":              {call: call{method: http.MethodPost, path: reservationsURL, body: `{"quantity":1e3}`, header: asShopper("X-Request-Id", "golden")}},
		"unauthenticated":      {call: call{path: "/v1/orders", header: headers("X-Request-Id", "golden")}},
	}
}

func goldenReads() map[string]goldenCase {
	return map[string]goldenCase{
		"ordered": {call: call{path: reservationsURL + "/" + reservationID.String(), header: asShopper("X-Request-Id", "golden")}, given: func(w *world) {
			w.purchases.status = func(context.Context, time.Duration) (seckill.Reservation, error) {
				r := queued()
				r.State = seckill.ReservationOrdered
				return r, nil
			}
		}},
		"order": {call: call{path: "/v1/orders/7301444403200099", header: asShopper("X-Request-Id", "golden")}, given: func(w *world) {
			w.checkout.orders = []seckill.Order{order(reservationID, "ada")}
		}},
		"sales": {call: call{path: "/v1/sales", header: headers("X-Request-Id", "golden")}},
		"login": {call: call{method: http.MethodPost, path: "/v1/auth/login", body: `{"username":"ada","password":"correct horse"}`, header: headers("X-Request-Id", "golden")}},
	}
}

func goldenOperations() map[string]goldenCase {
	return map[string]goldenCase{
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
}

func goldenCorrections() map[string]goldenCase {
	return map[string]goldenCase{
		"stock_adjusted": {call: call{method: http.MethodPost, path: stockPath, body: `{"delta":-500,"op_id":"less"}`, header: golden(asOperator())}, given: func(w *world) {
			w.operations.adjusted = seckill.Adjusted{
				Stock: seckill.Stock{State: seckill.StockSealing, Epoch: 1, Allotted: 900, Lent: 400, Claimed: 500, OwedDecrease: 400}, Taken: -100, Owed: 400,
			}
		}},
		"stock_conflict": {call: call{method: http.MethodPost, path: stockPath, body: `{"delta":-500,"op_id":"less"}`, header: golden(asOperator())}, given: func(w *world) {
			largest := int64(420)
			w.operations.failure = &seckill.Refusal{Reason: seckill.Conflict, Field: "delta", Detail: "at most 420 units can be taken", Largest: &largest}
		}},
		"sale_conflict": {call: call{method: http.MethodPost, path: adminSale + "/end", header: golden(asOperator())}, given: func(w *world) {
			sale := drop(seckill.SalePaused)
			w.operations.err = &seckill.Refusal{Reason: seckill.Conflict, Detail: "this sale is paused at version 3 by now, not 2", Sale: &sale}
		}},
		"admin_order": {call: call{path: adminOrder, header: golden(asOperator())}},
		"dead_letter": {call: call{path: letterPath, header: golden(asOperator())}, given: func(w *world) {
			w.operations.body = []byte("\x00\xff{")
		}},
		"log": {call: call{path: "/admin/v1/log", header: golden(asOperator())}},
	}
}

// TestGolden holds the main answers, byte by byte: what clients have come to rely on changes on purpose or not at all.
func TestGolden(t *testing.T) {
	t.Parallel()
	cases := goldenPurchases()
	maps.Copy(cases, goldenReads())
	maps.Copy(cases, goldenOrders())
	maps.Copy(cases, goldenOperations())
	maps.Copy(cases, goldenCorrections())
	for name, c := range cases {
		t.Run("answers "+name+" as ever", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if c.given != nil {
				c.given(w)
			}
			expectGolden(t, name, dump(w.ask(c.call)))
		})
	}
}

func golden(header http.Header) http.Header {
	header.Set("X-Request-Id", "golden")
	return header
}

// dump writes status, headers in order, and body.
func dump(response answer) []byte {
	var lines []string
	for name, values := range response.header {
		lines = append(lines, name+": "+strings.Join(values, ", "))
	}
	slices.Sort(lines)
	return fmt.Appendf(nil, "%d\n%s\n\n%s\n", response.status, strings.Join(lines, "\n"), response.body)
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
