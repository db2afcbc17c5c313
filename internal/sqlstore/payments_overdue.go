package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// overdueMax is how many orders one transaction closes, whose rows are locked until then: who wants to pay or cancel one
// of them waits, and so does every writer of SQLite.
const overdueMax = 100

// CancelOverdue implements seckill.Payments. It looks before it locks: most of the time nothing is due.
func (p Payments) CancelOverdue(ctx context.Context, shard, limit int) (int, error) {
	due, err := p.overdue(ctx, shard, limit)
	if err != nil {
		return 0, fmt.Errorf("look for overdue orders of shard %d: %w", shard, err)
	}
	var cancelled int
	for chunk := range slices.Chunk(due, overdueMax) {
		count, failure := p.cancelOverdue(ctx, shard, chunk)
		if failure != nil {
			// The others go on: it may be one row that a stopped process has locked.
			err = errors.Join(err, repeatable(failure))
			continue
		}
		cancelled += count
	}
	if err != nil {
		return cancelled, fmt.Errorf("cancel overdue orders of shard %d: %w", shard, err)
	}
	return cancelled, nil
}

// overdue reads the ids of unpaid orders whose deadline has passed, the oldest deadlines first. Each table has an index
// that begins with them.
func (p Payments) overdue(ctx context.Context, shard, limit int) ([]seckill.ID, error) {
	var parts []string
	var args []any
	for number := range orderTables {
		table := orderTable(number)
		parts = append(parts, "SELECT id, pay_by FROM (SELECT id, pay_by FROM "+table+
			" WHERE state = ? AND pay_by <= "+p.dialect.now()+" ORDER BY pay_by LIMIT ?) AS due_"+table)
		args = append(args, seckill.OrderUnpaid, limit)
	}
	var rows []struct{ ID seckill.ID }
	err := p.read(ctx, shard, func(db *gorm.DB) error {
		query := strings.Join(parts, " UNION ALL ") + " ORDER BY pay_by, id LIMIT ?"
		return db.Raw(query, append(args, limit)...).Scan(&rows).Error
	})
	ids := make([]seckill.ID, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	return ids, err
}

// cancelOverdue cancels those that are still unpaid when their rows are locked.
func (p Payments) cancelOverdue(ctx context.Context, shard int, ids []seckill.ID) (count int, err error) {
	err = p.inTx(ctx, shard, func(tx *gorm.DB) error {
		locked, err := p.lockTables(tx, ids)
		if err != nil {
			return err
		}
		now, err := p.clockOf(tx)
		if err != nil {
			return err
		}
		locked = slices.DeleteFunc(locked, func(order seckill.Order) bool {
			return order.State != seckill.OrderUnpaid || now.Before(order.PayBy)
		})
		count = len(locked)
		_, err = p.cancel(tx, seckill.CauseTimeout, now, locked...)
		return err
	})
	return count, err
}

// lockTables locks orders of several tables, one table after the other.
func (p Payments) lockTables(tx *gorm.DB, ids []seckill.ID) ([]seckill.Order, error) {
	var tables [orderTables][]seckill.ID
	for _, id := range ids {
		number := tableNumber(id.Bucket())
		tables[number] = append(tables[number], id)
	}
	var all []seckill.Order
	for number, ids := range tables {
		if len(ids) == 0 {
			continue
		}
		locked, err := lockOrders(tx, orderTable(number), ids)
		if err != nil {
			return nil, fmt.Errorf("lock overdue orders: %w", dbError(err))
		}
		all = append(all, locked...)
	}
	return all, nil
}
