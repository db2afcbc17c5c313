package sqlstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Acts implements seckill.Catalog.
func (c Catalog) Acts(ctx context.Context, target seckill.ID, limit int) ([]seckill.Act, error) {
	var rows []actRow
	err := c.lagging(ctx, catalogShard, func(db *gorm.DB) error {
		return db.Where("target = ?", target).Order("id DESC").Limit(limit).Find(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("read the acts on %s: %w", target, err)
	}
	return actsOf(rows), nil
}

// Journal implements seckill.Catalog. It reads the primary: an operator looks for what he has just done.
func (c Catalog) Journal(ctx context.Context, query seckill.ActQuery) ([]seckill.Act, error) {
	var rows []actRow
	err := c.read(ctx, catalogShard, func(db *gorm.DB) error {
		if len(query.Targets) > 0 {
			db = db.Where("target IN ?", query.Targets)
		}
		if query.Actor != "" {
			db = db.Where("actor = ?", query.Actor)
		}
		if query.After != 0 {
			db = db.Where("id < ?", query.After)
		}
		return db.Order("id DESC").Limit(query.Limit).Find(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("read the operators' log: %w", err)
	}
	return actsOf(rows), nil
}

func actsOf(rows []actRow) []seckill.Act {
	acts := make([]seckill.Act, len(rows))
	for i, row := range rows {
		acts[i] = row.act()
	}
	return acts
}

// Log implements seckill.Catalog.
func (c Catalog) Log(ctx context.Context, act seckill.Act) error {
	if err := c.inTx(ctx, catalogShard, func(tx *gorm.DB) error { return c.note(tx, act) }); err != nil {
		return fmt.Errorf("log %s of %s: %w", act.Action, act.Target, err)
	}
	return nil
}

// logBucket is that of all ids in the log: within one bucket they rise, so that they tell the order.
const logBucket = 0

// note writes an act in the transaction that it describes.
func (c Catalog) note(tx *gorm.DB, act seckill.Act) error {
	id, err := c.ids.Next(logBucket)
	if err != nil {
		return err
	}
	return tx.Exec("INSERT INTO audit_log (id, actor, action, target, before_json, after_json, at)"+
		" VALUES (?, ?, ?, ?, ?, ?, "+c.dialect.now()+")", id, act.Actor, act.Action, act.Target, act.Before, act.After).Error
}
