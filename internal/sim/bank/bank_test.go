package bank_test

import (
	"errors"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/bank"
)

func TestProvider(t *testing.T) {
	t.Parallel()
	contract.Provider(t, func(*testing.T) contract.ProviderFixture {
		clock := handclock.New()
		b := bank.New(clock, bank.Settings{})
		return contract.ProviderFixture{
			Provider:  b,
			Now:       clock.Now,
			Pay:       func(_ testing.TB, session string) bool { return b.Pay(session, bank.Rightly) == 1 },
			Notice:    func(t testing.TB, session string) seckill.Notice { t.Helper(); return noticeOf(t, b, session) },
			Sign:      bank.Sign,
			Elsewhere: []byte(`{"type":"payout.paid","amount_minor":5}`),
			Refunds:   func(_ testing.TB, txn string) int { return refunds(b, txn) },
			Down:      func(_ testing.TB, down bool) { b.Down(down) },
		}
	})
}

// noticeOf is the notice of a session's only charge.
func noticeOf(t testing.TB, b *bank.Bank, session string) seckill.Notice {
	t.Helper()
	for _, s := range b.Sessions() {
		if s.ID != session || len(s.Charges) != 1 {
			continue
		}
		for nth := range b.Notices() {
			n := b.Notice(nth)
			if charges, err := b.Read(n); err == nil && charges[0].Txn == s.Charges[0].Txn {
				return n
			}
		}
	}
	t.Fatalf("nothing is told of session %s", session)
	return seckill.Notice{}
}

func refunds(b *bank.Bank, txn string) int {
	for _, c := range b.Charges() {
		if c.Txn == txn {
			return c.Refunds
		}
	}
	return 0
}

const price = 1290

// till is a bank with one open payment.
type till struct {
	testing.TB
	*bank.Bank

	clock   *handclock.Clock
	payment seckill.Payment
}

func open(t *testing.T) till {
	t.Helper()
	clock := handclock.New()
	s := till{TB: t, Bank: bank.New(clock, bank.Settings{Lingers: time.Minute}), clock: clock, payment: seckill.Payment{
		ID: 7, Order: 8, Provider: bank.Name, AmountMinor: price, Currency: "EUR", ExpiresAt: clock.Now().Add(time.Hour),
	}}
	s.open()
	return s
}

func (s *till) open() {
	s.Helper()
	session, _, err := s.Open(s.Context(), s.payment, "Mug")
	s.must(err)
	s.payment.Session = session
}

func (s *till) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func TestMisbehaves(t *testing.T) {
	t.Parallel()
	for behave, want := range map[bank.Behaviour][]seckill.Charge{
		bank.Rightly:       {{AmountMinor: price, Currency: "EUR"}},
		bank.Twice:         {{AmountMinor: price, Currency: "EUR"}, {AmountMinor: price, Currency: "EUR"}},
		bank.WrongAmount:   {{AmountMinor: price + 1, Currency: "EUR"}},
		bank.WrongCurrency: {{AmountMinor: price, Currency: "XXX"}},
		bank.Late:          {{AmountMinor: price, Currency: "EUR"}},
	} {
		t.Run("takes what is paid "+string(behave), func(t *testing.T) {
			t.Parallel()
			s := open(t)
			if n := s.Pay(s.payment.Session, behave); n != len(want) || n != s.Notices() {
				t.Fatalf("%d charges, %d notices", n, s.Notices())
			}
			charges, err := s.Close(t.Context(), s.payment)
			s.must(err)
			for n, c := range charges {
				if c.AmountMinor != want[n].AmountMinor || c.Currency != want[n].Currency {
					t.Errorf("charge %d is %+v", n, c)
				}
			}
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, it := range []struct {
		does string
		test func(t *testing.T, s till)
	}{
		{"takes late money on a closed payment, and no other", takesLate},
		{"keeps a session beyond its deadline as long as it lingers", lingers},
		{"refuses when it is told to", refuses},
		{"gives money back once, whether it says so or not", refundsOnce},
		{"tells a charge as often as it is asked, until it is dropped", tells},
	} {
		t.Run(it.does, func(t *testing.T) {
			t.Parallel()
			it.test(t, open(t))
		})
	}
}

func takesLate(t *testing.T, s till) {
	t.Helper()
	_, err := s.Close(t.Context(), s.payment)
	s.must(err)
	if s.Pay(s.payment.Session, bank.Rightly) != 0 || s.Pay(s.payment.Session, bank.Late) != 1 {
		t.Error("took money in time, or none late")
	}
}

func lingers(t *testing.T, s till) {
	t.Helper()
	s.clock.Advance(time.Hour + time.Second)
	s.open()
	s.clock.Advance(time.Minute)
	if _, _, err := s.Open(t.Context(), s.payment, "Mug"); !errors.Is(err, seckill.ErrOver) {
		t.Errorf("opened: %v", err)
	}
}

func refuses(t *testing.T, s till) {
	t.Helper()
	s.Refuse(true)
	if _, _, err := s.Open(t.Context(), s.payment, "Mug"); !errors.Is(err, seckill.ErrRefused) {
		t.Errorf("opened: %v", err)
	}
}

func refundsOnce(t *testing.T, s till) {
	t.Helper()
	s.Pay(s.payment.Session, bank.Rightly)
	charge := s.Charges()[0]
	refund := seckill.Refund{Provider: bank.Name, Txn: charge.Txn, AmountMinor: price, Currency: "EUR"}
	s.Pending(true)
	if s.Refund(t.Context(), refund) == nil {
		t.Error("says that it is certain")
	}
	s.Pending(false)
	s.must(s.Refund(t.Context(), refund))
	if charge.Refunds != 1 {
		t.Errorf("given back %d times", charge.Refunds)
	}
}

func tells(t *testing.T, s till) {
	t.Helper()
	s.Pay(s.payment.Session, bank.Twice)
	second, again := s.Notice(1), s.Notice(1)
	if string(second.Body) != string(again.Body) || string(second.Body) == string(s.Notice(0).Body) {
		t.Error("tells something else")
	}
	s.Drop(1)
	if s.Notices() != 1 || string(s.Notice(0).Body) == string(second.Body) {
		t.Error("dropped another one")
	}
}
