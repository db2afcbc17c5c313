package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// MoneyOf implements seckill.Books.
func (b Books) MoneyOf(ctx context.Context, shard int, orders []seckill.ID) (money seckill.Money, err error) {
	err = b.snapshot(ctx, shard, func(tx *gorm.DB) error {
		for chunk := range slices.Chunk(slices.Sorted(slices.Values(orders)), rowsMax) {
			if err := readMoney(tx, chunk, &money); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return seckill.Money{}, fmt.Errorf("read the money of %d orders on shard %d: %w", len(orders), shard, err)
	}
	return money, nil
}

func readMoney(tx *gorm.DB, orders []seckill.ID, money *seckill.Money) error {
	var payments []paymentRow
	if err := tx.Where("order_id IN ?", orders).Order("created_at, id").Find(&payments).Error; err != nil {
		return err
	}
	money.Payments = append(money.Payments, each(payments, paymentRow.payment)...)
	var charges []chargeRow
	if err := tx.Where("order_id IN ?", orders).Order("at, provider, txn").Find(&charges).Error; err != nil {
		return err
	}
	money.Charges = append(money.Charges, each(charges, chargeRow.charge)...)
	var refunds []refundRow
	if err := tx.Where("order_id IN ?", orders).Order("at, provider, txn").Find(&refunds).Error; err != nil {
		return err
	}
	money.Refunds = append(money.Refunds, each(refunds, refundRow.refund)...)
	var returns []outboxRow
	if err := tx.Where("kind = ? AND claim IN ?", seckill.OwedReturn, orders).Order("id").Find(&returns).Error; err != nil {
		return err
	}
	money.Returns = append(money.Returns, each(returns, outboxRow.owed)...)
	return readUntold(tx, orders, money)
}

func readUntold(tx *gorm.DB, orders []seckill.ID, money *seckill.Money) error {
	var untold []orderEventRow
	err := tx.Where("order_id IN ? AND tells <> 0 AND NOT EXISTS (SELECT 1 FROM events WHERE events.id = order_events.tells)", orders).
		Order("order_id, version").Find(&untold).Error
	money.Untold = append(money.Untold, each(untold, orderEventRow.event)...)
	return err
}

// PaidAfter implements seckill.Books. Each part reads one page of an index.
func (b Books) PaidAfter(ctx context.Context, shard int, after seckill.ID, limit int) ([]seckill.ID, error) {
	var query string
	var args []any
	for _, table := range []string{"payments", "charges", "refunds"} {
		if query != "" {
			query += " UNION "
		}
		query += "SELECT order_id FROM (SELECT DISTINCT order_id FROM " + table +
			" WHERE order_id > ? ORDER BY order_id LIMIT ?) AS paid_" + table
		args = append(args, after, limit)
	}
	var orders []seckill.ID
	err := b.read(ctx, shard, func(db *gorm.DB) error {
		return db.Raw(query+" ORDER BY order_id LIMIT ?", append(args, limit)...).Scan(&orders).Error
	})
	if err != nil {
		return nil, fmt.Errorf("list the orders that shard %d has money of: %w", shard, err)
	}
	return orders, nil
}
