package redis

import (
	"context"
	"errors"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// SetBuyer implements seckill.Lent.
func (l *Lent) SetBuyer(ctx context.Context, item seckill.ID, epoch int64, user seckill.UserID, entry seckill.BuyerEntry) (seckill.BuyerOutcome, error) {
	if err := seckill.CheckEntry(user, entry); err != nil {
		return seckill.BuyerNotLive, fmt.Errorf("buyer: %w", err)
	}
	k := keysOf(item)
	err := l.do(ctx, l.scripts.buyer, []string{k.meta(), k.buyers()},
		epoch, string(user), entry.ID.String(), entry.Quantity, entry.KeyHash, batchText(entry.Batch))
	switch {
	case errors.Is(err, seckill.ErrNotLive):
		return seckill.BuyerNotLive, nil
	case err != nil:
		return seckill.BuyerNotLive, err
	}
	return seckill.BuyerApplied, nil
}
