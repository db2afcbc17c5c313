package checkout_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/checkout"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestReceive(t *testing.T) {
	t.Parallel()
	t.Run("pays the order once, however often it is told", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		order := w.order(ada)
		receipt, err := w.Pay(t.Context(), ada, order.ID, 0)
		must(t, err)
		for range 3 {
			w.tell(t, receipt.Payment.ID, "txn-1", 2580)
		}
		if got := w.till.find(order.ID); got.State != seckill.OrderPaid || len(w.till.charges) != 1 {
			t.Errorf("order is %+v, charges %+v", got, w.till.charges)
		}
		if !slices.Equal(w.recorded, []seckill.RefundReason{""}) {
			t.Errorf("counted %q", w.recorded)
		}
	})
	t.Run("records what must go back and says yes to it", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		order := w.order(ada)
		receipt, err := w.Pay(t.Context(), ada, order.ID, 0)
		must(t, err)
		w.tell(t, receipt.Payment.ID, "txn-1", 1)
		_, err = w.Cancel(t.Context(), ada, order.ID, 0)
		must(t, err)
		w.tell(t, receipt.Payment.ID, "txn-2", 2580)
		if !slices.Equal(w.recorded, []seckill.RefundReason{seckill.RefundWrongAmount, seckill.RefundCancelled}) {
			t.Errorf("counted %q", w.recorded)
		}
	})
	t.Run("says yes to a notice of something else", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		must(t, w.Receive(t.Context(), "till", seckill.Notice{Body: []byte("genuine")}))
	})
	t.Run("takes a charge for the provider's that told of it, whatever it says", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		order := w.order(ada)
		receipt, err := w.Pay(t.Context(), ada, order.ID, 0)
		must(t, err)
		w.provider.told = []seckill.Charge{{Provider: "other", Txn: "1", Payment: receipt.Payment.ID, AmountMinor: 2580, Currency: "EUR"}}
		must(t, w.Receive(t.Context(), "till", seckill.Notice{Body: []byte("genuine")}))
		if w.till.charges[0].Provider != "till" {
			t.Errorf("charge is %+v", w.till.charges[0])
		}
	})
}

func TestReceiveRefused(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]seckill.Reason{
		"forged": seckill.Unauthenticated, "garbage": seckill.Invalid, "broken": "",
	} {
		t.Run("when it is "+body, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			err := w.Receive(t.Context(), "till", seckill.Notice{Body: []byte(body)})
			if got := seckill.ReasonOf(err); err == nil || got != want {
				t.Errorf("error is %v, want %s", err, want)
			}
			if strings.Contains(w.log.String(), body) {
				t.Errorf("logged %s", w.log)
			}
		})
	}
	t.Run("of a provider that nobody knows", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		expectReason(t, w.Receive(t.Context(), "bank", seckill.Notice{}), seckill.NotFound, "")
	})
}

func TestReceiveFailures(t *testing.T) {
	t.Parallel()
	t.Run("are to be told again, and all the rest is recorded meanwhile", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		one, two := w.order(ada), w.order(bob)
		first, err := w.Pay(t.Context(), ada, one.ID, 0)
		must(t, err)
		second, err := w.Pay(t.Context(), bob, two.ID, 0)
		must(t, err)
		w.provider.told = []seckill.Charge{
			{Txn: "1", Payment: first.Payment.ID, AmountMinor: 2580}, {Txn: "2", Payment: second.Payment.ID, AmountMinor: 2580},
		}
		w.till.lose["record"] = errDown
		notice := seckill.Notice{Body: []byte("genuine")}
		if err := w.Receive(t.Context(), "till", notice); !errors.Is(err, seckill.ErrUnavailable) {
			t.Fatalf("error is %v", err)
		}
		if got := w.till.find(two.ID); got.State != seckill.OrderPaid {
			t.Errorf("the second order is %+v", got)
		}
		must(t, w.Receive(t.Context(), "till", notice))
		if len(w.till.charges) != 2 {
			t.Errorf("charges are %+v", w.till.charges)
		}
	})
	t.Run("for a payment that is not ours raise an alarm and are not to be told again", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.tell(t, 99, "txn-1", 2580)
		if w.unknown != 1 || !strings.Contains(w.log.String(), "level=ERROR") {
			t.Errorf("%d counted, log is %s", w.unknown, w.log)
		}
	})
	t.Run("are bounded at once", func(t *testing.T) {
		t.Parallel()
		nested := &reentrant{}
		w := newWorld(t, func(o *checkout.Options) {
			o.NoticesMax = 1
			nested.Payments, o.Payments = o.Payments, nested
		})
		w.provider.told = []seckill.Charge{{Txn: "1", Payment: 99}}
		nested.again = func() error {
			return w.Receive(t.Context(), "till", seckill.Notice{Body: []byte("genuine")})
		}
		must(t, w.Receive(t.Context(), "till", seckill.Notice{Body: []byte("genuine")}))
		expectReason(t, nested.err, seckill.Busy, "")
	})
}

func TestNew(t *testing.T) {
	t.Parallel()
	t.Run("refuses a missing part and names that are taken", func(t *testing.T) {
		t.Parallel()
		options := newWorld(t).options
		for name, change := range map[string]func(*checkout.Options){
			"no payments":   func(o *checkout.Options) { o.Payments = nil },
			"one name":      func(o *checkout.Options) { o.Providers = append(slices.Clone(o.Providers), o.Providers[0]) },
			"a name of our": func(o *checkout.Options) { o.Providers = []seckill.Provider{checkout.Free{}} },
		} {
			broken := options
			change(&broken)
			if _, err := checkout.New(broken); err == nil {
				t.Errorf("%s was accepted", name)
			}
		}
	})
}

// reentrant has another notice come while one is being recorded.
type reentrant struct {
	seckill.Payments
	again func() error
	err   error
}

func (r *reentrant) Record(context.Context, seckill.Charge) (seckill.Charge, bool, error) {
	r.err = r.again()
	return seckill.Charge{}, false, seckill.ErrNotFound
}
