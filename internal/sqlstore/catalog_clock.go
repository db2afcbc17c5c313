package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// clockActor is who the operators' log names for what the clock decides.
const clockActor = "clock"

// clockRule is a transition that time brings about, judged by the database's clock inside the statement that makes it.
type clockRule struct {
	from   []seckill.SaleState
	to     seckill.SaleState
	when   string
	action string
}

// clockRules in their order: a sale whose whole window was slept through ends without having been live.
func clockRules(now string) []clockRule {
	return []clockRule{
		{
			from: []seckill.SaleState{seckill.SaleScheduled, seckill.SaleLive, seckill.SalePaused},
			to:   seckill.SaleEnded, when: "ends_at <= " + now, action: "sale.end",
		},
		{
			from: []seckill.SaleState{seckill.SaleScheduled},
			to:   seckill.SaleLive, when: "starts_at <= " + now + " AND ends_at > " + now, action: "sale.open",
		},
	}
}

// Advance implements seckill.Catalog.
func (c Catalog) Advance(ctx context.Context) ([]seckill.ID, error) {
	var changed []seckill.ID
	for _, rule := range clockRules(c.dialect.now()) {
		ids, err := c.apply(ctx, rule)
		changed = append(changed, ids...)
		if err != nil {
			return changed, err
		}
	}
	slices.Sort(changed)
	return changed, nil
}

// apply finds who is due without locking anything, which is nobody almost always, and then decides one by one.
func (c Catalog) apply(ctx context.Context, rule clockRule) ([]seckill.ID, error) {
	var due []seckill.ID
	err := c.read(ctx, catalogShard, func(db *gorm.DB) error {
		return db.Model(&saleRow{}).Where("state IN ? AND "+rule.when, rule.from).Order("id").Pluck("id", &due).Error
	})
	if err != nil {
		return nil, fmt.Errorf("read which sales are due: %w", err)
	}
	var changed []seckill.ID
	for _, id := range due {
		moved, err := c.move(ctx, seckill.SaleChange{
			Sale: id, From: rule.from, To: rule.to,
			Act: seckill.Act{Actor: clockActor, Action: rule.action, Target: id},
		}, rule.when)
		if err != nil {
			return changed, err
		}
		if moved {
			changed = append(changed, id)
		}
	}
	return changed, nil
}
