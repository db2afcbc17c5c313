package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/checkout"
	"github.com/seckill-dev/seckill/internal/sandbox"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// backWithin is the bar for units that come back: from the end of an order to somebody else's purchase.
const backWithin = 3 * time.Second

// bank is the shop's own.
func (s *shop) bank() bank { return bank{s.t, s.system.SandboxURL()} }

// openTill is a sale of some units whose orders must be paid soon.
func openTill(t *testing.T, units int64, payWithin time.Duration) *shop {
	t.Helper()
	s := openShop(t)
	s.payWithin = payWithin
	s.preload(units, units, -time.Second, time.Hour)
	s.awaitLive()
	return s
}

// order buys one unit and waits for the order.
func (s *shop) order(user seckill.UserID, key string) seckill.Order {
	s.t.Helper()
	receipt, err := s.insist(user, 1, key)
	if err != nil {
		s.t.Fatal(err)
	}
	var order seckill.Order
	s.await("the order of "+string(user), func() bool {
		order, err = s.system.Backend.Orders.Find(s.t.Context(), receipt.Reservation.ID)
		return err == nil
	})
	return order
}

// begin begins to pay, and returns the payment with the page to pay at.
func (s *shop) begin(order seckill.Order) seckill.Payment {
	s.t.Helper()
	var receipt checkout.Receipt
	s.await("a page to pay at", func() (answered bool) {
		var err error
		receipt, err = s.system.Checkout.Pay(s.t.Context(), order.User, order.ID, 0)
		return seckill.ReasonOf(err) != seckill.Busy
	})
	if receipt.Payment.URL == "" {
		s.t.Fatalf("no page to pay order %s at: %+v", order.ID, receipt)
	}
	return receipt.Payment
}

// cancel is the shopper's.
func (s *shop) cancel(order seckill.Order) {
	s.t.Helper()
	cancelled, err := s.system.Checkout.Cancel(s.t.Context(), order.User, order.ID, 0)
	if err != nil || cancelled.State != seckill.OrderCancelled {
		s.t.Fatalf("order %s is %s: %v", order.ID, cancelled.State, err)
	}
}

// becomes waits until the order is in that state.
func (s *shop) becomes(order seckill.Order, state seckill.OrderState) {
	s.t.Helper()
	s.await(fmt.Sprintf("order %s is %s", order.ID, state), func() bool {
		found, err := s.system.Backend.Orders.Find(s.t.Context(), order.ID)
		return err == nil && found.State == state
	})
}

// allBack waits until no unit is claimed, and no return is owed.
func (s *shop) allBack() {
	s.t.Helper()
	s.await("all units are back", func() bool { return s.stock().Claimed == 0 && s.owes() == 0 })
}

// owes counts the returns that are owed.
func (s *shop) owes() (sum int64) {
	s.t.Helper()
	for shard := range s.system.Backend.Shards.Count() {
		depth, err := s.system.Backend.Owing.Depth(s.t.Context(), shard, seckill.OwedReturn)
		if err != nil {
			s.t.Fatal(err)
		}
		sum += depth
	}
	return sum
}

// refund waits until the only refund of an order is done, and returns its reason.
func (s *shop) refund(order seckill.Order) (reason seckill.RefundReason) {
	s.t.Helper()
	s.await("the refund of order "+order.ID.String()+" is done", func() bool {
		refunds, err := s.system.Backend.Payments.RefundsOf(s.t.Context(), order.ID)
		if err != nil || len(refunds) != 1 || refunds[0].State != seckill.RefundDone {
			return false
		}
		reason = refunds[0].Reason
		return true
	})
	return reason
}

// metric is the sum of what a metric says of all shards.
func (s *shop) metric(name string) (sum float64) {
	s.t.Helper()
	for line := range strings.Lines(s.metrics()) {
		var value float64
		text, isIt := strings.CutPrefix(line, name+"{")
		_, number, _ := strings.Cut(text, " ")
		if _, err := fmt.Sscan(number, &value); isIt && err == nil {
			sum += value
		}
	}
	return sum
}

func TestPayment(t *testing.T) {
	t.Parallel()
	t.Run("pays an order once, however often it is begun", paysOnce)
	t.Run("sends the second charge back when somebody pays twice", paysTwice)
	t.Run("sends money back that is not what the order costs", paysWrongly)
	t.Run("sends money back that comes for a cancelled order", paysCancelled)
	t.Run("believes no notice that is forged or stale", believesNoForgery)
	t.Run("goes on when the bank was away", paysAfterAnOutage)
	t.Run("takes money that comes at the deadline, or sends it back, and never cancels what it took", paysAtTheDeadline)
}

func paysOnce(t *testing.T) {
	t.Parallel()
	s := openTill(t, 1, time.Hour)
	order := s.order("ann", "ann-buys-one")
	payment := s.begin(order)
	if again := s.begin(order); again.ID != payment.ID || again.URL != payment.URL {
		t.Errorf("another payment: %+v, %+v", payment, again)
	}
	if status := s.bank().pay(payment.URL, sandbox.BehavePay); status != http.StatusCreated {
		t.Fatalf("the bank says %d", status)
	}
	s.becomes(order, seckill.OrderPaid)
	_, err := s.system.Checkout.Cancel(t.Context(), order.User, order.ID, 0)
	wantReason(t, err, seckill.Conflict)
	s.bank().wantKept(map[string]int64{payment.ID.String(): 100})
	s.soldOut()
	s.addsUp()
}

func paysTwice(t *testing.T) {
	t.Parallel()
	s := openTill(t, 1, time.Hour)
	order := s.order("ann", "ann-buys-one")
	payment := s.begin(order)
	s.bank().pay(payment.URL, sandbox.BehaveTwice)
	s.becomes(order, seckill.OrderPaid)
	if reason := s.refund(order); reason != seckill.RefundDouble {
		t.Errorf("went back because of %v", reason)
	}
	s.bank().wantKept(map[string]int64{payment.ID.String(): 100})
	s.addsUp()
}

func paysWrongly(t *testing.T) {
	t.Parallel()
	s := openTill(t, 2, time.Hour)
	for how, want := range map[sandbox.Behaviour]seckill.RefundReason{
		sandbox.BehaveWrongAmount: seckill.RefundWrongAmount, sandbox.BehaveWrongCurrency: seckill.RefundWrongCurrency,
	} {
		order := s.order("ann", "ann-is-"+string(how))
		s.bank().pay(s.begin(order).URL, how)
		if reason := s.refund(order); reason != want {
			t.Errorf("%s went back because of %v", how, reason)
		}
		s.becomes(order, seckill.OrderUnpaid)
	}
	s.bank().wantKept(map[string]int64{})
	s.addsUp()
}

func paysCancelled(t *testing.T) {
	t.Parallel()
	s := openTill(t, 1, time.Hour)
	order := s.order("ann", "ann-buys-one")
	payment := s.begin(order)
	s.cancel(order)
	s.allBack()
	if status := s.bank().pay(payment.URL, sandbox.BehavePay); status < http.StatusBadRequest {
		t.Errorf("the bank says %d of a payment that was closed", status)
	}
	if status := s.bank().pay(payment.URL, sandbox.BehaveLate); status != http.StatusCreated {
		t.Fatalf("the bank says %d", status)
	}
	if reason := s.refund(order); reason != seckill.RefundCancelled {
		t.Errorf("went back because of %v", reason)
	}
	s.becomes(order, seckill.OrderCancelled)
	s.bank().wantKept(map[string]int64{})
	s.addsUp()
}

func TestReturns(t *testing.T) {
	t.Parallel()
	t.Run("sells the unit of an unpaid order to somebody else after its deadline", returnsUnpaid)
	t.Run("sells the unit of a cancelled order to somebody else, or to the same", returnsCancelled)
	t.Run("holds a unit that may still be paid while the bank is away, and no other", returnsWhenClosed)
}

func returnsUnpaid(t *testing.T) {
	t.Parallel()
	s := openTill(t, 1, time.Second)
	first := s.order("ann", "ann-buys-one")
	s.begin(first)
	s.becomes(first, seckill.OrderCancelled)
	began := time.Now()
	s.await("bob gets the unit", func() bool {
		_, err := s.insist("bob", 1, "bob-buys-one")
		return err == nil
	})
	s.tellSoon(began)
	s.becomes(s.order("bob", "bob-buys-one"), seckill.OrderCancelled)
	s.allBack()
	s.addsUp()
}

// tellSoon tells how long it took; backWithin is the bar, which a machine that does much else may miss.
func (s *shop) tellSoon(began time.Time) {
	s.t.Helper()
	s.t.Logf("for sale again after %v (wanted within %v on an idle machine)", time.Since(began).Round(time.Millisecond), backWithin)
}

func returnsCancelled(t *testing.T) {
	t.Parallel()
	s := openTill(t, 1, time.Hour)
	for n, who := range []seckill.UserID{"ann", "bob", "ann"} {
		began := time.Now()
		s.await("the unit is for sale", func() bool {
			_, err := s.insist(who, 1, key(n))
			return err == nil
		})
		s.tellSoon(began)
		s.cancel(s.order(who, key(n)))
	}
	s.allBack()
	s.await("each return is measured once", func() bool {
		return strings.Contains(s.metrics(), "seckill_return_to_sale_seconds_count 3\n")
	})
	s.addsUp()
}

func returnsWhenClosed(t *testing.T) {
	t.Parallel()
	s := openTill(t, 2, time.Hour)
	begun, plain := s.order("ann", "ann-buys-one"), s.order("bob", "bob-buys-one")
	payment := s.begin(begun)
	s.bank().beAway(600)
	s.cancel(begun)
	s.cancel(plain)
	s.await("the unit nobody began to pay comes back", func() bool { return s.stock().Claimed == 1 && s.owes() == 1 })
	s.await("somebody is told of the other", func() bool {
		return s.metric("seckill_orders_held")+s.metric("seckill_payments_unclosed") == 2
	})
	alarms := func() int {
		return len(s.logs.lines(func(line string) bool {
			return strings.Contains(line, "level=ERROR") && strings.Contains(line, "payments cannot be closed")
		}))
	}
	s.await("somebody is called", func() bool { return alarms() > 0 })
	s.bank().beAway(0)
	s.allBack()
	s.await("nobody is told any more", func() bool {
		return s.metric("seckill_orders_held")+s.metric("seckill_payments_unclosed")+s.metric("seckill_returns_owed") == 0
	})
	if called := alarms(); called != 1 {
		t.Errorf("somebody was called %d times", called)
	}
	if closed, err := s.system.Backend.Payments.Payment(t.Context(), payment.ID); err != nil || closed.State != seckill.PaymentClosed {
		t.Errorf("the payment is %s: %v", closed.State, err)
	}
	s.addsUp()
}
