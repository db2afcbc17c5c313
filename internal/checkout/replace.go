package checkout

import (
	"context"
	"errors"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// replace has another payment take the place of one that is over: some providers keep nothing open for as long as an order
// may be paid. The old one is closed first, so that there is never a second place that takes money; a crash in between leaves
// an order without payment, and the next call begins one. Who paid at the last moment has paid.
func (s *Service) replace(ctx context.Context, over Receipt, provider seckill.Provider, title string) (Receipt, error) {
	if err := s.close(ctx, over, provider); err != nil {
		return Receipt{}, err
	}
	receipt, err := s.attempt(ctx, over.Order, provider, title)
	if errors.Is(err, seckill.ErrOver) {
		return Receipt{}, s.busy(receipt, err) // the next call replaces that one, too
	}
	return receipt, err
}

// close ends a payment at its provider. Money that came in on it is recorded before it counts as closed, or a crash in
// between would forget it.
func (s *Service) close(ctx context.Context, over Receipt, provider seckill.Provider) error {
	payment := over.Payment
	bounded, cancel := context.WithTimeout(ctx, s.options.ProviderTimeout)
	defer cancel()
	charges, err := provider.Close(bounded, payment)
	if err != nil {
		// Whatever it is: while the old one may take money there must not be another.
		s.options.Metrics.failed(provider.Name())
		return s.busy(over, err)
	}
	for _, charge := range charges {
		charge.Provider, charge.Payment = provider.Name(), payment.ID
		if err := s.record(ctx, charge); err != nil {
			return err
		}
	}
	if err := s.options.Payments.Closed(ctx, payment.ID); err != nil {
		return fmt.Errorf("note payment %s as closed: %w", payment.ID, err)
	}
	return nil
}
