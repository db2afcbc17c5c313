package checkout_test

import (
	"errors"
	"testing"

	"github.com/seckill-dev/seckill/internal/checkout"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestOrder(t *testing.T) {
	t.Parallel()
	t.Run("is shown without a payment before there is one", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		order := w.order(ada)
		view, err := w.Order(t.Context(), ada, order.ID)
		must(t, err)
		if view.Order != order || view.Payment != nil || view.Refunds != nil {
			t.Errorf("view is %+v", view)
		}
	})
	t.Run("is shown with the payment that counts and all that goes back", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		order := w.order(ada)
		receipt, err := w.Pay(t.Context(), ada, order.ID, 0)
		must(t, err)
		w.tell(t, receipt.Payment.ID, "txn-1", 2580)
		w.tell(t, receipt.Payment.ID, "txn-2", 2580)
		view, err := w.Order(t.Context(), ada, order.ID)
		must(t, err)
		if view.Order.State != seckill.OrderPaid || view.Payment == nil || view.Payment.State != seckill.PaymentPaid ||
			len(view.Refunds) != 1 || view.Refunds[0].Reason != seckill.RefundDouble {
			t.Errorf("view is %+v", view)
		}
	})
	t.Run("is never unpaid with a payment that is paid", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		order := w.order(ada)
		_, err := w.Pay(t.Context(), ada, order.ID, 0)
		must(t, err)
		w.till.before["payments of"] = func() { // between the two reads
			w.till.orders[0].State, w.till.payments[0].State = seckill.OrderPaid, seckill.PaymentPaid
		}
		view, err := w.Order(t.Context(), ada, order.ID)
		must(t, err)
		if view.Order.State != seckill.OrderPaid || view.Payment.State != seckill.PaymentPaid {
			t.Errorf("view is %+v", view)
		}
	})
}

func TestOrderRefused(t *testing.T) {
	t.Parallel()
	t.Run("is nobody else's, in the same words as one that never was", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		order := w.order(ada)
		neighbour := sameBucket(ada)
		_, theirs := w.Order(t.Context(), neighbour, order.ID)
		_, far := w.Order(t.Context(), bob, order.ID)
		_, none := w.Order(t.Context(), ada, order.ID+1)
		for _, err := range []error{theirs, far, none} {
			if refusal := expectReason(t, err, seckill.NotFound, ""); refusal.Error() != none.Error() {
				t.Errorf("%v and %v", err, none)
			}
		}
	})
	t.Run("does not take a broken store for a missing order", func(t *testing.T) {
		t.Parallel()
		for _, call := range []string{"find", "payments of", "refunds of"} {
			w := newWorld(t)
			order := w.order(ada)
			_, err := w.Pay(t.Context(), ada, order.ID, 0)
			must(t, err)
			w.till.lose[call] = errDown
			if _, err := w.Order(t.Context(), ada, order.ID); !errors.Is(err, seckill.ErrUnavailable) {
				t.Errorf("without %s: %v", call, err)
			}
		}
	})
}

func TestPaymentThatCounts(t *testing.T) {
	t.Parallel()
	const open, paid, closed = seckill.PaymentOpen, seckill.PaymentPaid, seckill.PaymentClosed
	for name, c := range map[string]struct {
		states []seckill.PaymentState
		want   int
	}{
		"is the paid one":                      {[]seckill.PaymentState{closed, paid, open}, 1},
		"is the open one when none was paid":   {[]seckill.PaymentState{closed, open, closed}, 1},
		"is the last one when all are closed":  {[]seckill.PaymentState{closed, closed}, 1},
		"is the last one of several open ones": {[]seckill.PaymentState{open, open}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			order := w.order(ada)
			for i, state := range c.states {
				w.till.payments = append(w.till.payments, seckill.Payment{ID: seckill.ID(i + 1), Order: order.ID, State: state})
			}
			view, err := w.Order(t.Context(), ada, order.ID)
			must(t, err)
			if got := int(view.Payment.ID) - 1; got != c.want {
				t.Errorf("it is number %d, want %d", got, c.want)
			}
		})
	}
}

func TestOrders(t *testing.T) {
	t.Parallel()
	t.Run("come in pages, newest first, of one state if asked", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		first, second := w.order(ada), w.order(ada, in(seckill.OrderPaid))
		w.order(bob)
		third := w.order(ada)
		page, err := w.Orders(t.Context(), seckill.OrderQuery{User: ada, Limit: 2})
		must(t, err)
		expectPage(t, page, second.ID, third.ID, second.ID)
		page, err = w.Orders(t.Context(), seckill.OrderQuery{User: ada, Limit: 2, After: page.Next})
		must(t, err)
		expectPage(t, page, 0, first.ID)
		page, err = w.Orders(t.Context(), seckill.OrderQuery{User: ada, Limit: 2, State: seckill.OrderPaid})
		must(t, err)
		expectPage(t, page, 0, second.ID)
	})
	t.Run("are bounded, whatever is asked for", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for range 102 {
			w.order(ada)
		}
		for asked, want := range map[int]int{-1: 1, 0: 1, 1000: 100} {
			page, err := w.Orders(t.Context(), seckill.OrderQuery{User: ada, Limit: asked})
			must(t, err)
			if len(page.Orders) != want || page.Next == 0 {
				t.Errorf("asked for %d, got %d", asked, len(page.Orders))
			}
		}
	})
}

func expectPage(t *testing.T, page checkout.Page, next seckill.ID, want ...seckill.ID) {
	t.Helper()
	var got []seckill.ID
	for _, order := range page.Orders {
		got = append(got, order.ID)
	}
	if len(got) != len(want) || page.Next != next {
		t.Fatalf("page is %v, next %v; want %v, %v", got, page.Next, want, next)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("page is %v, want %v", got, want)
		}
	}
}
