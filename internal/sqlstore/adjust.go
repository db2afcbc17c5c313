package sqlstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

var _ seckill.Adjustments = Stocks{}

// Adjust implements seckill.Adjustments. The op's moves are what it is known by, and what it answered the first time.
func (s Stocks) Adjust(ctx context.Context, adjustment seckill.Adjustment) (seckill.Adjusted, error) {
	if err := adjustment.Validate(); err != nil {
		return seckill.Adjusted{}, err
	}
	var adjusted seckill.Adjusted
	stock, _, err := s.changeIn(ctx, adjustment.Item, func(tx *gorm.DB, stock *seckill.Stock) (moves []seckill.Move, err error) {
		if adjusted, err = readAdjusted(tx, adjustment); err != nil {
			return nil, err
		}
		if !adjusted.Repeated {
			adjusted, moves = adjustStock(stock, adjustment)
		}
		if adjusted.Repeated || adjusted.Refused {
			return nil, errUnchanged
		}
		return moves, nil
	})
	if err != nil {
		return seckill.Adjusted{}, repeatable(err)
	}
	adjusted.Stock = stock
	return adjusted, nil
}

// readAdjusted finds the answer of the first time; without one Repeated is false.
func readAdjusted(tx *gorm.DB, a seckill.Adjustment) (seckill.Adjusted, error) {
	var rows []moveRow
	names := []string{moveID(seckill.MoveAdjust, a.Item, a.Op), moveID(seckill.MoveOwe, a.Item, a.Op)}
	if err := tx.Raw(selectMove+" WHERE id IN ?", names).Scan(&rows).Error; err != nil {
		return seckill.Adjusted{}, fmt.Errorf("look for op %s: %w", a.Op, dbError(err))
	}
	var first seckill.Adjusted
	for _, row := range rows {
		first.Repeated = true
		if row.Kind == seckill.MoveAdjust {
			first.Taken = row.Units
		} else {
			first.Owed = row.Units
		}
	}
	if delta := first.Taken - first.Owed; first.Repeated && delta != a.Delta {
		return seckill.Adjusted{}, &seckill.Refusal{
			Reason: seckill.IdempotencyMismatch, Field: "op_id", Detail: fmt.Sprintf("it was used for a delta of %d", delta),
		}
	}
	return first, nil
}
