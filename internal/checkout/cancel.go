package checkout

import (
	"context"
	"errors"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Cancel ends one of the user's unpaid orders; its units go back. version is what the order's must be, 0 does not ask. An
// order that is cancelled already is no refusal, whatever the version: who lost the answer and repeats gets it again.
func (s *Service) Cancel(ctx context.Context, user seckill.UserID, id seckill.ID, version int64) (seckill.Order, error) {
	if err := s.admit(user); err != nil {
		return seckill.Order{}, err
	}
	if !mayOwn(user, id) {
		return seckill.Order{}, noOrder()
	}
	order, done, err := s.options.Payments.Cancel(ctx, seckill.Cancellation{
		Order: id, User: user, Version: version, Cause: seckill.CauseUser,
	})
	switch {
	case errors.Is(err, seckill.ErrNotFound):
		return seckill.Order{}, noOrder()
	case err != nil:
		return seckill.Order{}, fmt.Errorf("cancel order %s: %w", id, err)
	case done, order.State == seckill.OrderCancelled:
		return order, nil
	case order.State != seckill.OrderUnpaid:
		return seckill.Order{}, order.Cannot("be cancelled")
	}
	if err := order.At(version); err != nil {
		return seckill.Order{}, err
	}
	return seckill.Order{}, order.Conflict("this order was being changed; try again")
}
