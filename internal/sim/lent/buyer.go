package lent

import (
	"context"
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// SetBuyer implements seckill.Lent: buyer.lua.
func (c *Client) SetBuyer(
	ctx context.Context, id seckill.ID, epoch int64, user seckill.UserID, entry seckill.BuyerEntry,
) (seckill.BuyerOutcome, error) {
	if err := seckill.CheckEntry(user, entry); err != nil {
		return seckill.BuyerNotLive, fmt.Errorf("buyer: %w", err)
	}
	entry.Unsent = false
	return write(ctx, c, "buyer", id, func(i *item, m moment) (seckill.BuyerOutcome, error) {
		if i.meta == nil || ((!i.meta.open || i.meta.epoch < epoch) && !m.mistakes.BuyerAnyEpoch) {
			return seckill.BuyerNotLive, nil
		}
		i.setBuyer(m, user, entry)
		return seckill.BuyerApplied, nil
	})
}

func (i *item) setBuyer(m moment, user seckill.UserID, entry seckill.BuyerEntry) {
	held := slices.Clone(i.buyers[user])
	at := slices.IndexFunc(held, func(e seckill.BuyerEntry) bool { return e.ID == entry.ID })
	switch {
	case at < 0:
		held = append(held, entry)
	case m.mistakes.BuyerForgotten && entry.Quantity == 0:
		held = slices.Delete(held, at, at+1)
	default:
		left := min(held[at].Quantity, entry.Quantity)
		if m.mistakes.BuyerReturns {
			i.meta.avail += held[at].Quantity - left
		}
		held[at].Quantity = left
	}
	i.buyers[user] = held
}

// forgetBuyers is the mistake of that name: a marker that ends before the sale does.
func (i *item) forgetBuyers(batch seckill.ID) {
	for user, held := range i.buyers {
		i.buyers[user] = slices.DeleteFunc(slices.Clone(held), func(e seckill.BuyerEntry) bool { return e.Batch == batch })
	}
}
