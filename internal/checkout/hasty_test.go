package checkout_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// hasty is a provider that keeps no payment open for longer than a moment, and whose answers are lost half of the time. It
// remembers how many payments of one order took money at the same time.
type hasty struct {
	honest // whose name and notices it has

	mu       sync.Mutex
	payments map[seckill.ID]*hastyPayment
	open     map[seckill.ID]int // by order
	mostOpen int
}

type hastyPayment struct {
	seckill.Payment
	opened, closed bool
	charge         *seckill.Charge
}

func newHasty() *hasty {
	return &hasty{payments: map[seckill.ID]*hastyPayment{}, open: map[seckill.ID]int{}}
}

func (*hasty) Lives() time.Duration { return 2 * time.Millisecond }

func (h *hasty) find(payment seckill.Payment) *hastyPayment {
	if h.payments[payment.ID] == nil {
		h.payments[payment.ID] = &hastyPayment{Payment: payment}
	}
	return h.payments[payment.ID]
}

func (h *hasty) Open(_ context.Context, payment seckill.Payment, _ string) (session, url string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	found := h.find(payment)
	if found.closed {
		return "", "", seckill.ErrOver
	}
	if !found.opened {
		found.opened = true
		h.open[payment.Order]++
		h.mostOpen = max(h.mostOpen, h.open[payment.Order])
	}
	return "s-" + payment.ID.String(), "https://hasty.example/" + payment.ID.String(), lost(nil)
}

func (h *hasty) Close(_ context.Context, payment seckill.Payment) (charges []seckill.Charge, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	found := h.find(payment)
	if found.opened && !found.closed {
		h.open[payment.Order]--
	}
	found.closed = true
	if found.charge != nil {
		charges = append(charges, *found.charge)
	}
	return charges, lost(nil)
}

// pay is what a shopper does where a payment leads. Nil: too late.
func (h *hasty) pay(id seckill.ID) *told {
	h.mu.Lock()
	defer h.mu.Unlock()
	found := h.payments[id]
	if found.closed {
		return nil
	}
	h.open[found.Order]--
	found.closed = true
	charge := told{fmt.Sprintf("txn-%s", id), id, found.AmountMinor, found.Currency}
	found.charge = &seckill.Charge{Txn: charge.Txn, AmountMinor: charge.AmountMinor, Currency: charge.Currency}
	return &charge
}

func TestHastyCrowd(t *testing.T) {
	t.Parallel()
	t.Run("pays each order once, one place to pay after the other, though each of them is over in a moment", func(t *testing.T) {
		t.Parallel()
		const insisting = 3
		taker := newHasty()
		s := openShopOf(t, taker)
		var wait sync.WaitGroup
		for _, order := range s.placed {
			if order.AmountMinor() == 0 {
				continue
			}
			for n := range insisting {
				wait.Go(func() { s.payHastily(taker, order, n) })
			}
		}
		wait.Wait()
		if taker.mostOpen > 1 {
			t.Errorf("an order had %d places that took money at once", taker.mostOpen)
		}
		for _, order := range s.placed {
			if order.AmountMinor() > 0 {
				s.wantPaidOnce(order)
			}
		}
		t.Logf("%d payments", len(taker.payments))
	})
}

// wantPaidOnce wants a paid order for which money was taken once.
func (s *shop) wantPaidOnce(order seckill.Order) {
	s.t.Helper()
	if state := s.judge(order); state != seckill.OrderPaid {
		s.t.Errorf("order %s is %s", order.ID, state)
	}
	charges, err := s.payments.ChargesOf(s.t.Context(), order.ID)
	if err != nil || len(charges) != 1 {
		s.t.Errorf("order %s was charged %d times, %v", order.ID, len(charges), err)
	}
}

// payHastily opens payments, looks at each a little longer than the last one, and pays in the end, when it is not too late.
func (s *shop) payHastily(taker *hasty, order seckill.Order, patience int) {
	for try := 0; ; try++ {
		receipt, err := s.Pay(s.t.Context(), order.User, order.ID, 0)
		switch reason := seckill.ReasonOf(err); {
		case reason == seckill.Conflict:
			return
		case err != nil:
			continue // it was lost, or is over once more
		case try < patience:
			continue
		}
		// Nobody is told of the money of those without patience: Close finds it.
		if charge := taker.pay(receipt.Payment.ID); charge != nil && patience > 0 {
			if err := s.tell(*charge); err != nil {
				s.t.Error(err)
			}
		}
	}
}
