package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Create implements seckill.Catalog.
func (c Catalog) Create(ctx context.Context, sale seckill.Sale, act seckill.Act) error {
	err := c.on(ctx, catalogShard, func(db *database) error {
		if db.sales.get(sale.ID) != nil {
			return nil
		}
		row := saleRow{Sale: sale}
		row.State, row.Version, row.CreatedAt = seckill.SaleDraft, firstVersion, db.now()
		if err := db.checkSale(row, sale.Items); err != nil {
			return err
		}
		db.writeSale(row, sale.Items)
		db.note(act)
		return nil
	})
	if err != nil {
		return fmt.Errorf("create sale %s: %w", sale.ID, err)
	}
	return nil
}

// checkSale is what the tables refuse of a sale with these items.
func (db *database) checkSale(row saleRow, items []seckill.Item) error {
	if !row.EndsAt.After(row.StartsAt) || row.PayWithin < time.Millisecond {
		return fmt.Errorf("a CHECK refuses the sale %s", row.ID)
	}
	for i, item := range items {
		known := db.items.get(item.ID)
		taken := known != nil && known.Sale != row.ID || slices.ContainsFunc(items[:i], func(o seckill.Item) bool { return o.ID == item.ID })
		if taken || item.Allotment < 0 || item.PriceMinor < 0 || item.LimitPerUser <= 0 {
			return fmt.Errorf("a CHECK or a key refuses the item %s", item.ID)
		}
	}
	return nil
}

// writeSale writes a sale that checkSale has let through; its items replace those it had.
func (db *database) writeSale(row saleRow, items []seckill.Item) {
	db.dropItems(row)
	row.StartsAt, row.EndsAt, row.PayWithin = stored(row.StartsAt), stored(row.EndsAt), row.PayWithin.Truncate(time.Millisecond)
	row.items, row.Items = nil, nil
	for _, item := range items {
		item.Sale = row.ID
		db.items.put(item.ID, item)
		row.items = append(row.items, item.ID)
	}
	db.sales.put(row.ID, row)
}

func (db *database) dropItems(row saleRow) {
	for _, id := range row.items {
		db.items.drop(id)
	}
}

// decide changes one sale, if do says so, and writes the act with it. False: somebody else decided.
func (c Catalog) decide(
	ctx context.Context, id seckill.ID, act seckill.Act, do func(db *database, row saleRow) (bool, error),
) (decided bool, err error) {
	err = c.on(ctx, catalogShard, func(db *database) (err error) {
		row := db.sales.get(id)
		if row == nil {
			return nil
		}
		if decided, err = do(db, *row); err == nil && decided {
			db.note(act)
		}
		return err
	})
	return decided && err == nil, err
}

// Update implements seckill.Catalog.
func (c Catalog) Update(ctx context.Context, sale seckill.Sale, act seckill.Act) (bool, error) {
	updated, err := c.decide(ctx, sale.ID, act, func(db *database, row saleRow) (bool, error) {
		if row.Version != sale.Version {
			return false, nil
		}
		row.Name, row.StartsAt, row.EndsAt, row.Version = sale.Name, sale.StartsAt, sale.EndsAt, row.Version+1
		items := sale.Items
		if row.State == seckill.SaleDraft {
			row.PayWithin = sale.PayWithin
		} else {
			items = limited(db.sale(&row).Items, sale.Items)
		}
		if err := db.checkSale(row, items); err != nil {
			return false, err
		}
		db.writeSale(row, items)
		return true, nil
	})
	if err != nil {
		return false, fmt.Errorf("update sale %s: %w", sale.ID, err)
	}
	return updated, nil
}

// limited are items with the limits that others of the same ids have.
func limited(items, others []seckill.Item) []seckill.Item {
	for i := range items {
		for _, other := range others {
			if other.ID == items[i].ID {
				items[i].LimitPerUser = other.LimitPerUser
			}
		}
	}
	return items
}

// Delete implements seckill.Catalog.
func (c Catalog) Delete(ctx context.Context, id seckill.ID, version int64, act seckill.Act) (bool, error) {
	deleted, err := c.decide(ctx, id, act, func(db *database, row saleRow) (bool, error) {
		if row.Version != version || row.State != seckill.SaleDraft {
			return false, nil
		}
		db.dropItems(row)
		db.sales.drop(id)
		return true, nil
	})
	if err != nil {
		return false, fmt.Errorf("delete sale %s: %w", id, err)
	}
	return deleted, nil
}

// Change implements seckill.Catalog.
func (c Catalog) Change(ctx context.Context, change seckill.SaleChange) (bool, error) {
	for _, from := range change.From {
		if !from.CanBecome(change.To) {
			return false, fmt.Errorf("change sale %s: %s cannot become %s", change.Sale, from, change.To)
		}
	}
	return c.move(ctx, change, func(*saleRow, time.Time) bool { return true })
}

// move is one transition, under a further condition.
func (c Catalog) move(
	ctx context.Context, change seckill.SaleChange, when func(row *saleRow, now time.Time) bool,
) (bool, error) {
	moved, err := c.decide(ctx, change.Sale, change.Act, func(db *database, row saleRow) (bool, error) {
		asked := change.Version == 0 || change.Version == row.Version
		if !asked || !slices.Contains(change.From, row.State) || !when(&row, db.now()) {
			return false, nil
		}
		row.State, row.Version = change.To, row.Version+1
		if change.To == seckill.SaleEnded {
			row.endedAt = db.now()
		}
		db.sales.put(row.ID, row)
		db.tellSale(db.sale(&row), change)
		return true, nil
	})
	if err != nil {
		return false, fmt.Errorf("change sale %s to %s: %w", change.Sale, change.To, err)
	}
	return moved, nil
}

// clockActor is who the operators' log names for what the clock decides.
const clockActor = "clock"

// clockRule is a transition that time brings about.
type clockRule struct {
	from   []seckill.SaleState
	to     seckill.SaleState
	when   func(row *saleRow, now time.Time) bool
	action string
}

// clockRules in their order: a sale whose whole window was slept through ends without having been live.
func clockRules() []clockRule {
	return []clockRule{
		{
			from: []seckill.SaleState{seckill.SaleScheduled, seckill.SaleLive, seckill.SalePaused}, to: seckill.SaleEnded,
			when: func(row *saleRow, now time.Time) bool { return !row.EndsAt.After(now) }, action: "sale.end",
		},
		{
			from: []seckill.SaleState{seckill.SaleScheduled}, to: seckill.SaleLive,
			when:   func(row *saleRow, now time.Time) bool { return !row.StartsAt.After(now) && row.EndsAt.After(now) },
			action: "sale.open",
		},
	}
}

// Advance implements seckill.Catalog. Each transition is a transaction of its own.
func (c Catalog) Advance(ctx context.Context) (changed []seckill.ID, err error) {
	for _, rule := range clockRules() {
		due, err := c.due(ctx, rule)
		if err != nil {
			return changed, err
		}
		for _, id := range due {
			moved, err := c.advance(ctx, id, rule)
			if err != nil {
				return changed, err
			}
			if moved {
				changed = append(changed, id)
			}
		}
	}
	slices.Sort(changed)
	return changed, nil
}

func (c Catalog) due(ctx context.Context, rule clockRule) (due []seckill.ID, err error) {
	err = c.on(ctx, catalogShard, func(db *database) error {
		now := db.now()
		for id, row := range db.sales.all() {
			if slices.Contains(rule.from, row.State) && rule.when(row, now) {
				due = append(due, id)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read which sales are due: %w", err)
	}
	return due, nil
}

func (c Catalog) advance(ctx context.Context, id seckill.ID, rule clockRule) (bool, error) {
	if err := c.between("advance sale " + id.String()); err != nil {
		return false, err
	}
	return c.move(ctx, seckill.SaleChange{
		Sale: id, From: rule.from, To: rule.to, Act: seckill.Act{Actor: clockActor, Action: rule.action, Target: id},
	}, rule.when)
}
