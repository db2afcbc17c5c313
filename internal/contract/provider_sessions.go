package contract

import (
	"net/url"
	"sync"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func providerOpensOnce(t *testing.T, p ProviderFixture) {
	t.Helper()
	payment := p.newPayment()
	p.open(t, &payment)
	again := payment
	p.open(t, &again)
	if payment.Session == "" || again.Session != payment.Session || again.URL != payment.URL {
		t.Errorf("opened %s at %s, then %s at %s", payment.Session, payment.URL, again.Session, again.URL)
	}
	if place, err := url.Parse(payment.URL); err != nil || place.Host == "" {
		t.Errorf("nobody can go to %q: %v", payment.URL, err)
	}
}

func providerOpensOnceForAll(t *testing.T, p ProviderFixture) {
	t.Helper()
	const callers = 8
	payment := p.newPayment()
	sessions := make([]string, callers)
	race(t, callers, func(caller int) (bool, error) {
		var err error
		sessions[caller], _, err = p.Open(t.Context(), payment, mugTitle)
		return err == nil, err
	})
	for _, session := range sessions {
		if session != sessions[0] {
			t.Fatalf("one payment has the sessions %v", sessions)
		}
	}
}

func providerOpensEach(t *testing.T, p ProviderFixture) {
	t.Helper()
	first, second := p.newPayment(), p.newPayment()
	second.Order = first.Order
	p.open(t, &first)
	p.open(t, &second)
	if first.Session == second.Session {
		t.Error("two payments have one session")
	}
}

func providerOpensRetitled(t *testing.T, p ProviderFixture) {
	t.Helper()
	payment := p.newPayment()
	p.open(t, &payment)
	session, url, err := p.Open(t.Context(), payment, "Enamel mug, blue")
	if err != nil || session != payment.Session || url != payment.URL {
		t.Errorf("opened %s at %s, then %s at %s: %v", payment.Session, payment.URL, session, url, err)
	}
}

func providerClosesForGood(t *testing.T, p ProviderFixture) {
	t.Helper()
	payment := p.newPayment()
	p.open(t, &payment)
	for range 2 {
		if charges := p.close(t, payment); len(charges) > 0 {
			t.Errorf("nothing was paid and there are charges: %+v", charges)
		}
	}
	if p.Pay(t, payment.Session) {
		t.Error("a closed session took money")
	}
	p.wantUnpayable(t, payment)
}

// wantUnpayable opens a closed payment again: that may fail, but must not lead to where money is taken.
func (p ProviderFixture) wantUnpayable(t testing.TB, payment seckill.Payment) {
	t.Helper()
	if session, _, err := p.Open(t.Context(), payment, mugTitle); err == nil && p.Pay(t, session) {
		t.Error("a payment that was closed was opened again")
	}
}

func providerClosesUnheard(t *testing.T, p ProviderFixture) {
	t.Helper()
	payment := p.newPayment()
	session, _, err := p.Open(t.Context(), payment, mugTitle)
	must(t, err)
	if charges := p.close(t, payment); len(charges) > 0 {
		t.Errorf("nothing was paid and there are charges: %+v", charges)
	}
	if p.Pay(t, session) {
		t.Error("a closed session took money")
	}
}

func providerClosesUnopened(t *testing.T, p ProviderFixture) {
	t.Helper()
	payment := p.newPayment()
	for range 2 {
		if charges := p.close(t, payment); len(charges) > 0 {
			t.Errorf("nothing was paid and there are charges: %+v", charges)
		}
	}
	p.wantUnpayable(t, payment)
}

func providerClosesPaid(t *testing.T, p ProviderFixture) {
	t.Helper()
	payment, charge := p.paid(t)
	charge.Order = payment.Order
	unheard := payment
	unheard.Session, unheard.URL = "", ""
	for _, known := range []seckill.Payment{payment, payment, unheard} {
		charges := p.close(t, known)
		if len(charges) != 1 || charges[0] != charge {
			t.Errorf("the notice told of %+v, closing with session %q of %+v", charge, known.Session, charges)
		}
	}
	if p.Pay(t, payment.Session) {
		t.Error("a session was paid twice")
	}
}

func providerClosesOrTakes(t *testing.T, p ProviderFixture) {
	t.Helper()
	for range 20 {
		payment := p.newPayment()
		p.open(t, &payment)
		var (
			taken   bool
			charges []seckill.Charge
			err     error
			both    sync.WaitGroup
		)
		both.Go(func() { taken = p.Pay(t, payment.Session) })
		both.Go(func() { charges, err = p.Close(t.Context(), payment) })
		both.Wait()
		if err != nil || (len(charges) == 1) != taken {
			t.Fatalf("money taken: %v, and closing says %+v, %v", taken, charges, err)
		}
	}
}

func providerFailsWhileDown(t *testing.T, p ProviderFixture) {
	t.Helper()
	payment, charge := p.paid(t)
	other := p.newPayment()
	p.Down(t, true)
	if _, _, err := p.Open(t.Context(), other, mugTitle); err == nil {
		t.Error("opened a payment at a provider that is down")
	}
	if _, err := p.Close(t.Context(), payment); err == nil {
		t.Error("closed a payment at a provider that is down")
	}
	if p.Refund(t.Context(), refundOf(payment, charge)) == nil {
		t.Error("gave money back at a provider that is down")
	}
	p.Down(t, false)
	p.open(t, &other)
	if charges := p.close(t, payment); len(charges) != 1 {
		t.Errorf("the charges are %+v", charges)
	}
	must(t, p.Refund(t.Context(), refundOf(payment, charge)))
	if n := p.Refunds(t, charge.Txn); n != 1 {
		t.Errorf("given back %d times", n)
	}
}
