package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// lockedOrder is an order whose row is locked until the transaction ends. now is the shard's clock after that: who waited
// for the lock must not judge by when the wait began.
type lockedOrder struct {
	seckill.Order
	now time.Time
}

// payable: at the deadline it is too late.
func (l lockedOrder) payable() bool { return l.State == seckill.OrderUnpaid && l.now.Before(l.PayBy) }

// is says whether the row has the version that was asked for; 0 does not ask.
func (l lockedOrder) is(version int64) bool { return version == 0 || version == l.Version }

// lockOrder locks one order, or returns seckill.ErrNotFound.
func (p Payments) lockOrder(tx *gorm.DB, id seckill.ID) (lockedOrder, error) {
	orders, err := lockOrders(tx, p.router.table(id.Bucket()), []seckill.ID{id})
	if err != nil {
		return lockedOrder{}, fmt.Errorf("lock order %s: %w", id, dbError(err))
	}
	if len(orders) == 0 {
		return lockedOrder{}, seckill.ErrNotFound
	}
	now, err := p.clockOf(tx)
	return lockedOrder{orders[0], now}, err
}

// lockOrders locks those orders of a table that exist, in the order of their ids. It selects FOR UPDATE, and no column is
// touched: a charge that must go back, as every refusal, leaves the order as it was. By nothing but ids, so that rows are
// locked in their primary key first, as everywhere. SQLite has no such words and needs none: it has one writer.
func lockOrders(tx *gorm.DB, table string, ids []seckill.ID) ([]seckill.Order, error) {
	var rows []orderRow
	err := tx.Table(table).Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).
		Where("id IN ?", ids).Order("id").Find(&rows).Error
	if err != nil {
		return nil, err
	}
	orders := make([]seckill.Order, len(rows))
	for i, row := range rows {
		orders[i] = row.order()
	}
	return orders, nil
}

// step is where locked orders go, why, and when.
type step struct {
	to    seckill.OrderState
	cause seckill.OrderCause
	at    time.Time
}

// move moves locked orders one step further, each with its event, and returns them as they then are.
func (p Payments) move(tx *gorm.DB, s step, orders ...seckill.Order) ([]seckill.Order, error) {
	moved := slices.SortedFunc(slices.Values(orders), func(a, b seckill.Order) int { return cmp.Compare(a.ID, b.ID) })
	rows := make([][]any, len(moved))
	for i, order := range moved {
		if !order.State.CanBecome(s.to) {
			return nil, fmt.Errorf("order %s is %s and cannot become %s", order.ID, order.State, s.to)
		}
		order.State, order.Version = s.to, order.Version+1
		if s.to == seckill.OrderPaid {
			order.PaidAt = s.at
		}
		moved[i] = order
	}
	if err := p.writeMoved(tx, moved); err != nil {
		return nil, err
	}
	told, err := p.tellOrders(tx, moved)
	if err != nil {
		return nil, err
	}
	for i, order := range moved {
		rows[i] = []any{order.ID, order.Version, order.State, s.cause, toMilli(s.at), told[order.ID]}
	}
	if err := (insert{into: "order_events (order_id, version, state, cause, at, tells)", row: "(?,?,?,?,?,?)"}).run(tx, rows); err != nil {
		return nil, fmt.Errorf("write %d events: %w", len(rows), dbError(err))
	}
	return moved, nil
}

// writeMoved writes orders that were moved, those of one table and version in one statement. The version is asked for
// once more: should a lock ever be worth nothing, the row has the last word.
func (p Payments) writeMoved(tx *gorm.DB, moved []seckill.Order) error {
	type group struct {
		table         string
		version, paid int64
	}
	groups := make(map[group][]seckill.ID)
	for _, order := range moved {
		g := group{p.router.table(order.ID.Bucket()), order.Version, toMilli(order.PaidAt)}
		groups[g] = append(groups[g], order.ID)
	}
	for g, ids := range groups {
		written := tx.Exec("UPDATE "+g.table+" SET state = ?, paid_at = ?, version = ? WHERE version = ? AND id IN ?",
			moved[0].State, g.paid, g.version, g.version-1, ids)
		if written.Error != nil {
			return fmt.Errorf("move %d orders: %w", len(ids), dbError(written.Error))
		}
		if written.RowsAffected != int64(len(ids)) {
			return fmt.Errorf("%w: %d of %d locked orders were moved by somebody else",
				seckill.ErrTransient, int64(len(ids))-written.RowsAffected, len(ids))
		}
	}
	return nil
}

// cancel ends unpaid orders and owes the return of their units.
func (p Payments) cancel(
	tx *gorm.DB, cause seckill.OrderCause, now time.Time, orders ...seckill.Order,
) ([]seckill.Order, error) {
	cancelled, err := p.move(tx, step{seckill.OrderCancelled, cause, now}, orders...)
	if err != nil {
		return nil, err
	}
	return cancelled, p.oweReturns(tx, cancelled)
}

// oweReturns owes the units of orders: their claims have the same ids.
func (p Payments) oweReturns(tx *gorm.DB, orders []seckill.Order) error {
	owed := make([]seckill.Owed, len(orders))
	for i, order := range orders {
		owed[i] = seckill.Owed{
			Kind: seckill.OwedReturn, Item: order.Item, User: order.User,
			Entry: seckill.BuyerEntry{ID: order.ID, Quantity: order.Quantity},
		}
	}
	return p.owe(tx, owed)
}

// Cancel implements seckill.Payments.
func (p Payments) Cancel(
	ctx context.Context, asked seckill.Cancellation,
) (order seckill.Order, cancelled bool, err error) {
	err = p.change(ctx, asked.Order, func(tx *gorm.DB, locked lockedOrder) error {
		order = locked.Order
		switch {
		case asked.User != "" && asked.User != locked.User:
			return seckill.ErrNotFound
		case locked.State != seckill.OrderUnpaid || !locked.is(asked.Version):
			return errUnchanged
		}
		moved, err := p.cancel(tx, asked.Cause, locked.now, locked.Order)
		if err != nil {
			return err
		}
		order, cancelled = moved[0], true
		return nil
	})
	if err != nil {
		return seckill.Order{}, false, fmt.Errorf("cancel order %s: %w", asked.Order, err)
	}
	return order, cancelled, nil
}
