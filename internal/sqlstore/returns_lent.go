package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// LentAgain implements seckill.Returns. Numbers do not restart with an epoch, so the issue before the first one of an epoch
// belongs to an earlier one; the moves between them are found by item and epoch.
func (s Stocks) LentAgain(ctx context.Context, item seckill.ID, epoch, issue int64, limit int) ([]seckill.ID, error) {
	issues, err := s.moves(ctx, item, selectMove+" WHERE item = ? AND epoch IN (?, ?) AND issue IN (?, ?) AND kind = ? ORDER BY issue",
		item, epoch-1, epoch, issue-1, issue, seckill.MoveIssue)
	if err != nil || len(issues) < 2 {
		return nil, err
	}
	before, this := issues[0], issues[1]
	moves, err := s.moves(ctx, item, selectMove+" WHERE item = ? AND epoch IN (?, ?) AND issue = 0 AND kind = ? AND at > ? AND at <= ?"+
		" ORDER BY at, id LIMIT ?",
		item, before.Epoch, this.Epoch, seckill.MoveReturn, toMilli(before.At), toMilli(this.At), limit)
	claims := make([]seckill.ID, len(moves))
	for i, move := range moves {
		if claims[i], err = seckill.ParseID(strings.TrimPrefix(move.ID, string(seckill.MoveReturn)+":")); err != nil {
			return nil, fmt.Errorf("read return %s of item %s: %w", move.ID, item, err)
		}
	}
	return claims, err
}

// SinceEnd implements seckill.Payments.
func (p Payments) SinceEnd(ctx context.Context, orders []seckill.ID) ([]time.Duration, error) {
	shards := make(map[int][]seckill.ID)
	for _, order := range orders {
		shard := p.router.Shard(order.Bucket())
		shards[shard] = append(shards[shard], order)
	}
	var all []time.Duration
	for shard, orders := range shards {
		for chunk := range slices.Chunk(orders, rowsMax) {
			var ages []int64
			err := p.read(ctx, shard, func(db *gorm.DB) error {
				return db.Raw("SELECT "+p.dialect.now()+" - at FROM order_events WHERE order_id IN ? AND state IN ?",
					chunk, []seckill.OrderState{seckill.OrderCancelled, seckill.OrderRefunded}).Scan(&ages).Error
			})
			if err != nil {
				return nil, fmt.Errorf("read when %d orders of shard %d ended: %w", len(chunk), shard, err)
			}
			for _, age := range ages {
				all = append(all, time.Duration(max(age, 0))*time.Millisecond)
			}
		}
	}
	return all, nil
}
