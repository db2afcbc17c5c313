package bank

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Name implements seckill.Provider.
func (b *Bank) Name() string { return Name }

// Lives implements seckill.Provider.
func (b *Bank) Lives() time.Duration { return b.Settings.Lives }

// answers says why the bank does nothing.
func (b *Bank) answers(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", seckill.ErrUnavailable, err)
	}
	if b.down {
		return fmt.Errorf("%w: the bank is down", seckill.ErrUnavailable)
	}
	return nil
}

// Open implements seckill.Provider.
func (b *Bank) Open(ctx context.Context, payment seckill.Payment, _ string) (session, url string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, err := b.open(ctx, payment)
	if err != nil {
		return "", "", fmt.Errorf("open payment %s: %w", payment.ID, err)
	}
	return s.ID, "https://bank.example/pay/" + s.ID, nil
}

func (b *Bank) open(ctx context.Context, payment seckill.Payment) (*Session, error) {
	if err := b.answers(ctx); err != nil {
		return nil, err
	}
	s := b.byPayment[payment.ID]
	switch {
	case b.refusing:
		return nil, seckill.ErrRefused
	case s == nil || b.Mistakes.OpensAgain:
		return b.add(&Session{
			Payment: payment.ID, Amount: payment.AmountMinor, Currency: payment.Currency, Opened: true,
			ExpiresAt: payment.ExpiresAt.Add(b.Lingers),
		}), nil
	case s.Opened && (s.Amount != payment.AmountMinor || s.Currency != payment.Currency):
		return nil, errors.New("its key is another payment's")
	case !s.open(b.clock.Now()):
		return nil, seckill.ErrOver
	default:
		return s, nil
	}
}

func (b *Bank) add(s *Session) *Session {
	s.ID = b.name("cs")
	b.sessions = append(b.sessions, s)
	b.byPayment[s.Payment] = s
	return s
}

// Close implements seckill.Provider. A payment that is not known is closed for ever.
func (b *Bank) Close(ctx context.Context, payment seckill.Payment) ([]seckill.Charge, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.answers(ctx); err != nil {
		return nil, fmt.Errorf("close payment %s: %w", payment.ID, err)
	}
	s := b.byPayment[payment.ID]
	if s == nil {
		s = b.add(&Session{Payment: payment.ID})
	}
	s.Closed = s.Closed || (!s.Paid && !b.Mistakes.KeepsOpen)
	var charges []seckill.Charge
	for _, c := range s.Charges {
		charge := c.charge()
		charge.Order = payment.Order
		charges = append(charges, charge)
	}
	return charges, nil
}

func (c *Charge) charge() seckill.Charge {
	return seckill.Charge{Provider: Name, Txn: c.Txn, Payment: c.Payment, AmountMinor: c.Amount, Currency: c.Currency}
}

// Refund implements seckill.Provider. While refunds are pending the money goes back and nothing is certain.
func (b *Bank) Refund(ctx context.Context, refund seckill.Refund) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refund(ctx, refund); err != nil {
		return fmt.Errorf("refund %s: %w", refund.Txn, err)
	}
	return nil
}

func (b *Bank) refund(ctx context.Context, refund seckill.Refund) error {
	if err := b.answers(ctx); err != nil {
		return err
	}
	c := b.charge(refund.Txn)
	switch {
	case c == nil:
		return errors.New("there is no such charge")
	case c.Amount != refund.AmountMinor || c.Currency != refund.Currency:
		return errors.New("the charge is not of that amount")
	}
	if c.Refunds == 0 || b.Mistakes.RefundsAgain {
		c.Refunds++
	}
	if b.pending {
		return errors.New("the refund is pending")
	}
	return nil
}

func (b *Bank) charge(txn string) *Charge {
	for _, c := range b.charges {
		if c.Txn == txn {
			return c
		}
	}
	return nil
}
