package drill

import (
	"context"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// booksPage is how many rows are read at once.
const booksPage = 500

// books are all claims and orders, and the money on them.
type books struct {
	claims  map[seckill.ID]seckill.Claim
	orders  map[seckill.ID]seckill.BookedOrder
	charges map[string]seckill.Charge // by txn
	refunds map[string]seckill.Refund // by the charge's txn
}

func readBooks(ctx context.Context, stored Stored) (*books, error) {
	b := &books{
		claims: make(map[seckill.ID]seckill.Claim), orders: make(map[seckill.ID]seckill.BookedOrder),
		charges: make(map[string]seckill.Charge), refunds: make(map[string]seckill.Refund),
	}
	for shard := range stored.Shards.Count() {
		if err := b.readShard(ctx, stored.Books, shard); err != nil {
			return nil, fmt.Errorf("read the books of shard %d: %w", shard, err)
		}
	}
	return b, nil
}

func (b *books) readShard(ctx context.Context, from seckill.Books, shard int) error {
	items, err := from.StockItems(ctx, shard)
	if err != nil {
		return err
	}
	for _, item := range items {
		if err := b.readClaims(ctx, from, item); err != nil {
			return err
		}
	}
	for cursor := ""; ; {
		page, next, err := from.OrdersAfter(ctx, shard, nil, cursor, booksPage)
		if err != nil {
			return err
		}
		for _, order := range page {
			b.orders[order.ID] = order
		}
		if err := b.readMoney(ctx, from, shard, page); err != nil || next == "" {
			return err
		}
		cursor = next
	}
}

func (b *books) readClaims(ctx context.Context, from seckill.Books, item seckill.ID) error {
	var after seckill.ClaimPlace
	for {
		page, err := from.ClaimsOf(ctx, item, after, booksPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, claim := range page {
			b.claims[claim.ID] = claim
		}
		after = page[len(page)-1].Place()
	}
}

func (b *books) readMoney(ctx context.Context, from seckill.Books, shard int, page []seckill.BookedOrder) error {
	if len(page) == 0 {
		return nil
	}
	ids := make([]seckill.ID, len(page))
	for i, order := range page {
		ids[i] = order.ID
	}
	found, err := from.MoneyOf(ctx, shard, ids)
	if err != nil {
		return err
	}
	for _, taken := range found.Charges {
		b.charges[taken.Txn] = taken
	}
	for _, back := range found.Refunds {
		b.refunds[back.Txn] = back
	}
	return nil
}
