package checkout_test

import (
	"errors"
	"testing"

	"github.com/seckill-dev/seckill/internal/checkout"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func free(o *seckill.Order) { o.PriceMinor = 0 }

func TestFree(t *testing.T) {
	t.Parallel()
	t.Run("orders are paid by asking, without a provider", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, func(o *checkout.Options) { o.Providers = nil })
		order := w.order(ada, free)
		receipt, err := w.Pay(t.Context(), ada, order.ID, 0)
		must(t, err)
		if receipt.Order.State != seckill.OrderPaid || receipt.Payment.State != seckill.PaymentPaid || receipt.Payment.URL != "" {
			t.Errorf("receipt is %+v", receipt)
		}
		_, err = w.Pay(t.Context(), ada, order.ID, 0)
		expectReason(t, err, seckill.Conflict, seckill.OrderPaid)
		if len(w.till.charges) != 1 || len(w.recorded) != 1 {
			t.Errorf("charges are %+v", w.till.charges)
		}
	})
	t.Run("orders are paid once, whatever fails on the way", func(t *testing.T) {
		t.Parallel()
		for _, call := range []string{"begin", "opened", "record"} {
			w := newWorld(t)
			order := w.order(ada, free)
			w.till.lose[call] = errDown
			if _, err := w.Pay(t.Context(), ada, order.ID, 0); !errors.Is(err, seckill.ErrUnavailable) {
				t.Fatalf("without %s: %v", call, err)
			}
			receipt, err := w.Pay(t.Context(), ada, order.ID, 0)
			must(t, err)
			if receipt.Order.State != seckill.OrderPaid || len(w.till.charges) != 1 || len(w.provider.titles) != 0 {
				t.Errorf("without %s: %+v", call, receipt)
			}
		}
	})
	t.Run("is nobody's word to give", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		err := w.Receive(t.Context(), checkout.Free{}.Name(), seckill.Notice{Body: []byte("genuine")})
		expectReason(t, err, seckill.NotFound, "")
		if _, err := (checkout.Free{}).Read(seckill.Notice{}); !errors.Is(err, seckill.ErrForged) {
			t.Errorf("error is %v", err)
		}
	})
}
