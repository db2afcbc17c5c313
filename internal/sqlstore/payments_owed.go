package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// OpenPayments implements seckill.Payments.
func (p Payments) OpenPayments(ctx context.Context, shard int, orders []seckill.ID) ([]seckill.Payment, error) {
	var rows []paymentRow
	for chunk := range slices.Chunk(slices.Sorted(slices.Values(orders)), rowsMax) {
		var page []paymentRow
		err := p.read(ctx, shard, func(db *gorm.DB) error {
			return db.Where("order_id IN ? AND state = ?", chunk, seckill.PaymentOpen).Order("id").Find(&page).Error
		})
		if err != nil {
			return nil, fmt.Errorf("read open payments of shard %d: %w", shard, err)
		}
		rows = append(rows, page...)
	}
	return each(rows, paymentRow.payment), nil
}

// RefundsOwed implements seckill.Payments.
func (p Payments) RefundsOwed(ctx context.Context, shard int) (int64, time.Duration, error) {
	var row struct {
		Owed   int64
		Oldest int64
	}
	err := p.read(ctx, shard, func(db *gorm.DB) error {
		return db.Model(&refundRow{}).Select("COUNT(*) AS owed, COALESCE("+p.dialect.now()+" - MIN(at), 0) AS oldest").
			Where("state = ?", seckill.RefundOwed).Scan(&row).Error
	})
	if err != nil {
		return 0, 0, fmt.Errorf("count the refunds that shard %d owes: %w", shard, err)
	}
	return row.Owed, time.Duration(max(row.Oldest, 0)) * time.Millisecond, nil
}
