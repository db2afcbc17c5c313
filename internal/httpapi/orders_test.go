package httpapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func goldenOrders() map[string]goldenCase {
	path := "/v1/orders/" + reservationID.String()
	header := func() http.Header { return asShopper("X-Request-Id", "golden") }
	mine := func(w *world) { w.checkout.orders = []seckill.Order{order(reservationID, "ada")} }
	return map[string]goldenCase{
		"order_paid_twice": {call: call{path: path, header: header()}, given: paidTwice},
		"payment":          {call: call{method: http.MethodPost, path: path + "/payments", header: header()}, given: mine},
		"order_cancelled":  {call: call{method: http.MethodPost, path: path + "/cancel", header: header()}, given: mine},
		"order_conflict": {call: call{method: http.MethodPost, path: path + "/cancel", header: header()}, given: func(w *world) {
			paid := order(reservationID, "ada")
			paid.State, paid.PaidAt, paid.Version = seckill.OrderPaid, noon(), 2
			w.checkout.err = &seckill.Refusal{Reason: seckill.Conflict, Detail: "this order is paid and cannot be cancelled", Order: &paid}
		}},
		"notice_forged": {call: call{method: http.MethodPost, path: webhookPath, body: "{}", header: golden(headers())}, given: func(w *world) {
			w.checkout.err = seckill.Refuse(seckill.Unauthenticated, "the signature is missing, too old, or not the provider's")
		}},
	}
}

// paidTwice is an order with everything that an order can have; the times are not in UTC.
func paidTwice(w *world) {
	cet := time.FixedZone("CET", 3600)
	paid := order(reservationID, "ada")
	paid.State, paid.PaidAt, paid.Version = seckill.OrderPaid, noon().In(cet), 2
	attempt := payment(reservationID)
	attempt.State, attempt.CreatedAt = seckill.PaymentPaid, noon().In(cet)
	w.checkout.orders, w.checkout.payment = []seckill.Order{paid}, &attempt
	w.checkout.refunds = []seckill.Refund{
		{Provider: "till", Txn: "t-2", State: seckill.RefundDone, Reason: seckill.RefundDouble, AmountMinor: 2580, Currency: "EUR", At: noon().In(cet), DoneAt: noon().Add(time.Second).In(cet)},
		{Provider: "till", Txn: "t-3", State: seckill.RefundOwed, Reason: seckill.RefundWrongCurrency, AmountMinor: 2580, Currency: "USD", At: noon().In(cet), Failure: "secret", Tries: 3},
	}
}

func TestOrders(t *testing.T) {
	t.Parallel()
	t.Run("shows the caller's, with amount, version and times in UTC", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		paidTwice(w)
		response := w.ask(call{path: "/v1/orders/" + reservationID.String(), header: asShopper()})
		got := read[api.Order](t, response)
		if got.AmountMinor != 2580 || got.Status != api.OrderStatusPaid || !got.PaidAt.Equal(noon()) || got.Version != 2 ||
			response.header.Get("ETag") != `"2"` {
			t.Errorf("order is %+v, tagged %s", got, response.header.Get("ETag"))
		}
		if got.Payment == nil || got.Payment.Status != api.PaymentStatusPaid || len(got.Refunds) != 2 || !got.Refunds[1].DoneAt.IsZero() {
			t.Errorf("payment is %+v, refunds %+v", got.Payment, got.Refunds)
		}
	})
	t.Run("shows where to pay only while that helps", func(t *testing.T) {
		t.Parallel()
		for _, state := range seckill.OrderStates() {
			for _, paying := range seckill.PaymentStates() {
				w := newWorld(t)
				mine, attempt := order(7, "ada"), payment(7)
				mine.State, attempt.State = state, paying
				w.checkout.orders, w.checkout.payment = []seckill.Order{mine}, &attempt
				got := read[api.Order](t, w.ask(call{path: "/v1/orders/7", header: asShopper()}))
				if shown, helps := got.Payment.PayURL != "", state == seckill.OrderUnpaid && paying == seckill.PaymentOpen; shown != helps {
					t.Errorf("%s and %s: shown is %t", state, paying, shown)
				}
			}
		}
	})
	t.Run("shows no place to pay that its provider has closed, however long the order may be paid", hidesLapsed)
	t.Run("refuses a malformed id by its name", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for _, c := range []call{
			{path: "/v1/orders/0x7"},
			{method: http.MethodPost, path: "/v1/orders/0/cancel"},
			{method: http.MethodPost, path: "/v1/orders/01/payments"},
		} {
			c.header = asShopper()
			w.expectProblem(w.ask(c), http.StatusBadRequest, seckill.Invalid, "order_id")
		}
	})
}

func hidesLapsed(t *testing.T) {
	t.Parallel()
	for ends, helps := range map[time.Duration]bool{-time.Second: false, 0: false, time.Second: true} {
		w := newWorld(t)
		mine, attempt := order(7, "ada"), payment(7)
		attempt.ExpiresAt = noon().Add(ends)
		w.checkout.orders, w.checkout.payment = []seckill.Order{mine}, &attempt
		got := read[api.Order](t, w.ask(call{path: "/v1/orders/7", header: asShopper()}))
		if shown := got.Payment.PayURL != ""; shown != helps {
			t.Errorf("ends in %v: shown is %t", ends, shown)
		}
		begun := read[api.Payment](t, w.ask(call{method: http.MethodPost, path: "/v1/orders/7/payments", header: asShopper()}))
		if begun.PayURL == "" {
			t.Errorf("ends in %v: who asks is not told where to pay", ends)
		}
	}
}

func TestOrderList(t *testing.T) {
	t.Parallel()
	t.Run("pages through the caller's, newest first", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for id := seckill.ID(6); id > 0; id-- {
			w.checkout.orders = append(w.checkout.orders, order(id, map[bool]seckill.UserID{true: "ada", false: "bob"}[id != 3]))
		}
		first := read[api.OrderList](t, w.ask(call{path: "/v1/orders?limit=3", header: asShopper()}))
		second := read[api.OrderList](t, w.ask(call{path: "/v1/orders?limit=3&cursor=" + first.Next, header: asShopper()}))
		if len(first.Data) != 3 || first.Data[2].ID != "4" || len(second.Data) != 2 || second.Data[0].ID != "2" || second.Next != "" {
			t.Errorf("pages are %+v and %+v", first, second)
		}
	})
	t.Run("passes on which state is wanted, and knows no other words", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for _, state := range seckill.OrderStates() {
			expectStatus(t, w.ask(call{path: "/v1/orders?state=" + string(state), header: asShopper()}), http.StatusOK)
			if w.checkout.query != (seckill.OrderQuery{User: "ada", State: state, Limit: 20}) {
				t.Errorf("asked for %+v", w.checkout.query)
			}
		}
		for _, path := range []string{"/v1/orders?state=open", "/v1/orders?state=", "/v1/orders?state=paid&state=paid"} {
			w.expectProblem(w.ask(call{path: path, header: asShopper()}), http.StatusBadRequest, seckill.Invalid, "state")
		}
	})
}

// changing are the calls that change an order.
func changing() map[string]string {
	return map[string]string{"cancelling": "/v1/orders/7/cancel", "paying": "/v1/orders/7/payments"}
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	for name, path := range changing() {
		t.Run(name+" asks for the version that it names", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.checkout.orders = []seckill.Order{order(7, "ada")}
			for match, want := range map[string]int64{`"1"`: 1, `W/"12"`: 12, "*": 0, `"9223372036854775807"`: 1<<63 - 1} {
				response := w.ask(call{method: http.MethodPost, path: path, header: asShopper("If-Match", match)})
				if response.status >= http.StatusMultipleChoices || w.checkout.version != want || w.checkout.user != "ada" {
					t.Errorf("%s: answered %d, asked for version %d", match, response.status, w.checkout.version)
				}
			}
		})
		t.Run(name+" is refused when it is no version", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for _, match := range []string{"", "1", `"`, `""`, `"0"`, `"01"`, `"-1"`, `"+1"`, `"1", "2"`, `w/"1"`, `"9223372036854775808"`, `"a"`} {
				response := w.ask(call{method: http.MethodPost, path: path, header: asShopper("If-Match", match)})
				w.expectProblem(response, http.StatusBadRequest, seckill.Invalid, "If-Match")
			}
			twice := w.ask(call{method: http.MethodPost, path: path, header: asShopper("If-Match", `"1"`, "If-Match", `"1"`)})
			w.expectProblem(twice, http.StatusBadRequest, seckill.Invalid, "If-Match")
			if w.checkout.user != "" {
				t.Error("it was done")
			}
		})
	}
}

func TestCancelAndPay(t *testing.T) {
	t.Parallel()
	for name, path := range changing() {
		t.Run(name+" shows the order with a conflict about it", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			late := order(7, "ada")
			late.State, late.Version = seckill.OrderCancelled, 5
			w.checkout.err = &seckill.Refusal{Reason: seckill.Conflict, Detail: "too late", Order: &late}
			response := w.ask(call{method: http.MethodPost, path: path, header: asShopper()})
			problem := w.expectProblem(response, http.StatusConflict, seckill.Conflict, "")
			if problem.Order == nil || problem.Order.Status != api.OrderStatusCancelled || response.header.Get("ETag") != `"5"` {
				t.Errorf("order is %+v, tagged %s", problem.Order, response.header.Get("ETag"))
			}
		})
	}
	t.Run("paying again says so", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.checkout.orders = []seckill.Order{order(7, "ada")}
		for replayed, want := range map[bool]string{false: "", true: "true"} {
			w.checkout.replayed = replayed
			response := w.ask(call{method: http.MethodPost, path: "/v1/orders/7/payments", header: asShopper()})
			expectStatus(t, response, http.StatusCreated)
			if got := response.header.Get("Idempotent-Replayed"); got != want {
				t.Errorf("replayed is %q, want %q", got, want)
			}
		}
	})
	t.Run("are logged once, with the order", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.checkout.orders = []seckill.Order{order(7, "ada")}
		w.ask(call{method: http.MethodPost, path: "/v1/orders/7/payments", header: asShopper()})
		w.ask(call{method: http.MethodPost, path: "/v1/orders/7/cancel", header: asShopper()})
		for _, did := range []string{"payment opened", "order cancelled"} {
			if records := w.records(did); len(records) != 1 || records[0]["order"] != "7" {
				t.Errorf("%s: %v", did, records)
			}
		}
	})
}
