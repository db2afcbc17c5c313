package checkout_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/checkout"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const aDay = 24 * time.Hour

// newLongWorld has an order that may be paid for a week, at a provider that keeps nothing open for longer than a day, and the
// payment that was begun first.
func newLongWorld(t *testing.T) (*world, seckill.Order, checkout.Receipt) {
	t.Helper()
	w := newWorld(t)
	w.provider.lives, w.till.now = aDay, w.clock.Now
	order := w.order(ada, func(o *seckill.Order) { o.PayBy = noon().Add(7 * aDay) })
	first, err := w.Pay(t.Context(), ada, order.ID, 0)
	must(t, err)
	return w, order, first
}

func TestPayAgain(t *testing.T) {
	t.Parallel()
	t.Run("finds the same payment until its time at the provider is over", func(t *testing.T) {
		t.Parallel()
		w, order, first := newLongWorld(t)
		if ends := first.Payment.ExpiresAt; !ends.Equal(noon().Add(aDay)) {
			t.Errorf("it says that it ends at %s", ends)
		}
		w.clock.Advance(aDay - time.Millisecond)
		again, err := w.Pay(t.Context(), ada, order.ID, 0)
		if err != nil || again.Payment != first.Payment || !again.Replayed || len(w.provider.closed) > 0 {
			t.Errorf("%+v, %v, closed %v", again, err, w.provider.closed)
		}
	})
	t.Run("closes the payment that is over, and opens another one", func(t *testing.T) {
		t.Parallel()
		w, order, first := newLongWorld(t)
		w.clock.Advance(aDay)
		second, err := w.Pay(t.Context(), ada, order.ID, 0)
		must(t, err)
		if second.Payment.ID == first.Payment.ID || second.Payment.URL == first.Payment.URL || second.Payment.URL == "" || second.Replayed {
			t.Errorf("first %+v, then %+v", first, second)
		}
		w.expectOneOpen(t)
		if !slices.Equal(w.provider.closed, []seckill.ID{first.Payment.ID}) {
			t.Errorf("closed %v", w.provider.closed)
		}
	})
	t.Run("opens one payment for many who ask at once", againAtOnce)
	t.Run("opens nothing when the money has arrived after all", againPaid)
	t.Run("opens nothing when wrong money has arrived but the next payment", againPaidWrong)
	t.Run("opens a payment that works although this machine's clock is a year ahead", againAhead)
	t.Run("replaces what the provider says is over, once in a call", againOver)
}

// expectOneOpen wants one open payment, and every other one closed at the provider.
func (w *world) expectOneOpen(t *testing.T) {
	t.Helper()
	open := 0
	for _, payment := range w.till.payments {
		if payment.State == seckill.PaymentOpen {
			open++
		} else if payment.State == seckill.PaymentClosed && !slices.Contains(w.provider.closed, payment.ID) {
			t.Errorf("nobody closed %+v", payment)
		}
	}
	if open != 1 {
		t.Errorf("%d payments are open: %+v", open, w.till.payments)
	}
}

func againAtOnce(t *testing.T) {
	t.Parallel()
	w, order, first := newLongWorld(t)
	w.clock.Advance(aDay)
	receipts := make([]checkout.Receipt, 8)
	var wait sync.WaitGroup
	for i := range receipts {
		wait.Go(func() {
			var err error
			if receipts[i], err = w.Pay(t.Context(), ada, order.ID, 0); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for _, receipt := range receipts {
		if receipt.Payment != receipts[0].Payment || receipt.Payment.ID == first.Payment.ID {
			t.Errorf("%+v and %+v", receipt.Payment, receipts[0].Payment)
		}
	}
	if len(w.till.payments) != 2 || len(w.provider.opened) != 2 {
		t.Errorf("%d payments, %d sessions", len(w.till.payments), len(w.provider.opened))
	}
	w.expectOneOpen(t)
}

func againPaid(t *testing.T) {
	t.Parallel()
	w, order, first := newLongWorld(t)
	w.clock.Advance(aDay)
	w.provider.charges[first.Payment.ID] = []seckill.Charge{{Txn: "txn-1", AmountMinor: 2580, Currency: "EUR"}}
	for range 2 {
		_, err := w.Pay(t.Context(), ada, order.ID, 0)
		expectReason(t, err, seckill.Conflict, seckill.OrderPaid)
	}
	if charges := w.till.charges; len(charges) != 1 || charges[0].Provider != "till" || charges[0].Refund != "" || len(w.provider.opened) != 1 {
		t.Errorf("charges are %+v, sessions %v", charges, w.provider.opened)
	}
}

func againPaidWrong(t *testing.T) {
	t.Parallel()
	w, order, first := newLongWorld(t)
	w.clock.Advance(aDay)
	w.provider.charges[first.Payment.ID] = []seckill.Charge{{Txn: "txn-1", AmountMinor: 1, Currency: "EUR"}}
	second, err := w.Pay(t.Context(), ada, order.ID, 0)
	must(t, err)
	if second.Payment.ID == first.Payment.ID || !slices.Equal(w.recorded, []seckill.RefundReason{seckill.RefundWrongAmount}) {
		t.Errorf("%+v, counted %q", second, w.recorded)
	}
	w.expectOneOpen(t)
}

func againAhead(t *testing.T) {
	t.Parallel()
	w, order, first := newLongWorld(t)
	w.till.now = noon
	w.clock.Advance(365 * aDay)
	seen := []seckill.ID{first.Payment.ID}
	for range 3 {
		next, err := w.Pay(t.Context(), ada, order.ID, 0)
		must(t, err)
		if next.Payment.URL == "" || slices.Contains(seen, next.Payment.ID) {
			t.Errorf("after %v: %+v", seen, next)
		}
		seen = append(seen, next.Payment.ID)
		w.expectOneOpen(t)
	}
}

func againOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	order := w.order(ada)
	w.provider.err = errDown
	_, err := w.Pay(t.Context(), ada, order.ID, 0)
	expectReason(t, err, seckill.Busy, "")
	w.provider.err = nil
	w.provider.over[w.till.payments[0].ID] = true
	receipt, err := w.Pay(t.Context(), ada, order.ID, 0)
	must(t, err)
	if receipt.Payment.ID == w.till.payments[0].ID || receipt.Payment.URL == "" {
		t.Errorf("receipt is %+v", receipt)
	}
	w.expectOneOpen(t)

	w = newWorld(t)
	order = w.order(ada)
	w.provider.meanwhile = func(context.Context) { w.provider.over[w.till.payments[len(w.till.payments)-1].ID] = true }
	_, err = w.Pay(t.Context(), ada, order.ID, 0)
	expectReason(t, err, seckill.Busy, "")
	if len(w.till.payments) != 2 || len(w.provider.titles) != 2 {
		t.Errorf("%d payments, asked %d times", len(w.till.payments), len(w.provider.titles))
	}
	w.expectOneOpen(t)
}

func TestPayAgainFailures(t *testing.T) {
	t.Parallel()
	t.Run("of the provider read busy, and leave no second place to pay", func(t *testing.T) {
		t.Parallel()
		for _, failure := range []error{errDown, errors.New("the shopper's bank has not decided")} {
			w, order, first := newLongWorld(t)
			w.clock.Advance(aDay)
			w.provider.err = failure
			_, err := w.Pay(t.Context(), ada, order.ID, 0)
			expectReason(t, err, seckill.Busy, "")
			if len(w.till.payments) != 1 || w.till.payments[0] != first.Payment {
				t.Errorf("payments are %+v", w.till.payments)
			}
			w.provider.err = nil
			_, err = w.Pay(t.Context(), ada, order.ID, 0)
			must(t, err)
			w.expectOneOpen(t)
		}
	})
	t.Run("at every step leave what the next call finishes", func(t *testing.T) {
		t.Parallel()
		for _, call := range []string{"find", "begin", "closed", "opened"} {
			w, order, first := newLongWorld(t)
			w.clock.Advance(aDay)
			w.till.lose[call] = errDown
			if _, err := w.Pay(t.Context(), ada, order.ID, 0); !errors.Is(err, seckill.ErrUnavailable) {
				t.Fatalf("without %s: %v", call, err)
			}
			receipt, err := w.Pay(t.Context(), ada, order.ID, 0)
			must(t, err)
			if receipt.Payment.ID == first.Payment.ID || receipt.Payment.URL == "" || len(w.till.payments) != 2 {
				t.Errorf("without %s: %+v of %d", call, receipt, len(w.till.payments))
			}
			w.expectOneOpen(t)
		}
	})
	t.Run("to record what arrived leave it to the next call", func(t *testing.T) {
		t.Parallel()
		w, order, first := newLongWorld(t)
		w.clock.Advance(aDay)
		w.provider.charges[first.Payment.ID] = []seckill.Charge{{Txn: "txn-1", AmountMinor: 2580, Currency: "EUR"}}
		w.till.lose["record"] = errDown
		if _, err := w.Pay(t.Context(), ada, order.ID, 0); !errors.Is(err, seckill.ErrUnavailable) {
			t.Fatal(err)
		}
		_, err := w.Pay(t.Context(), ada, order.ID, 0)
		expectReason(t, err, seckill.Conflict, seckill.OrderPaid)
	})
}

func TestPayNowhere(t *testing.T) {
	t.Parallel()
	t.Run("is a conflict, and an alarm, when the provider takes no such payment", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		order := w.order(ada)
		w.provider.err = errors.Join(seckill.ErrRefused, errors.New("at least 50 cents"))
		_, err := w.Pay(t.Context(), ada, order.ID, 0)
		refusal := expectReason(t, err, seckill.Conflict, seckill.OrderUnpaid)
		if w.failed != 1 || !strings.Contains(w.log.String(), "level=ERROR") || refusal.RetryAfter > 0 {
			t.Errorf("refusal is %+v, log is %s", refusal, w.log)
		}
	})
	t.Run("is no receipt when the provider names no session", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, func(o *checkout.Options) { o.Providers = []seckill.Provider{mute{}} })
		order := w.order(ada)
		if _, err := w.Pay(t.Context(), ada, order.ID, 0); err == nil || seckill.ReasonOf(err) != "" {
			t.Errorf("error is %v", err)
		}
	})
}

// mute is a provider that says yes, and nothing else.
type mute struct{ seckill.Provider }

func (mute) Name() string { return "mute" }

func (mute) Lives() time.Duration { return 0 }

func (mute) Open(context.Context, seckill.Payment, string) (session, url string, err error) {
	return "", "", nil
}
