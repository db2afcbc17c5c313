package checkout_test

import (
	"errors"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/checkout"
	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestRate(t *testing.T) {
	t.Parallel()
	t.Run("bounds how often one user pays and cancels, and nobody else", func(t *testing.T) {
		t.Parallel()
		clock := handclock.New()
		w := newWorld(t, func(o *checkout.Options) { o.Clock, o.UserRate, o.UserBurst = clock, 1, 2 })
		order, other := w.order(ada), w.order(bob)
		pay := func(of seckill.Order) error {
			_, err := w.Pay(t.Context(), of.User, of.ID, 0)
			return err
		}
		cancel := func(of seckill.Order) error {
			_, err := w.Cancel(t.Context(), of.User, of.ID, 0)
			return err
		}
		must(t, errors.Join(pay(order), pay(order)))
		for _, ask := range []func(seckill.Order) error{pay, cancel} {
			if refusal := expectReason(t, ask(order), seckill.RateLimited, ""); refusal.RetryAfter != time.Second {
				t.Errorf("is told to wait %v", refusal.RetryAfter)
			}
		}
		must(t, errors.Join(pay(other), cancel(other)))
		clock.Shift(time.Second)
		must(t, cancel(order))
		if len(w.hit) != 2 || w.hit[0] != checkout.BoundUserRate {
			t.Errorf("counted %v", w.hit)
		}
	})
}
