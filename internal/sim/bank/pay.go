package bank

import "slices"

// Behaviour is how somebody pays.
type Behaviour string

// The behaviours.
const (
	Rightly       Behaviour = "rightly"
	Twice         Behaviour = "twice"
	WrongAmount   Behaviour = "wrong_amount"
	WrongCurrency Behaviour = "wrong_currency"
	Late          Behaviour = "late" // rightly, and the session may be over
)

// Behaviours lists every behaviour.
func Behaviours() []Behaviour { return []Behaviour{Rightly, Twice, WrongAmount, WrongCurrency, Late} }

// Pay pays a session and tells how often money was taken: never when the session is over, unless it comes late.
func (b *Bank) Pay(session string, behave Behaviour) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := slices.IndexFunc(b.sessions, func(s *Session) bool { return s.ID == session })
	if at < 0 {
		return 0
	}
	s, now := b.sessions[at], b.clock.Now()
	inTime := s.open(now)
	if !s.Opened || (!inTime && behave != Late) {
		return 0
	}
	s.Paid = s.Paid || inTime
	taken := s.takings(behave)
	for _, c := range taken {
		c.Txn, c.Payment, c.At = b.name("ch"), s.Payment, now
	}
	s.Charges = append(s.Charges, taken...)
	b.charges = append(b.charges, taken...)
	b.notices = append(b.notices, taken...)
	return len(taken)
}

// takings are the amounts that are taken.
func (s *Session) takings(behave Behaviour) []*Charge {
	right := &Charge{Amount: s.Amount, Currency: s.Currency}
	switch behave {
	case Twice:
		again := *right
		return []*Charge{right, &again}
	case WrongAmount:
		right.Amount++
	case WrongCurrency:
		right.Currency = "XXX"
	case Rightly, Late:
	}
	return []*Charge{right}
}
