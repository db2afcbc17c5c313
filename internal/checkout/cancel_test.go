package checkout_test

import (
	"errors"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestCancel(t *testing.T) {
	t.Parallel()
	t.Run("ends an unpaid order, and says the same when it is repeated", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		order := w.order(ada)
		first, err := w.Cancel(t.Context(), ada, order.ID, order.Version)
		must(t, err)
		again, err := w.Cancel(t.Context(), ada, order.ID, order.Version)
		must(t, err)
		if first.State != seckill.OrderCancelled || first.Version != 2 || again != first {
			t.Errorf("first %+v, then %+v", first, again)
		}
	})
	for _, state := range []seckill.OrderState{seckill.OrderPaid, seckill.OrderRefunding, seckill.OrderRefunded} {
		t.Run("is a conflict for an order that is "+string(state), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			order := w.order(ada, in(state))
			_, err := w.Cancel(t.Context(), ada, order.ID, 0)
			expectReason(t, err, seckill.Conflict, state)
			_, err = w.Cancel(t.Context(), ada, order.ID, order.Version)
			expectReason(t, err, seckill.Conflict, state)
		})
	}
	t.Run("is a conflict for a version that is not the order's", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		order := w.order(ada)
		_, err := w.Cancel(t.Context(), ada, order.ID, 7)
		expectReason(t, err, seckill.Conflict, seckill.OrderUnpaid)
		if got := w.till.find(order.ID); got.State != seckill.OrderUnpaid {
			t.Errorf("order is %+v", got)
		}
	})
}

func TestCancelRefused(t *testing.T) {
	t.Parallel()
	t.Run("does not know somebody else's", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		order := w.order(ada)
		for _, user := range []seckill.UserID{bob, sameBucket(ada)} {
			_, err := w.Cancel(t.Context(), user, order.ID, 0)
			expectReason(t, err, seckill.NotFound, "")
		}
	})
	t.Run("passes on that the store is away", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		order := w.order(ada)
		w.till.lose["cancel"] = errDown
		if _, err := w.Cancel(t.Context(), ada, order.ID, 0); !errors.Is(err, seckill.ErrUnavailable) {
			t.Errorf("error is %v", err)
		}
	})
}
