package contract

import (
	"context"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func providerRefundsOnce(t *testing.T, p ProviderFixture) {
	t.Helper()
	payment, charge := p.paid(t)
	for range 2 {
		must(t, p.Refund(t.Context(), refundOf(payment, charge)))
	}
	race(t, 4, func(int) (bool, error) { return true, p.Refund(t.Context(), refundOf(payment, charge)) })
	if n := p.Refunds(t, charge.Txn); n != 1 {
		t.Errorf("given back %d times", n)
	}
}

func providerRefundsClosed(t *testing.T, p ProviderFixture) {
	t.Helper()
	payment, charge := p.paid(t)
	p.close(t, payment)
	must(t, p.Refund(t.Context(), refundOf(payment, charge)))
	if charges := p.close(t, payment); len(charges) != 1 || charges[0].Txn != charge.Txn {
		t.Errorf("what was given back was taken all the same, and closing says %+v", charges)
	}
}

func providerRefundsNothing(t *testing.T, p ProviderFixture) {
	t.Helper()
	payment := p.newPayment()
	p.open(t, &payment)
	never := seckill.Charge{Provider: p.Name(), Txn: "never", AmountMinor: priceMinor, Currency: "EUR"}
	if p.Refund(t.Context(), refundOf(payment, never)) == nil {
		t.Error("gave back what was never paid")
	}
}

func providerHeedsCaller(t *testing.T, p ProviderFixture) {
	t.Helper()
	payment := p.newPayment()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := p.Open(ctx, payment, mugTitle); err == nil {
		t.Error("opened a payment for nobody")
	}
	if _, err := p.Close(ctx, payment); err == nil {
		t.Error("closed a payment for nobody")
	}
}
