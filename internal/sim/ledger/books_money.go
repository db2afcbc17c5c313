package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// MoneyOf implements seckill.Books.
func (b Books) MoneyOf(ctx context.Context, shard int, orders []seckill.ID) (money seckill.Money, err error) {
	err = b.on(ctx, shard, func(db *database) error {
		sorted := slices.Compact(slices.Sorted(slices.Values(orders)))
		for _, order := range sorted {
			money.Payments = append(money.Payments, db.paymentsOf(order)...)
			money.Charges = append(money.Charges, db.chargesOf(order)...)
			money.Refunds = append(money.Refunds, db.refundsOf(order)...)
			money.Untold = append(money.Untold, db.untold(order)...)
		}
		money.Returns = page(db.outbox.all(), unlimited, func(o *seckill.Owed) bool {
			_, asked := slices.BinarySearch(sorted, o.Entry.ID)
			return asked && o.Kind == seckill.OwedReturn
		})
		return nil
	})
	if err != nil {
		return seckill.Money{}, fmt.Errorf("read the money of %d orders on shard %d: %w", len(orders), shard, err)
	}
	return money, nil
}

// untold are the steps of an order that name an event which there is not.
func (db *database) untold(order seckill.ID) (untold []seckill.OrderEvent) {
	row, _ := found(db.orders.byID.get(order))
	for _, step := range row.steps {
		if step.Tells != 0 && db.told.events.get(step.Tells) == nil {
			untold = append(untold, step)
		}
	}
	return untold
}

// PaidAfter implements seckill.Books.
func (b Books) PaidAfter(ctx context.Context, shard int, after seckill.ID, limit int) (orders []seckill.ID, err error) {
	err = b.on(ctx, shard, func(db *database) error {
		for order := range db.till.orders.after(after) {
			if len(orders) == limit {
				break
			}
			orders = append(orders, order)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the orders that shard %d has money of: %w", shard, err)
	}
	return orders, nil
}
