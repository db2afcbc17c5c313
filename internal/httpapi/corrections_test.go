package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	letterID   = seckill.ID(7301444403200200)
	adminOrder = "/admin/v1/orders/7301444403200099"
	letterPath = "/admin/v1/dead-letters/7301444403200200"
	stockPath  = "/admin/v1/items/7301444403200011/stock"
	reopenPath = "/admin/v1/items/7301444403200011/reopen"
)

// fakeCorrections is what operators correct while a sale runs.
type fakeCorrections struct {
	failure  error
	asked    string
	act      operate.OrderAct
	restock  bool
	adjust   seckill.Adjustment
	adjusted seckill.Adjusted
	orders   seckill.OrderQuery
	acts     seckill.ActQuery
	reason   string
	body     []byte
	next     seckill.ID
}

func (f *fakeCorrections) AdjustStock(_ context.Context, _ string, adjustment seckill.Adjustment) (seckill.Adjusted, error) {
	f.adjust = adjustment
	return f.adjusted, f.failure
}

func (f *fakeCorrections) ReopenStock(_ context.Context, _ string, item seckill.ID, reason string) (operate.Reopened, error) {
	f.reason = reason
	return operate.Reopened{
		Stock:  seckill.Stock{Item: item, State: seckill.StockSealing, Epoch: 1},
		Halted: "audit: claimed: claimed is 580, but the held claims add up to 581",
	}, f.failure
}

func (f *fakeCorrections) report() operate.OrderReport {
	o := order(reservationID, "ada")
	o.State, o.Version = seckill.OrderRefunding, 3
	return operate.OrderReport{
		Order:    o,
		Payments: []seckill.Payment{{ID: 7301444403200120, Order: o.ID, Provider: "sandbox", State: seckill.PaymentPaid, AmountMinor: 1290, Currency: "EUR", CreatedAt: noon()}},
		Charges:  []seckill.Charge{{Provider: "sandbox", Txn: "ch_42", Payment: 7301444403200120, Order: o.ID, AmountMinor: 1290, Currency: "EUR", At: noon()}},
		Refunds:  []seckill.Refund{{Provider: "sandbox", Txn: "ch_42", Order: o.ID, AmountMinor: 1290, Currency: "EUR", Reason: seckill.RefundOperator, Restock: true, State: seckill.RefundOwed, Tries: 1, At: noon()}},
		Events:   []seckill.OrderEvent{{Order: o.ID, Version: 1, State: seckill.OrderUnpaid, Cause: seckill.CauseSettle, At: noon()}},
	}
}

func (f *fakeCorrections) Order(context.Context, seckill.ID) (operate.OrderReport, error) {
	return f.report(), f.failure
}

func (f *fakeCorrections) OrdersOf(_ context.Context, query seckill.OrderQuery) (operate.OrderPage, error) {
	f.orders = query
	return operate.OrderPage{Orders: []seckill.Order{f.report().Order}, Next: f.next}, f.failure
}

func (f *fakeCorrections) CancelOrder(_ context.Context, act operate.OrderAct) (operate.OrderReport, error) {
	f.act = act
	return f.report(), f.failure
}

func (f *fakeCorrections) RefundOrder(_ context.Context, act operate.OrderAct, restock bool) (operate.OrderReport, error) {
	f.act, f.restock = act, restock
	return f.report(), f.failure
}

func (f *fakeCorrections) letter() seckill.DeadLetter {
	return seckill.DeadLetter{ID: letterID, Shard: 1, Body: f.body, Cause: "cannot be decoded", At: noon()}
}

func (f *fakeCorrections) DeadLetters(context.Context, seckill.ID, int) (operate.LetterPage, error) {
	return operate.LetterPage{Letters: []seckill.DeadLetter{f.letter()}, Next: f.next}, f.failure
}

func (f *fakeCorrections) DeadLetter(context.Context, seckill.ID) (seckill.DeadLetter, error) {
	return f.letter(), f.failure
}

func (f *fakeCorrections) ReplayLetter(context.Context, string, seckill.ID) (seckill.DeadLetter, error) {
	f.asked = "replay"
	return f.letter(), f.failure
}

func (f *fakeCorrections) DiscardLetter(_ context.Context, _ string, _ seckill.ID, reason string) (seckill.DeadLetter, error) {
	f.asked, f.reason = "discard", reason
	return f.letter(), f.failure
}

func (f *fakeCorrections) Log(_ context.Context, query seckill.ActQuery) (operate.Journal, error) {
	f.acts = query
	return operate.Journal{Acts: []seckill.Act{
		{ID: 7301444403200300, Actor: "operator:ada", Action: "sale.pause", Target: saleID, Before: `{"state":"live"}`, After: `{"state":"paused"}`, At: noon()},
		{ID: 7301444403200299, Actor: "clock", Action: "sale.open", Target: saleID, At: noon()},
	}, Next: f.next}, f.failure
}

func TestReopenStock(t *testing.T) {
	t.Parallel()
	t.Run("answers why the item was halted, and how it goes on", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		response := w.operate(http.MethodPost, reopenPath, `{"reason":"looked"}`)
		expectStatus(t, response, http.StatusOK)
		got := read[api.StockReopened](t, response)
		if got.Halted == "" || got.State != api.StockStateSealing || w.operations.reason != "looked" {
			t.Errorf("answered %+v; the reason is %q", got, w.operations.reason)
		}
	})
}

func TestAdjustStock(t *testing.T) {
	t.Parallel()
	t.Run("answers 200 when all is taken and 202 when some is owed", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.operations.adjusted = seckill.Adjusted{Stock: seckill.Stock{State: seckill.StockOpen, Epoch: 1, Allotted: 1500, Pool: 500, Lent: 1000}, Taken: 500}
		response := w.operate(http.MethodPost, stockPath, `{"delta":500,"op_id":"more"}`)
		expectStatus(t, response, http.StatusOK)
		if got := read[api.StockAdjusted](t, response); got.Allotted != 1500 || got.Taken != 500 || got.OpID != "more" {
			t.Errorf("answered %+v", got)
		}
		w.operations.adjusted = seckill.Adjusted{
			Stock: seckill.Stock{State: seckill.StockSealing, Epoch: 1, Allotted: 900, Lent: 400, Claimed: 500, OwedDecrease: 400}, Taken: -100, Owed: 400, Repeated: true,
		}
		response = w.operate(http.MethodPost, stockPath, `{"delta":-500,"op_id":"less"}`)
		expectStatus(t, response, http.StatusAccepted)
		if got := read[api.StockAdjusted](t, response); got.Owed != 400 || !got.Repeated {
			t.Errorf("answered %+v", got)
		}
		if want := (seckill.Adjustment{Item: itemID, Op: "less", Delta: -500}); w.operations.adjust != want {
			t.Errorf("asked for %+v", w.operations.adjust)
		}
	})
	t.Run("says in a conflict how many could be taken, 0 too", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for _, largest := range []int64{420, 0} {
			w.operations.failure = &seckill.Refusal{Reason: seckill.Conflict, Field: "delta", Detail: "at most that", Largest: &largest}
			problem := w.expectProblem(w.operate(http.MethodPost, stockPath, `{"delta":-500,"op_id":"less"}`), http.StatusConflict, seckill.Conflict, "delta")
			if problem.Largest == nil || *problem.Largest != largest {
				t.Errorf("the problem is %+v", problem)
			}
		}
	})
	t.Run("refuses a delta or an op_id that is not there", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.expectProblem(w.operate(http.MethodPost, stockPath, `{"op_id":"more"}`), http.StatusBadRequest, seckill.Invalid, "delta")
		w.expectProblem(w.operate(http.MethodPost, stockPath, `{"delta":1}`), http.StatusBadRequest, seckill.Invalid, "op_id")
	})
}

func TestAdminOrders(t *testing.T) {
	t.Parallel()
	t.Run("shows what became of an order, and its version", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		response := w.operate(http.MethodGet, adminOrder, "")
		got := read[api.AdminOrder](t, response)
		if got.UserID != "ada" || len(got.Payments) != 1 || len(got.Charges) != 1 || !got.Refunds[0].Restock || got.Events[0].Cause != "settle" || response.header.Get("ETag") != `"3"` {
			t.Errorf("answered %+v, %v", got, response.header)
		}
	})
	t.Run("lists those of one user", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.operations.next = reservationID
		list := read[api.AdminOrderList](t, w.operate(http.MethodGet, "/admin/v1/orders?user=ada&limit=1", ""))
		w.operate(http.MethodGet, "/admin/v1/orders?user=ada&cursor="+list.Next, "")
		if len(list.Data) != 1 || list.Data[0].Events != nil || w.operations.orders.User != "ada" || w.operations.orders.After != reservationID {
			t.Errorf("list is %+v, then asked %+v", list, w.operations.orders)
		}
		w.expectProblem(w.operate(http.MethodGet, "/admin/v1/orders", ""), http.StatusBadRequest, seckill.Invalid, "user")
	})
	t.Run("cancels and refunds at a version, with a reason", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		match := asOperator()
		match.Set("If-Match", `"2"`)
		expectStatus(t, w.ask(call{method: http.MethodPost, path: adminOrder + "/cancel", body: `{"reason":"called"}`, header: match}), http.StatusOK)
		if want := (operate.OrderAct{Actor: "operator:ada", Order: reservationID, Version: 2, Reason: "called"}); w.operations.act != want {
			t.Errorf("asked for %+v", w.operations.act)
		}
		expectStatus(t, w.operate(http.MethodPost, adminOrder+"/refund", `{"reason":"broken","restock":true}`), http.StatusOK)
		if want := (operate.OrderAct{Actor: "operator:ada", Order: reservationID, Reason: "broken"}); w.operations.act != want || !w.operations.restock {
			t.Errorf("asked for %+v", w.operations.act)
		}
		for body, field := range map[string]string{`{"reason":"x","restock":1}`: "restock", `{"restock":true}`: "reason", `{"reason":"x","restock":null}`: "restock"} {
			w.expectProblem(w.operate(http.MethodPost, adminOrder+"/refund", body), http.StatusBadRequest, seckill.Invalid, field)
		}
	})
}

func TestDeadLetterCalls(t *testing.T) {
	t.Parallel()
	t.Run("lists without the bytes and shows them, as text or not", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.operations.body, w.operations.next = []byte("\x00\xff{"), letterID
		list := read[api.DeadLetterList](t, w.operate(http.MethodGet, "/admin/v1/dead-letters", ""))
		if len(list.Data) != 1 || list.Data[0].Size != 3 || list.Data[0].BodyBase64 != "" || list.Next == "" {
			t.Errorf("list is %+v", list)
		}
		if letter := read[api.DeadLetter](t, w.operate(http.MethodGet, letterPath, "")); letter.BodyBase64 != "AP97" || letter.Body != "" {
			t.Errorf("letter is %+v", letter)
		}
		w.operations.body = seckill.Message{
			Batch: 5, Item: itemID, Epoch: 1, At: 1, Sold: 1, Reservations: []seckill.Reserved{{ID: reservationID, User: "ada", Quantity: 1, KeyHash: "k"}},
		}.Encode()
		letter := read[api.DeadLetter](t, w.operate(http.MethodGet, letterPath, ""))
		if letter.Body != string(w.operations.body) || letter.ItemID != itemID.String() || letter.Reservations != 1 || letter.Epoch != 1 {
			t.Errorf("letter is %+v", letter)
		}
	})
	t.Run("replays, and discards with a reason", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		expectStatus(t, w.operate(http.MethodPost, letterPath+"/replay", ""), http.StatusOK)
		if w.operations.fakeCorrections.asked != "replay" {
			t.Errorf("asked to %s", w.operations.fakeCorrections.asked)
		}
		expectStatus(t, w.operate(http.MethodPost, letterPath+"/discard", `{"reason":"a test"}`), http.StatusOK)
		if w.operations.fakeCorrections.asked != "discard" || w.operations.reason != "a test" || len(w.records("operated")) != 2 {
			t.Errorf("asked to %s because of %s", w.operations.fakeCorrections.asked, w.operations.reason)
		}
		w.expectProblem(w.operate(http.MethodPost, letterPath+"/discard", `{}`), http.StatusBadRequest, seckill.Invalid, "reason")
	})
}

func TestLogCall(t *testing.T) {
	t.Parallel()
	t.Run("shows who did what, before and after", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.operations.next = 7301444403200299
		list := read[api.ActList](t, w.operate(http.MethodGet, "/admin/v1/log?target=7301444403200010&actor=operator:ada&limit=2", ""))
		if len(list.Data) != 2 || list.Data[0].After["state"] != "paused" || list.Data[1].Before != nil {
			t.Errorf("log is %+v", list)
		}
		if got := w.operations.acts; len(got.Targets) != 1 || got.Targets[0] != saleID || got.Actor != "operator:ada" || got.Limit != 2 {
			t.Errorf("asked for %+v", got)
		}
		w.operate(http.MethodGet, "/admin/v1/log?cursor="+list.Next, "")
		if got := w.operations.acts; got.After != 7301444403200299 || got.Targets != nil {
			t.Errorf("asked for %+v", got)
		}
	})
	t.Run("refuses a target that is no id and an actor that is no name", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.expectProblem(w.operate(http.MethodGet, "/admin/v1/log?target=x", ""), http.StatusBadRequest, seckill.Invalid, "target")
		w.expectProblem(w.operate(http.MethodGet, "/admin/v1/log?actor=", ""), http.StatusBadRequest, seckill.Invalid, "actor")
		w.expectProblem(w.operate(http.MethodGet, "/admin/v1/log?actor="+strings.Repeat("a", 101), ""), http.StatusBadRequest, seckill.Invalid, "actor")
	})
}

func TestMatch(t *testing.T) {
	t.Parallel()
	t.Run("hands the version that was seen to every act on a sale", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for _, c := range []struct{ method, tail, body string }{
			{http.MethodPatch, "", `{"name":"x"}`},
			{http.MethodDelete, "", ""},
			{http.MethodPost, "/preload", ""},
			{http.MethodPost, "/pause", ""},
			{http.MethodPost, "/resume", ""},
			{http.MethodPost, "/end", ""},
		} {
			for match, want := range map[string]int64{`"7"`: 7, "*": 0} {
				header := asOperator()
				header.Set("If-Match", match)
				response := w.ask(call{method: c.method, path: adminSale + c.tail, body: c.body, header: header})
				if w.operations.version != want {
					t.Errorf("%s %s with %s asked for version %d", c.method, c.tail, match, w.operations.version)
				}
				if c.method != http.MethodDelete && response.header.Get("ETag") != `"3"` {
					t.Errorf("%s %s answered the tag %q", c.method, c.tail, response.header.Get("ETag"))
				}
			}
		}
	})
	t.Run("refuses what is not one tag", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for _, match := range []string{"7", `"7`, `7"`, `"0"`, `"a"`, `"1", "2"`, "", `""`} {
			header := asOperator()
			header["If-Match"] = []string{match}
			w.expectProblem(w.ask(call{method: http.MethodPost, path: adminSale + "/pause", header: header}), http.StatusBadRequest, seckill.Invalid, "If-Match")
		}
		header := asOperator()
		header["If-Match"] = []string{`"1"`, `"2"`}
		w.expectProblem(w.ask(call{method: http.MethodPost, path: adminSale + "/pause", header: header}), http.StatusBadRequest, seckill.Invalid, "If-Match")
	})
	t.Run("shows the sale as it is to whoever took it for another one", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		sale := drop(seckill.SalePaused)
		w.operations.err = &seckill.Refusal{Reason: seckill.Conflict, Detail: "this sale is paused at version 3 by now, not 2", Sale: &sale}
		problem := w.expectProblem(w.operate(http.MethodPost, adminSale+"/end", ""), http.StatusConflict, seckill.Conflict, "")
		if problem.Sale.State != api.SaleStatePaused || problem.Sale.Version != 3 || problem.Sale.ID != saleID.String() {
			t.Errorf("the problem is %+v", problem)
		}
	})
}

func TestCorrectionIDs(t *testing.T) {
	t.Parallel()
	t.Run("refuses malformed ids by their name at every call", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.operations.failure = errors.New("must not be asked")
		for path, field := range map[string]string{
			"POST /admin/v1/items/0/stock": "item_id", "GET /admin/v1/orders/0": "order_id", "POST /admin/v1/orders/0/cancel": "order_id",
			"POST /admin/v1/orders/0/refund": "order_id", "GET /admin/v1/dead-letters/0": "letter_id",
			"POST /admin/v1/dead-letters/0/replay": "letter_id", "POST /admin/v1/dead-letters/0/discard": "letter_id",
		} {
			method, path, _ := strings.Cut(path, " ")
			w.expectProblem(w.operate(method, path, ""), http.StatusBadRequest, seckill.Invalid, field)
		}
	})
}
