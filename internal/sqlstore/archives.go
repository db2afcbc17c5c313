package sqlstore

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Archives puts finished sales away: a summary on the catalog's shard, and nothing elsewhere that only a sale needs.
type Archives struct{ *Store }

var _ seckill.Archives = Archives{}

// summaryRow is a row of sale_summaries.
type summaryRow struct {
	Sale seckill.ID `gorm:"column:sale;primaryKey"`
	Body string     `gorm:"column:body"`
	At   int64      `gorm:"column:at"`
}

func (summaryRow) TableName() string { return "sale_summaries" }

func (r summaryRow) summary() seckill.Summary {
	return seckill.Summary{Sale: r.Sale, Body: []byte(r.Body), At: fromMilli(r.At)}
}

// EventsOf implements seckill.Archives.
func (a Archives) EventsOf(ctx context.Context, shard int, orders []seckill.ID) ([]seckill.OrderEvent, error) {
	var events []seckill.OrderEvent
	for chunk := range slices.Chunk(slices.Sorted(slices.Values(orders)), rowsMax) {
		var rows []orderEventRow
		err := a.read(ctx, shard, func(db *gorm.DB) error {
			return db.Where("order_id IN ?", chunk).Order("order_id, version").Find(&rows).Error
		})
		if err != nil {
			return nil, fmt.Errorf("read the events of %d orders of shard %d: %w", len(chunk), shard, err)
		}
		events = append(events, each(rows, orderEventRow.event)...)
	}
	return events, nil
}

// UntoldAfter implements seckill.Archives. Whoever has told everybody deletes the event.
func (a Archives) UntoldAfter(ctx context.Context, shard int, after seckill.ID, limit int) ([]seckill.Event, error) {
	var rows []struct {
		ID      seckill.ID
		Type    seckill.EventType
		Subject seckill.ID
		Version int64
		At      int64
	}
	err := a.read(ctx, shard, func(db *gorm.DB) error {
		return db.Raw("SELECT id, type, subject, version, at FROM events WHERE id > ? ORDER BY id LIMIT ?", after, limit).
			Scan(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("read the events of shard %d: %w", shard, err)
	}
	events := make([]seckill.Event, len(rows))
	for i, row := range rows {
		events[i] = seckill.Event{ID: row.ID, Type: row.Type, Subject: row.Subject, Version: row.Version, At: fromMilli(row.At)}
	}
	return events, nil
}

// Keep implements seckill.Archives. The insert locks the row that it meets: what is read then stays so.
func (a Archives) Keep(ctx context.Context, sale seckill.ID, seen, body []byte, act seckill.Act) (seckill.Summary, bool, error) {
	var kept seckill.Summary
	var wrote bool
	err := a.inTx(ctx, catalogShard, func(tx *gorm.DB) (err error) {
		if wrote, err = a.putSummary(tx, sale, seen, body); err != nil {
			return err
		}
		if wrote {
			if err := Catalog(a).note(tx, act); err != nil {
				return err
			}
		}
		kept, err = readSummary(tx, sale)
		return err
	})
	if err != nil {
		return seckill.Summary{}, false, fmt.Errorf("keep the summary of sale %s: %w", sale, repeatable(err))
	}
	return kept, wrote, nil
}

func (a Archives) putSummary(tx *gorm.DB, sale seckill.ID, seen, body []byte) (bool, error) {
	first := tx.Exec("INSERT INTO sale_summaries (sale, body, at) VALUES (?, ?, "+a.dialect.now()+")"+
		a.dialect.skipKnown("sale"), sale, string(body))
	if first.Error != nil || first.RowsAffected == 1 {
		return first.Error == nil, first.Error
	}
	there, err := readSummary(tx, sale)
	if err != nil || !bytes.Equal(there.Body, seen) || bytes.Equal(there.Body, body) {
		return false, err
	}
	return true, tx.Exec("UPDATE sale_summaries SET body = ? WHERE sale = ?", string(body), sale).Error
}

// Summary implements seckill.Archives.
func (a Archives) Summary(ctx context.Context, sale seckill.ID) (summary seckill.Summary, err error) {
	err = a.read(ctx, catalogShard, func(db *gorm.DB) (err error) {
		summary, err = readSummary(db, sale)
		return err
	})
	if err != nil {
		return seckill.Summary{}, fmt.Errorf("read the summary of sale %s: %w", sale, err)
	}
	return summary, nil
}

func readSummary(db *gorm.DB, sale seckill.ID) (seckill.Summary, error) {
	var row summaryRow
	if err := db.Where("sale = ?", sale).Take(&row).Error; err != nil {
		return seckill.Summary{}, dbError(err)
	}
	return row.summary(), nil
}

// Forget implements seckill.Archives.
func (a Archives) Forget(ctx context.Context, item seckill.ID) error {
	if _, err := a.exec(ctx, a.router.home(item), "DELETE FROM marks WHERE item = ?", item); err != nil {
		return fmt.Errorf("forget the marks of item %s: %w", item, repeatable(err))
	}
	return nil
}
