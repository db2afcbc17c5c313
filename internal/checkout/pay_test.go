package checkout_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/checkout"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// sameBucket is another user whose orders lie in the same table.
func sameBucket(user seckill.UserID) seckill.UserID {
	for i := 0; ; i++ {
		if other := seckill.UserID(fmt.Sprintf("user-%d", i)); other.Bucket() == user.Bucket() {
			return other
		}
	}
}

func TestPay(t *testing.T) {
	t.Parallel()
	t.Run("opens one payment, however often it is asked", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		order := w.order(ada)
		first, err := w.Pay(t.Context(), ada, order.ID, order.Version)
		must(t, err)
		again, err := w.Pay(t.Context(), ada, order.ID, 0)
		must(t, err)
		payment := first.Payment
		if payment.URL != "https://till.example/session-1" || payment.AmountMinor != 2580 || payment.ExpiresAt != order.PayBy ||
			payment.ID.Bucket() != ada.Bucket() {
			t.Errorf("payment is %+v", payment)
		}
		if first.Replayed || !again.Replayed || again.Payment != payment || len(w.till.payments) != 1 {
			t.Errorf("first %+v, then %+v", first, again)
		}
		if !slices.Equal(w.provider.titles, []string{"2 × Enamel mug"}) {
			t.Errorf("the provider was asked for %q", w.provider.titles)
		}
	})
	t.Run("opens one payment for many who ask at once", payAtOnce)
	t.Run("knows what one unit is called, and asks the catalog once", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for range 3 {
			order := w.order(ada, func(o *seckill.Order) { o.Quantity = 1 })
			_, err := w.Pay(t.Context(), ada, order.ID, 0)
			must(t, err)
		}
		if w.catalog.reads != 1 || w.provider.titles[2] != "Enamel mug" {
			t.Errorf("%d reads, titles %q", w.catalog.reads, w.provider.titles)
		}
	})
}

func payAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	order := w.order(ada)
	var wait sync.WaitGroup
	receipts := make([]checkout.Receipt, 8)
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
		if receipt.Payment != receipts[0].Payment {
			t.Errorf("%+v and %+v", receipt.Payment, receipts[0].Payment)
		}
	}
	if len(w.till.payments) != 1 || len(w.provider.opened) != 1 {
		t.Errorf("%d payments, %d sessions", len(w.till.payments), len(w.provider.opened))
	}
}

func TestPayRefused(t *testing.T) {
	t.Parallel()
	for _, state := range []seckill.OrderState{seckill.OrderPaid, seckill.OrderCancelled, seckill.OrderRefunding, seckill.OrderRefunded} {
		t.Run("for an order that is "+string(state), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			order := w.order(ada, in(state))
			_, err := w.Pay(t.Context(), ada, order.ID, 0)
			expectReason(t, err, seckill.Conflict, state)
			w.expectUntouched(t)
		})
	}
	t.Run("after the deadline, which the store judges", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		order := w.order(ada, func(o *seckill.Order) { o.PayBy = noon() })
		_, err := w.Pay(t.Context(), ada, order.ID, 0)
		if refusal := expectReason(t, err, seckill.Conflict, seckill.OrderUnpaid); !strings.Contains(refusal.Detail, "2026-03-20T12:00:00Z") {
			t.Errorf("detail is %q", refusal.Detail)
		}
		w.expectUntouched(t)
	})
	t.Run("for a version that is not the order's", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		order := w.order(ada)
		_, err := w.Pay(t.Context(), ada, order.ID, 2)
		expectReason(t, err, seckill.Conflict, seckill.OrderUnpaid)
		w.expectUntouched(t)
	})
}

func TestPayRefusedElsewhere(t *testing.T) {
	t.Parallel()
	t.Run("for somebody else's order", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		order := w.order(ada)
		for _, user := range []seckill.UserID{bob, sameBucket(ada)} {
			_, err := w.Pay(t.Context(), user, order.ID, 0)
			expectReason(t, err, seckill.NotFound, "")
		}
		w.expectUntouched(t)
	})
	t.Run("in a shop that takes no payments", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, func(o *checkout.Options) { o.Providers = nil })
		order := w.order(ada)
		_, err := w.Pay(t.Context(), ada, order.ID, 0)
		expectReason(t, err, seckill.Conflict, seckill.OrderUnpaid)
		w.expectUntouched(t)
	})
	t.Run("when the order was cancelled and its payment closed while the provider was asked", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		order := w.order(ada)
		w.provider.meanwhile = func(ctx context.Context) {
			if _, err := w.Cancel(ctx, ada, order.ID, 0); err != nil {
				t.Error(err)
			}
			w.till.closing = true
		}
		_, err := w.Pay(t.Context(), ada, order.ID, 0)
		expectReason(t, err, seckill.Conflict, seckill.OrderCancelled)
	})
}

// expectUntouched says that nobody heard of a payment.
func (w *world) expectUntouched(t *testing.T) {
	t.Helper()
	if len(w.till.payments) != 0 || len(w.provider.titles) != 0 {
		t.Errorf("payments %+v, the provider was asked for %q", w.till.payments, w.provider.titles)
	}
}

func TestPayFailures(t *testing.T) {
	t.Parallel()
	t.Run("without the catalog leave nothing behind", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		order := w.order(ada)
		w.catalog.err = errDown
		if _, err := w.Pay(t.Context(), ada, order.ID, 0); !errors.Is(err, seckill.ErrUnavailable) {
			t.Fatalf("error is %v", err)
		}
		w.expectUntouched(t)
		w.catalog.err = nil
		_, err := w.Pay(t.Context(), ada, order.ID, 0)
		must(t, err)
	})
	t.Run("of the provider read busy, and the next call goes on with the same payment", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		order := w.order(ada)
		w.provider.err = errDown
		_, err := w.Pay(t.Context(), ada, order.ID, 0)
		if refusal := expectReason(t, err, seckill.Busy, ""); refusal.RetryAfter <= 0 || w.failed != 1 {
			t.Errorf("refusal is %+v, %d failures counted", refusal, w.failed)
		}
		begun := w.till.payments[0].ID
		w.provider.err = nil
		receipt, err := w.Pay(t.Context(), ada, order.ID, 0)
		must(t, err)
		if receipt.Payment.ID != begun || receipt.Replayed || len(w.till.payments) != 1 {
			t.Errorf("receipt is %+v", receipt)
		}
	})
	t.Run("that nobody expected are told apart from an outage", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		order := w.order(ada)
		w.provider.err = errors.New("the key is not known")
		if _, err := w.Pay(t.Context(), ada, order.ID, 0); err == nil || seckill.ReasonOf(err) != "" {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("of a provider that does not answer end in time", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, func(o *checkout.Options) { o.ProviderTimeout = time.Millisecond })
		order := w.order(ada)
		w.provider.meanwhile = func(ctx context.Context) { <-ctx.Done() }
		_, err := w.Pay(t.Context(), ada, order.ID, 0)
		expectReason(t, err, seckill.Busy, "")
	})
	t.Run("at every step leave one payment that the next call finishes", payAfterEveryFailure)
	t.Run("are bounded at once", payTooManyAtOnce)
}

func payAfterEveryFailure(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"find", "begin", "opened"} {
		w := newWorld(t)
		order := w.order(ada)
		w.till.lose[call] = errDown
		if _, err := w.Pay(t.Context(), ada, order.ID, 0); !errors.Is(err, seckill.ErrUnavailable) {
			t.Fatalf("without %s: %v", call, err)
		}
		receipt, err := w.Pay(t.Context(), ada, order.ID, 0)
		must(t, err)
		if len(w.till.payments) != 1 || len(w.provider.opened) != 1 || receipt.Payment.URL == "" {
			t.Errorf("without %s: %d payments, %d sessions", call, len(w.till.payments), len(w.provider.opened))
		}
	}
}

func payTooManyAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *checkout.Options) { o.PaymentsMax = 1 })
	order := w.order(ada)
	w.provider.meanwhile = func(ctx context.Context) {
		_, err := w.Pay(ctx, ada, order.ID, 0)
		expectReason(t, err, seckill.Busy, "")
	}
	_, err := w.Pay(t.Context(), ada, order.ID, 0)
	must(t, err)
	if !slices.Equal(w.hit, []checkout.Bound{checkout.BoundPayments}) {
		t.Errorf("hit %v", w.hit)
	}
	w.provider.meanwhile = nil
	_, err = w.Pay(t.Context(), ada, order.ID, 0)
	must(t, err)
}
