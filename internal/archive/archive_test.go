package archive_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/archive"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const operator = "operator:ann"

func TestArchive(t *testing.T) {
	t.Parallel()

	t.Run("keeps a summary with its act, and drops keys and marks", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		result, err := w.service().Run(t.Context(), saleID, operator, nil)
		if err != nil {
			t.Fatal(err)
		}
		wantSummary(t, result.Summary)
		if result.Before || result.At.IsZero() || w.summary == nil {
			t.Errorf("got %+v", result)
		}
		wantPutAway(t, w)
	})

	t.Run("writes everything of the sale out, and of no other", func(t *testing.T) {
		t.Parallel()
		w, f := newWorld(), &file{}
		result, err := w.service().Run(t.Context(), saleID, operator, f)
		if err != nil || !f.committed {
			t.Fatal(err, f.committed)
		}
		want := map[string]int{
			"sale": 1, "claims": 2, "orders": 2, "order_events": 1, "payments": 1, "charges": 2, "refunds": 1, "summary": 1, "end": 1,
		}
		if got := f.tables(t); !maps.Equal(got, want) || result.Lines != 12 {
			t.Errorf("%d lines, %v", result.Lines, got)
		}
		if !strings.HasSuffix(f.String(), `{"table":"end","row":{"lines":11}}`+"\n") {
			t.Errorf("it ends otherwise:\n%s", f)
		}
		if _, summary, _ := strings.Cut(f.String(), `{"table":"summary",`); !strings.Contains(summary, `"claimed":2`) {
			t.Errorf("the summary was written before it was known:\n%s", summary)
		}
		if of := archive.SaleOf(strings.NewReader(f.String())); of != saleID {
			t.Errorf("it is of sale %s", of)
		}
		if strings.Contains(f.String(), "pay.example") {
			t.Error("the address of a pay page is in it")
		}
	})
}

func TestSaleOf(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing": "", "notes": "milk, eggs", "another table": `{"table":"claims","row":{"sale":"10"}}`,
		"another document": `{"sale":"10"}`, "what has no end": `{"table":"sale","row":{"name":"` + strings.Repeat("x", 1<<20),
	} {
		t.Run("knows that "+name+" is no export", func(t *testing.T) {
			t.Parallel()
			if of := archive.SaleOf(strings.NewReader(text)); of != 0 {
				t.Errorf("it is of sale %s", of)
			}
		})
	}
}

func TestArchiveAgain(t *testing.T) {
	t.Parallel()

	t.Run("changes nothing of the summary when repeated, and drops again", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		for i := range 2 {
			result, err := w.service().Run(t.Context(), saleID, operator, nil)
			if err != nil {
				t.Fatal(err)
			}
			if wantSummary(t, result.Summary); result.Before != (i == 1) || result.Changed {
				t.Errorf("got %+v", result)
			}
		}
		if len(w.acts) != 1 || len(w.forgotten) != 2 {
			t.Errorf("%d acts, forgotten %v", len(w.acts), w.forgotten)
		}
	})
}

func TestArchiveLater(t *testing.T) {
	t.Parallel()

	t.Run("counts again what went back since, and keeps that", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		if _, err := w.service().Run(t.Context(), saleID, operator, nil); err != nil {
			t.Fatal(err)
		}
		first := w.acts[0].After
		w.refundPaid()
		result, err := w.service().Run(t.Context(), saleID, operator, nil)
		if err != nil || !result.Before || !result.Changed {
			t.Fatal(result, err)
		}
		wantGivenBack(t, result.Summary.Items[0])
		if len(w.acts) != 2 || w.acts[1].Before != first || w.acts[1].After != string(w.summary.Body) || w.acts[1].After == first {
			t.Errorf("acts are %+v", w.acts)
		}
	})

	t.Run("refuses to replace what somebody else counted meanwhile, and counts again when repeated", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		w.overtaken = &seckill.Summary{Sale: saleID, Body: []byte(`{"sale":"10"}`)}
		_, err := w.service().Run(t.Context(), saleID, operator, nil)
		if seckill.ReasonOf(err) != seckill.Conflict || !strings.HasSuffix(err.Error(), "run this again") || len(w.acts) != 0 {
			t.Fatalf("got %v, acts %v", err, w.acts)
		}
		w.overtaken = nil
		if result, err := w.service().Run(t.Context(), saleID, operator, nil); err != nil || !result.Changed || len(w.acts) != 1 {
			t.Fatalf("got %+v, %v", result, err)
		}
	})
}

// wantGivenBack wants what world.refundPaid did.
func wantGivenBack(t *testing.T, item archive.ItemSummary) {
	t.Helper()
	if item.Orders[seckill.OrderPaid].Count != 0 || item.Orders[seckill.OrderRefunded].Units != 2 || item.RefundedMinor != 400 || item.Claimed != 0 {
		t.Errorf("got %+v", item)
	}
}

func wantPutAway(t *testing.T, w *world) {
	t.Helper()
	if len(w.acts) != 1 || w.acts[0].Actor != operator || w.acts[0].Target != saleID || !strings.Contains(w.acts[0].After, `"claimed":2`) {
		t.Errorf("acts are %+v", w.acts)
	}
	if len(w.expired) != 1 || len(w.forgotten) != 1 || w.expired[0] != itemID || w.forgotten[0] != itemID {
		t.Errorf("dropped were %v and %v", w.expired, w.forgotten)
	}
}

func wantSummary(t *testing.T, s archive.Summary) {
	t.Helper()
	if s.Sale != saleID || s.Name != "drop" || len(s.Items) != 1 {
		t.Fatalf("got %+v", s)
	}
	item := s.Items[0]
	two := archive.Figures{Count: 1, Units: 2}
	if item.Allotted != 9 || item.Claimed != 2 || item.Claims[seckill.ClaimHeld] != two || item.Claims[seckill.ClaimReturned] != two ||
		item.Orders[seckill.OrderPaid] != two || item.Orders[seckill.OrderCancelled] != two || len(item.Orders) != 2 {
		t.Errorf("got %+v", item)
	}
	if item.Charges != 2 || item.ChargedMinor != 400 || item.Refunds != 1 || item.RefundedMinor != 200 {
		t.Errorf("got %+v", item)
	}
}

// owing is a world in which one thing stands in the way, and what the refusal names.
type owing struct {
	change func(w *world)
	named  string
}

func debts() map[string]owing {
	letter := seckill.Message{Batch: 1, Item: itemID, Epoch: 1, Sold: 1, Reservations: []seckill.Reserved{{
		ID: 1, User: "ada", Quantity: 1, KeyHash: seckill.KeyHash("", 1),
	}}}
	return map[string]owing{
		"a sale that is live":      {func(w *world) { w.sale.State = seckill.SaleLive }, "is live"},
		"stock that is not closed": {func(w *world) { w.stock.State = seckill.StockSealing }, "is sealing, not closed"},
		"units in doubt":           {func(w *world) { w.stock.Doubt = 3 }, "3 units of item 11 are in doubt"},
		"a batch in redis": {func(w *world) {
			w.redis = []seckill.LentState{{Item: itemID, Known: true, Unsent: 1, Unsettled: 2}}
		}, "3 batches of item 11"},
		"a return that is owed": {func(w *world) {
			w.owed = []seckill.Owed{{ID: 1, Item: otherID, Kind: seckill.OwedBuyer}, {ID: 2, Item: itemID, Kind: seckill.OwedReturn}}
		}, "1 steps of kind return"},
		"an event of an order": {func(w *world) { w.untold = []seckill.Event{{ID: 1, Subject: 21}, {ID: 2, Subject: 23}} }, "told of 1 events of its orders: shop (seckill admin"},
		"an event of an item":  {func(w *world) { w.untold = []seckill.Event{{ID: 1, Subject: itemID}} }, "told of 1 events of its orders: shop (seckill admin"},
		"a dead letter": {func(w *world) {
			w.letters = []seckill.DeadLetter{{ID: 1, Body: []byte("poison")}, {ID: 2, Body: letter.Encode()}}
		}, "1 dead letters"},
		"an unpaid order":               {func(w *world) { w.orders[0].State = seckill.OrderUnpaid }, "1 orders of item 11 are unpaid"},
		"an order on its way back":      {func(w *world) { w.orders[0].State = seckill.OrderRefunding }, "1 orders of item 11 are refunding"},
		"a refund that is owed":         {func(w *world) { w.money.Refunds[0].State = seckill.RefundOwed }, "charge ch_2 of order 22"},
		"an audit that finds something": {func(w *world) { w.findings = []string{"claims do not add up"} }, "claims do not add up"},
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, debt := range debts() {
		t.Run("refuses "+name+", and leaves everything as it was", func(t *testing.T) {
			t.Parallel()
			w, f := newWorld(), &file{}
			debt.change(w)
			_, err := w.service().Run(t.Context(), saleID, operator, f)
			if seckill.ReasonOf(err) != seckill.Conflict || !strings.Contains(err.Error(), debt.named) {
				t.Errorf("got %v", err)
			}
			wantUntouched(t, w, f)
		})
	}

	t.Run("refuses a sale that does not exist", func(t *testing.T) {
		t.Parallel()
		if _, err := newWorld().service().Run(t.Context(), 99, operator, nil); seckill.ReasonOf(err) != seckill.NotFound {
			t.Errorf("got %v", err)
		}
	})

	t.Run("names a few of many", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		for range 30 {
			w.findings = append(w.findings, "wrong")
		}
		if _, err := w.service().Run(t.Context(), saleID, operator, nil); err == nil || !strings.HasSuffix(err.Error(), "; and 10 more") {
			t.Errorf("got %v", err)
		}
	})
}

func wantUntouched(t *testing.T, w *world, f *file) {
	t.Helper()
	if w.summary != nil || f.committed || len(w.expired)+len(w.forgotten) > 0 {
		t.Errorf("summary %v, committed %t, dropped %v, %v", w.summary, f.committed, w.expired, w.forgotten)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for _, step := range []string{
		"sale", "stock", "redis", "summary", "owed", "untold", "letters", "claims", "orders", "events", "money", "audit", "keep", "expire", "forget",
	} {
		t.Run("fails when it cannot do its part with "+step+", and does it when repeated", func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			if w.failing = step; step == "untold" {
				w.untold = []seckill.Event{{ID: 1, Subject: 99}}
			}
			if _, err := w.service().Run(t.Context(), saleID, operator, nil); !errors.Is(err, errAway) {
				t.Fatalf("got %v", err)
			}
			w.failing = ""
			if _, err := w.service().Run(t.Context(), saleID, operator, nil); err != nil || len(w.acts) != 1 {
				t.Fatalf("got %v, %d acts", err, len(w.acts))
			}
		})
	}
}
