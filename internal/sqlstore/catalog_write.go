package sqlstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Create implements seckill.Catalog.
func (c Catalog) Create(ctx context.Context, sale seckill.Sale, act seckill.Act) error {
	err := c.inTx(ctx, catalogShard, func(tx *gorm.DB) error {
		created := tx.Exec("INSERT INTO sales (id, name, state, starts_at, ends_at, ended_at, pay_within, version, created_at)"+
			" VALUES (?, ?, ?, ?, ?, 0, ?, ?, "+c.dialect.now()+")"+c.dialect.skipKnown("id"),
			sale.ID, sale.Name, seckill.SaleDraft, toMilli(sale.StartsAt), toMilli(sale.EndsAt),
			sale.PayWithin.Milliseconds(), firstVersion)
		if created.Error != nil || created.RowsAffected == 0 {
			return created.Error
		}
		if err := insertItems(tx, sale); err != nil {
			return err
		}
		return c.note(tx, act)
	})
	if err != nil {
		return fmt.Errorf("create sale %s: %w", sale.ID, err)
	}
	return nil
}

func insertItems(tx *gorm.DB, sale seckill.Sale) error {
	rows := make([][]any, len(sale.Items))
	for i, item := range sale.Items {
		rows[i] = []any{
			item.ID, sale.ID, i, item.SKU, item.Title, item.PriceMinor, item.Currency, item.Allotment, item.LimitPerUser,
			flag(item.OneTry),
		}
	}
	err := insert{
		into: "items (id, sale, position, sku, title, price_minor, currency, allotment, limit_per_user, one_try)",
		row:  "(?,?,?,?,?,?,?,?,?,?)",
	}.run(tx, rows)
	return err
}

// decide runs one conditional statement on a sale and, only if it changed the row, whatever follows from it and the act.
// False: somebody else decided.
func (c Catalog) decide(
	ctx context.Context, act seckill.Act, statement func(tx *gorm.DB) *gorm.DB, follow func(tx *gorm.DB) error,
) (bool, error) {
	var changed bool
	err := c.inTx(ctx, catalogShard, func(tx *gorm.DB) error {
		decided := statement(tx)
		changed = decided.RowsAffected == 1
		if decided.Error != nil || !changed {
			return decided.Error
		}
		if err := follow(tx); err != nil {
			return err
		}
		return c.note(tx, act)
	})
	return changed && err == nil, err
}

// Update implements seckill.Catalog.
func (c Catalog) Update(ctx context.Context, sale seckill.Sale, act seckill.Act) (bool, error) {
	changed, err := c.decide(ctx, act, func(tx *gorm.DB) *gorm.DB {
		return tx.Exec("UPDATE sales SET name = ?, starts_at = ?, ends_at = ?,"+
			" pay_within = CASE WHEN state = ? THEN ? ELSE pay_within END, version = version + 1 WHERE id = ? AND version = ?",
			sale.Name, toMilli(sale.StartsAt), toMilli(sale.EndsAt),
			seckill.SaleDraft, sale.PayWithin.Milliseconds(), sale.ID, sale.Version)
	}, func(tx *gorm.DB) error { return updateItems(tx, sale) })
	if err != nil {
		return false, fmt.Errorf("update sale %s: %w", sale.ID, err)
	}
	return changed, nil
}

// updateItems replaces a draft's items; later only their limits change. The sale's row is locked already.
func updateItems(tx *gorm.DB, sale seckill.Sale) error {
	var row saleRow
	if err := tx.Select("state").Where("id = ?", sale.ID).Take(&row).Error; err != nil {
		return err
	}
	if row.State == seckill.SaleDraft {
		if err := deleteItems(tx, sale.ID); err != nil {
			return err
		}
		return insertItems(tx, sale)
	}
	for _, item := range sale.Items {
		err := tx.Exec("UPDATE items SET limit_per_user = ? WHERE id = ? AND sale = ?", item.LimitPerUser, item.ID, sale.ID).Error
		if err != nil {
			return err
		}
	}
	return nil
}

func deleteItems(tx *gorm.DB, sale seckill.ID) error {
	return tx.Exec("DELETE FROM items WHERE sale = ?", sale).Error
}

// Delete implements seckill.Catalog.
func (c Catalog) Delete(ctx context.Context, id seckill.ID, version int64, act seckill.Act) (bool, error) {
	deleted, err := c.decide(ctx, act, func(tx *gorm.DB) *gorm.DB {
		return tx.Exec("DELETE FROM sales WHERE id = ? AND version = ? AND state = ?", id, version, seckill.SaleDraft)
	}, func(tx *gorm.DB) error { return deleteItems(tx, id) })
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
	return c.move(ctx, change, "1 = 1")
}

// move is one transition, under the further condition when. Its moment is kept for ended sales, whose window says
// nothing about when an operator ended them.
func (c Catalog) move(ctx context.Context, change seckill.SaleChange, when string) (bool, error) {
	moved, err := c.decide(ctx, change.Act, func(tx *gorm.DB) *gorm.DB {
		return tx.Exec("UPDATE sales SET state = ?, version = version + 1,"+
			" ended_at = CASE WHEN ? = ? THEN "+c.dialect.now()+" ELSE ended_at END"+
			" WHERE id = ? AND state IN ? AND (? = 0 OR version = ?) AND "+when,
			change.To, change.To, seckill.SaleEnded, change.Sale, change.From, change.Version, change.Version)
	}, func(tx *gorm.DB) error { return c.tellSale(tx, change) })
	if err != nil {
		return false, fmt.Errorf("change sale %s to %s: %w", change.Sale, change.To, err)
	}
	return moved, nil
}
