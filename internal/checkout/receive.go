package checkout

import (
	"context"
	"errors"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Receive takes what a payment provider posted. No error: all that it tells of is recorded, or is none of ours. Any error
// but a refusal of the notice itself means that it is to be sent again.
func (s *Service) Receive(ctx context.Context, name string, notice seckill.Notice) error {
	provider, known := s.providers[name]
	if !known {
		return seckill.Refuse(seckill.NotFound, "there is no such payment provider")
	}
	charges, err := s.read(provider, notice)
	if err != nil || len(charges) == 0 {
		return err
	}
	if err := s.take(s.noticing, BoundNotices); err != nil {
		return err
	}
	defer func() { <-s.noticing }()
	var failures []error
	for _, charge := range charges {
		charge.Provider = name // whatever it says: only its own money can be told of
		if err := s.record(ctx, charge); err != nil && !errors.Is(err, seckill.ErrNotFound) {
			failures = append(failures, err) // the others arrived all the same
		}
	}
	return errors.Join(failures...)
}

// read checks a notice. Why it was not believed is for whoever sets the shop up, and never holds what was sent.
func (s *Service) read(provider seckill.Provider, notice seckill.Notice) ([]seckill.Charge, error) {
	charges, err := provider.Read(notice)
	switch {
	case err == nil:
		return charges, nil
	case errors.Is(err, seckill.ErrForged):
		return nil, seckill.Refuse(seckill.Unauthenticated, "the signature is missing, too old, or not the provider's")
	case errors.Is(err, seckill.ErrUnreadable):
		return nil, seckill.InvalidField("body", "the notice cannot be read")
	default:
		return nil, fmt.Errorf("read a notice of %s: %w", provider.Name(), err)
	}
}

// record writes one charge; a keeper gives back what must not stand. ErrNotFound has been complained of here: money came for
// a payment that this system never made, and sending the notice again cannot help.
func (s *Service) record(ctx context.Context, charge seckill.Charge) error {
	recorded, first, err := s.options.Payments.Record(ctx, charge)
	if errors.Is(err, seckill.ErrNotFound) {
		s.options.Metrics.unknown(charge.Provider)
		s.options.Log.Error("money came for a payment that does not exist", "provider", charge.Provider, "txn", charge.Txn,
			"payment", charge.Payment, "amount_minor", charge.AmountMinor, "currency", charge.Currency)
	}
	if err != nil {
		return fmt.Errorf("record charge %s of %s: %w", charge.Txn, charge.Provider, err)
	}
	if first {
		s.options.Metrics.recorded(recorded.Provider, recorded.Refund)
		s.options.Log.Info("charge recorded", "provider", recorded.Provider, "txn", recorded.Txn, "payment", recorded.Payment,
			"order", recorded.Order, "amount_minor", recorded.AmountMinor, "currency", recorded.Currency, "refund", recorded.Refund)
	}
	return nil
}
