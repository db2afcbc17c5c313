package bank

import "github.com/seckill-dev/seckill/internal/seckill"

// What follows is for whoever checks invariants, or chooses what to pay: read before the next call, and changed by nobody.

// Sessions are all payments, in the order they were made.
func (b *Bank) Sessions() []*Session { return b.sessions }

// Session is a payment's, nil when there is none.
func (b *Bank) Session(payment seckill.ID) *Session { return b.byPayment[payment] }

// Charges are all money that arrived, in the order it came.
func (b *Bank) Charges() []*Charge { return b.charges }

// Opened is how often a payment was opened.
func (b *Bank) Opened(payment seckill.ID) (times int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.sessions {
		if s.Payment == payment && s.Opened {
			times++
		}
	}
	return times
}
