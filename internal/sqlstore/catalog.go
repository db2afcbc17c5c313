package sqlstore

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Catalog is the book of sales, items and operators' acts. This file reads it, catalog_write.go changes it.
type Catalog struct{ *Store }

var _ seckill.Catalog = Catalog{}

// catalogShard is where everything lives that is not spread by bucket.
const catalogShard = 0

// Sale implements seckill.Catalog.
func (c Catalog) Sale(ctx context.Context, id seckill.ID) (seckill.Sale, error) {
	sales, err := c.sales(ctx, func(tx *gorm.DB) *gorm.DB { return tx.Where("id = ?", id) })
	if err == nil && len(sales) == 0 {
		err = seckill.ErrNotFound
	}
	if err != nil {
		return seckill.Sale{}, fmt.Errorf("read sale %s: %w", id, err)
	}
	return sales[0], nil
}

// Item implements seckill.Catalog.
func (c Catalog) Item(ctx context.Context, id seckill.ID) (seckill.Item, error) {
	var row itemRow
	err := c.read(ctx, catalogShard, func(db *gorm.DB) error { return db.Where("id = ?", id).Take(&row).Error })
	if err != nil {
		return seckill.Item{}, fmt.Errorf("read item %s: %w", id, err)
	}
	return row.item(), nil
}

// Sales implements seckill.Catalog.
func (c Catalog) Sales(ctx context.Context, query seckill.SaleQuery) ([]seckill.Sale, error) {
	sales, err := c.sales(ctx, func(tx *gorm.DB) *gorm.DB {
		if len(query.States) > 0 {
			tx = tx.Where("state IN ?", query.States)
		}
		if query.After != 0 {
			tx = tx.Where("id < ?", query.After)
		}
		return tx.Order("id DESC").Limit(query.Limit)
	})
	if err != nil {
		return nil, fmt.Errorf("read a page of sales: %w", err)
	}
	return sales, nil
}

// Running implements seckill.Catalog.
func (c Catalog) Running(ctx context.Context, endedAfter time.Time) ([]seckill.Sale, error) {
	open := []seckill.SaleState{seckill.SaleScheduled, seckill.SaleLive, seckill.SalePaused}
	sales, err := c.sales(ctx, func(tx *gorm.DB) *gorm.DB {
		return tx.Where("state IN ? OR (state = ? AND ended_at >= ?)", open, seckill.SaleEnded, toMilli(endedAfter)).Order("id")
	})
	if err != nil {
		return nil, fmt.Errorf("read the running sales: %w", err)
	}
	return sales, nil
}

// sales returns the sales that the query selects, each with the items of the same moment.
func (c Catalog) sales(ctx context.Context, query func(tx *gorm.DB) *gorm.DB) ([]seckill.Sale, error) {
	var sales []seckill.Sale
	err := c.snapshot(ctx, catalogShard, func(tx *gorm.DB) error {
		var rows []saleRow
		err := query(tx).Find(&rows).Error
		if err == nil {
			sales, err = withItems(tx, rows)
		}
		return err
	})
	return sales, err
}

// Now implements seckill.Catalog.
func (c Catalog) Now(ctx context.Context) (time.Time, error) { return c.now(ctx, catalogShard) }
