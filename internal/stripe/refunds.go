package stripe

import (
	"context"
	"errors"
	"fmt"

	sdk "github.com/stripe/stripe-go/v85"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Refund implements seckill.Provider.
func (p *Provider) Refund(ctx context.Context, refund seckill.Refund) (err error) {
	defer p.tame(&err)
	if refund.AmountMinor == 0 {
		return nil // nothing was taken
	}
	if err := p.refund(ctx, refund); err != nil {
		return fmt.Errorf("refund %s: %w", refund.Txn, err)
	}
	return nil
}

func (p *Provider) refund(ctx context.Context, refund seckill.Refund) error {
	params := &sdk.RefundCreateParams{
		PaymentIntent: sdk.String(refund.Txn), Metadata: map[string]string{orderKey: refund.Order.String()},
	}
	params.SetIdempotencyKey(fmt.Sprintf("refund-%s-%d", refund.Txn, refund.Tries))
	made, err := p.api.V1Refunds.Create(ctx, params)
	var refused *sdk.Error
	switch {
	case errors.As(err, &refused) && refused.Code == sdk.ErrorCodeChargeAlreadyRefunded:
	case err != nil:
		return failure(err)
	case made.Status == sdk.RefundStatusSucceeded:
		return nil
	}
	// A repeated request is answered what the first one was: only the list knows how things stand.
	return p.refunded(ctx, refund)
}

// refunded is nil when all of the charge has gone back.
func (p *Provider) refunded(ctx context.Context, refund seckill.Refund) error {
	params := &sdk.RefundListParams{PaymentIntent: sdk.String(refund.Txn)}
	params.Limit = sdk.Int64(pageMax)
	var back int64
	var states []sdk.RefundStatus
	for made, err := range p.api.V1Refunds.List(ctx, params).All(ctx) {
		if err != nil {
			return failure(err)
		}
		states = append(states, made.Status)
		if made.Status == sdk.RefundStatusSucceeded {
			back += made.Amount
		}
	}
	if back = ours(back, refund.Currency); back < refund.AmountMinor {
		return fmt.Errorf("%d of %d have gone back; the refunds are %v", back, refund.AmountMinor, states)
	}
	return nil
}
