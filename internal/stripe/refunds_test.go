package stripe_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestRefund(t *testing.T) {
	t.Parallel()
	t.Run("is not done while it is pending, and done when it has succeeded", refundsPending)
	t.Run("is tried anew after one that failed", refundsFailed)
	t.Run("is done when somebody has given all of it back by hand", refundsByHand)
	t.Run("gives back what is left when somebody has given a part", refundsRest)
}

// paid is the refund of a payment that was paid.
func (f *fixture) paid(t testing.TB) seckill.Refund {
	t.Helper()
	session, _, err := f.Open(t.Context(), f.payment(time.Hour), "Mug")
	must(t, err)
	if !f.stripe.pay(session) {
		t.Fatal("not paid")
	}
	return seckill.Refund{Txn: "pi_of_" + session, Session: session, Order: 7301444403200011, AmountMinor: 1290, Currency: "EUR"}
}

// become sets the state of all refunds, and of those to come.
func (f *fixture) become(status string) {
	f.stripe.mu.Lock()
	defer f.stripe.mu.Unlock()
	f.stripe.refundsAre = status
	for _, back := range f.stripe.refunds {
		back.status = status
	}
}

func (f *fixture) wantRefunds(t testing.TB, want int) {
	t.Helper()
	if n := len(f.stripe.refunds); n != want {
		t.Errorf("there are %d refunds, not %d", n, want)
	}
}

func refundsPending(t *testing.T) {
	t.Parallel()
	f := open(t)
	refund := f.paid(t)
	f.become("pending")
	for refund.Tries = range 3 {
		if err := f.Refund(t.Context(), refund); err == nil || !strings.Contains(err.Error(), "pending") {
			t.Errorf("got %v", err)
		}
	}
	if f.Refund(t.Context(), refund) == nil { // the same try once more is answered what it was
		t.Error("done while it is pending")
	}
	f.become("succeeded")
	must(t, f.Refund(t.Context(), refund))
	refund.Tries++
	must(t, f.Refund(t.Context(), refund))
	f.wantRefunds(t, 1)
}

func refundsFailed(t *testing.T) {
	t.Parallel()
	f := open(t)
	refund := f.paid(t)
	f.become("failed")
	if err := f.Refund(t.Context(), refund); err == nil || !strings.Contains(err.Error(), "failed") {
		t.Errorf("got %v", err)
	}
	f.stripe.refundsAre = "succeeded"
	if f.Refund(t.Context(), refund) == nil {
		t.Error("the answer to the first try was not that it failed")
	}
	refund.Tries++
	must(t, f.Refund(t.Context(), refund))
	f.wantRefunds(t, 2)
}

func refundsByHand(t *testing.T) {
	t.Parallel()
	f := open(t)
	paid := f.paid(t)
	f.stripe.refunds = []*refund{{"re_a", paid.Txn, "succeeded", 1000}, {"re_b", paid.Txn, "succeeded", 290}}
	must(t, f.Refund(t.Context(), paid))
	f.wantRefunds(t, 2)
}

func refundsRest(t *testing.T) {
	t.Parallel()
	f := open(t)
	paid := f.paid(t)
	f.stripe.refunds = []*refund{{"re_a", paid.Txn, "succeeded", 1000}}
	must(t, f.Refund(t.Context(), paid))
	f.wantRefunds(t, 2)
	if back := f.stripe.refunds[1]; back.amount != 290 {
		t.Errorf("gave back %d", back.amount)
	}
}
