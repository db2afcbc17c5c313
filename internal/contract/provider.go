package contract

import (
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// ProviderFixture is a payment provider without payments, and what happens on its side.
type ProviderFixture struct {
	seckill.Provider
	// Now is the provider's time.
	Now func() time.Time
	// Pay pays a session as a shopper does, and tells whether the money was taken.
	Pay func(t testing.TB, session string) bool
	// Notice is what the provider posted when a session was paid, as it came in.
	Notice func(t testing.TB, session string) seckill.Notice
	// Sign makes a notice of any body, as the provider would at a moment.
	Sign func(body []byte, at time.Time) seckill.Notice
	// Elsewhere is the body of a notice about something that is no charge.
	Elsewhere []byte
	// Refunds counts how often a charge was given back.
	Refunds func(t testing.TB, txn string) int
	// Down has the provider answer nobody, or everybody again.
	Down func(t testing.TB, down bool)
}

// Provider is the suite of seckill.Provider.
func Provider(t *testing.T, open func(t *testing.T) ProviderFixture) {
	t.Helper()
	for _, it := range []struct {
		does string
		test func(t *testing.T, p ProviderFixture)
	}{
		{"opens one session for a payment, however often it is asked", providerOpensOnce},
		{"opens one session for several callers at once", providerOpensOnceForAll},
		{"opens a session for each payment of an order", providerOpensEach},
		{"finds its session when the title was corrected", providerOpensRetitled},
		{"takes no money after a payment was closed, closed twice too", providerClosesForGood},
		{"closes a payment whose session we never heard of", providerClosesUnheard},
		{"closes a payment that was never opened, for ever", providerClosesUnopened},
		{"returns the charge of a payment that was paid before it was closed", providerClosesPaid},
		{"either takes the money or closes, when both come at once", providerClosesOrTakes},
		{"gives a charge back once, however often it is asked", providerRefundsOnce},
		{"gives the money of a closed payment back", providerRefundsClosed},
		{"fails to give back what it never took", providerRefundsNothing},
		{"tells of a charge in a notice that it signs", providerTells},
		{"refuses a forged notice", providerRefusesForged},
		{"refuses a notice that is older than five minutes, or from the future", providerRefusesStale},
		{"says of a signed notice that makes no sense that it cannot be read", providerSaysUnreadable},
		{"tells of no charge when a notice is about something else", providerIgnoresElsewhere},
		{"fails while the provider is down, and works when it is back", providerFailsWhileDown},
		{"fails when the caller stops waiting", providerHeedsCaller},
	} {
		t.Run(it.does, func(t *testing.T) {
			t.Parallel()
			it.test(t, open(t))
		})
	}
}

const (
	payWithin  = 15 * time.Minute
	priceMinor = 1290
	mugTitle   = "Enamel mug"
)

// newPayment is one that no other test knows.
func (p ProviderFixture) newPayment() seckill.Payment {
	created := p.Now().Truncate(time.Millisecond)
	return seckill.Payment{
		ID: randomID(), Order: randomID(), Provider: p.Name(), AmountMinor: priceMinor, Currency: "EUR",
		State: seckill.PaymentOpen, CreatedAt: created, ExpiresAt: created.Add(payWithin),
	}
}

// open opens a payment and notes what it is called, as the shop does.
func (p ProviderFixture) open(t testing.TB, payment *seckill.Payment) {
	t.Helper()
	session, url, err := p.Open(t.Context(), *payment, mugTitle)
	if err != nil {
		t.Fatal(err)
	}
	payment.Session, payment.URL = session, url
}

// close closes a payment.
func (p ProviderFixture) close(t testing.TB, payment seckill.Payment) []seckill.Charge {
	t.Helper()
	charges, err := p.Close(t.Context(), payment)
	if err != nil {
		t.Fatal(err)
	}
	return charges
}

// paid is a payment that was paid, and its charge.
func (p ProviderFixture) paid(t testing.TB) (seckill.Payment, seckill.Charge) {
	t.Helper()
	payment := p.newPayment()
	p.open(t, &payment)
	if !p.Pay(t, payment.Session) {
		t.Fatal("an open session took no money")
	}
	charges, err := p.Read(p.Notice(t, payment.Session))
	if err != nil || len(charges) != 1 {
		t.Fatalf("the notice tells of %+v, %v", charges, err)
	}
	return payment, charges[0]
}

// refundOf gives a charge back.
func refundOf(payment seckill.Payment, charge seckill.Charge) seckill.Refund {
	return seckill.Refund{
		Provider: charge.Provider, Txn: charge.Txn, Order: payment.Order, Session: payment.Session,
		AmountMinor: charge.AmountMinor, Currency: charge.Currency, Reason: seckill.RefundLate, State: seckill.RefundOwed,
	}
}
