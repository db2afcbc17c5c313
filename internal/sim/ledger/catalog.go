package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// saleRow is a sale without its items; endedAt is when it became ended.
type saleRow struct {
	seckill.Sale
	items   []seckill.ID
	endedAt time.Time
}

// Catalog is the book of sales, items and operators' acts. This file reads it, catalog_write.go changes it.
type Catalog struct{ *Ledger }

var _ seckill.Catalog = Catalog{}

// sale is a row with its items.
func (db *database) sale(row *saleRow) seckill.Sale {
	sale := row.Sale
	sale.Items = nil
	for _, id := range row.items {
		sale.Items = append(sale.Items, *db.items.get(id))
	}
	return sale
}

// Sale implements seckill.Catalog.
func (c Catalog) Sale(ctx context.Context, id seckill.ID) (sale seckill.Sale, err error) {
	err = c.on(ctx, catalogShard, func(db *database) error {
		row := db.sales.get(id)
		if row == nil {
			return seckill.ErrNotFound
		}
		sale = db.sale(row)
		return nil
	})
	if err != nil {
		return seckill.Sale{}, fmt.Errorf("read sale %s: %w", id, err)
	}
	return sale, nil
}

// Item implements seckill.Catalog.
func (c Catalog) Item(ctx context.Context, id seckill.ID) (item seckill.Item, err error) {
	err = c.on(ctx, catalogShard, func(db *database) error {
		row := db.items.get(id)
		if row == nil {
			return seckill.ErrNotFound
		}
		item = *row
		return nil
	})
	if err != nil {
		return seckill.Item{}, fmt.Errorf("read item %s: %w", id, err)
	}
	return item, nil
}

// Sales implements seckill.Catalog.
func (c Catalog) Sales(ctx context.Context, query seckill.SaleQuery) ([]seckill.Sale, error) {
	sales, err := c.some(ctx, func(row *saleRow) bool {
		return (len(query.States) == 0 || slices.Contains(query.States, row.State)) && (query.After == 0 || row.ID < query.After)
	})
	if err != nil {
		return nil, fmt.Errorf("read a page of sales: %w", err)
	}
	slices.Reverse(sales)
	return sales[:min(query.Limit, len(sales))], nil
}

// Running implements seckill.Catalog.
func (c Catalog) Running(ctx context.Context, endedAfter time.Time) ([]seckill.Sale, error) {
	sales, err := c.some(ctx, func(row *saleRow) bool {
		switch row.State {
		case seckill.SaleDraft:
			return false
		case seckill.SaleEnded:
			return !row.endedAt.Before(stored(endedAfter))
		default:
			return true
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read the running sales: %w", err)
	}
	return sales, nil
}

// some reads the sales that are wanted, by their ids.
func (c Catalog) some(ctx context.Context, want func(row *saleRow) bool) (sales []seckill.Sale, err error) {
	err = c.on(ctx, catalogShard, func(db *database) error {
		sales = make([]seckill.Sale, 0, db.sales.size())
		for _, row := range db.sales.all() {
			if want(row) {
				sales = append(sales, db.sale(row))
			}
		}
		return nil
	})
	return sales, err
}

// Now implements seckill.Catalog.
func (c Catalog) Now(ctx context.Context) (time.Time, error) { return Marks(c).Now(ctx, catalogShard) }

// Acts implements seckill.Catalog.
func (c Catalog) Acts(ctx context.Context, target seckill.ID, limit int) ([]seckill.Act, error) {
	return c.Journal(ctx, seckill.ActQuery{Targets: []seckill.ID{target}, Limit: limit})
}

// Journal implements seckill.Catalog.
func (c Catalog) Journal(ctx context.Context, query seckill.ActQuery) (acts []seckill.Act, err error) {
	err = c.on(ctx, catalogShard, func(db *database) error {
		for _, id := range slices.Backward(db.acts.keys) {
			act := db.acts.get(id)
			if len(acts) < query.Limit && (query.After == 0 || id < query.After) && (query.Actor == "" || act.Actor == query.Actor) &&
				(len(query.Targets) == 0 || slices.Contains(query.Targets, act.Target)) {
				acts = append(acts, *act)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the operators' log: %w", err)
	}
	return acts, nil
}

// Log implements seckill.Catalog.
func (c Catalog) Log(ctx context.Context, act seckill.Act) error {
	err := c.on(ctx, catalogShard, func(db *database) error {
		db.note(act)
		return nil
	})
	if err != nil {
		return fmt.Errorf("log %s of %s: %w", act.Action, act.Target, err)
	}
	return nil
}

// logBucket is that of all ids in the log: within one bucket they rise, so that they tell the order.
const logBucket = 0

// note writes an act in the transaction that it describes.
func (db *database) note(act seckill.Act) {
	act.ID, act.At = db.nextID(logBucket), db.now()
	db.acts.put(act.ID, act)
}
