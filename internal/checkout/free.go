package checkout

import (
	"context"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// freeName is what rows say of payments that moved no money.
const freeName = "free"

// Free is the provider of orders that cost nothing: it opens, closes and refunds at once, because there is nothing to move.
// Giving such orders a payment and a charge like all others spares everybody else an exception. Keepers must know it too.
type Free struct{}

var _ seckill.Provider = Free{}

// Name implements seckill.Provider.
func (Free) Name() string { return freeName }

// Lives implements seckill.Provider.
func (Free) Lives() time.Duration { return 0 }

// Open implements seckill.Provider. There is no place where nothing is paid.
func (Free) Open(_ context.Context, payment seckill.Payment, _ string) (session, url string, err error) {
	return payment.ID.String(), "", nil
}

// Close implements seckill.Provider.
func (Free) Close(context.Context, seckill.Payment) ([]seckill.Charge, error) { return nil, nil }

// Refund implements seckill.Provider.
func (Free) Refund(context.Context, seckill.Refund) error { return nil }

// Read implements seckill.Provider: nobody speaks for it.
func (Free) Read(seckill.Notice) ([]seckill.Charge, error) { return nil, seckill.ErrForged }

// give records the payment of what costs nothing.
func (s *Service) give(ctx context.Context, receipt Receipt) (Receipt, error) {
	payment := receipt.Payment
	charge := seckill.Charge{
		Provider: freeName, Txn: payment.ID.String(), Payment: payment.ID, Order: payment.Order, Currency: payment.Currency,
	}
	if err := s.record(ctx, charge); err != nil {
		return Receipt{}, err
	}
	order, err := s.find(ctx, receipt.Order.User, payment.Order)
	if err != nil {
		return Receipt{}, err
	}
	if order.State != seckill.OrderPaid {
		return Receipt{}, unpayable(order) // its deadline has just passed
	}
	if payment, err = s.options.Payments.Payment(ctx, payment.ID); err != nil {
		return Receipt{}, fmt.Errorf("read payment %s: %w", receipt.Payment.ID, err)
	}
	return Receipt{Payment: payment, Order: order, Replayed: receipt.Replayed}, nil
}
