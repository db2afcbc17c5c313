package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// move moves an order one step further, and returns it as it then is.
func (db *database) move(order seckill.Order, to seckill.OrderState, cause seckill.OrderCause, at time.Time) (seckill.Order, error) {
	if !order.State.CanBecome(to) && db.ledger.lack == "" {
		return order, fmt.Errorf("order %s is %s and cannot become %s", order.ID, order.State, to)
	}
	order.State, order.Version = to, order.Version+1
	if to == seckill.OrderPaid {
		order.PaidAt = at
	}
	db.writeOrder(order, cause, at)
	return order, nil
}

// oweReturn owes the units of an order: its claim has the same id.
func (db *database) oweReturn(order seckill.Order) {
	if order.State == seckill.OrderCancelled && db.lacks(LackCancelReturn) {
		return
	}
	db.owe(seckill.Owed{
		Kind: seckill.OwedReturn, Item: order.Item, User: order.User,
		Entry: seckill.BuyerEntry{ID: order.ID, Quantity: order.Quantity},
	})
}

// Cancel implements seckill.Payments.
func (p Payments) Cancel(
	ctx context.Context, asked seckill.Cancellation,
) (order seckill.Order, cancelled bool, err error) {
	err = p.change(ctx, asked.Order, func(db *database, locked lockedOrder) (err error) {
		order = locked.Order
		switch {
		case asked.User != "" && asked.User != locked.User:
			return seckill.ErrNotFound
		case locked.State != seckill.OrderUnpaid && !db.lacks(LackCancelState) || !locked.is(asked.Version):
			return errUnchanged
		}
		if order, err = db.move(locked.Order, seckill.OrderCancelled, asked.Cause, locked.now); err != nil {
			return err
		}
		db.oweReturn(order)
		cancelled = true
		return nil
	})
	if err != nil {
		return seckill.Order{}, false, fmt.Errorf("cancel order %s: %w", asked.Order, err)
	}
	return order, cancelled, nil
}

// overdueMax is how many orders one transaction closes.
const overdueMax = 100

// CancelOverdue implements seckill.Payments. It looks before it locks, and others may come in after that.
func (p Payments) CancelOverdue(ctx context.Context, shard, limit int) (cancelled int, err error) {
	due, err := p.overdue(ctx, shard, limit)
	if err != nil {
		return 0, fmt.Errorf("look for overdue orders of shard %d: %w", shard, err)
	}
	for chunk := range slices.Chunk(due, overdueMax) {
		count, failure := p.cancelOverdue(ctx, shard, chunk)
		cancelled, err = cancelled+count, errors.Join(err, failure)
	}
	if err != nil {
		return cancelled, fmt.Errorf("cancel overdue orders of shard %d: %w", shard, err)
	}
	return cancelled, nil
}

// overdue are unpaid orders whose deadline has passed, the oldest deadlines first.
func (p Payments) overdue(ctx context.Context, shard, limit int) ([]seckill.ID, error) {
	var due []seckill.Order
	err := p.on(ctx, shard, func(db *database) error {
		now := db.now()
		for id := range db.orders.unpaid.all() {
			if order := db.orders.byID.get(id).Order; !order.PayBy.After(now) {
				due = append(due, order)
			}
		}
		return nil
	})
	slices.SortFunc(due, func(a, b seckill.Order) int { return cmp.Or(a.PayBy.Compare(b.PayBy), cmp.Compare(a.ID, b.ID)) })
	ids := make([]seckill.ID, min(limit, len(due)))
	for i := range ids {
		ids[i] = due[i].ID
	}
	return ids, err
}

// cancelOverdue cancels those that are still unpaid.
func (p Payments) cancelOverdue(ctx context.Context, shard int, ids []seckill.ID) (count int, err error) {
	if err := p.between("cancel overdue orders"); err != nil {
		return 0, err
	}
	err = p.on(ctx, shard, func(db *database) error {
		now := db.now()
		for _, id := range slices.Sorted(slices.Values(ids)) {
			order := db.orders.byID.get(id).Order
			if order.State != seckill.OrderUnpaid && !db.lacks(LackOverdueState) || now.Before(order.PayBy) {
				continue
			}
			order, err := db.move(order, seckill.OrderCancelled, seckill.CauseTimeout, now)
			if err != nil {
				return err
			}
			db.oweReturn(order)
			count++
		}
		return nil
	})
	return count, err
}

// SinceEnd implements seckill.Payments.
func (p Payments) SinceEnd(ctx context.Context, orders []seckill.ID) (all []time.Duration, err error) {
	for _, order := range orders {
		err := p.on(ctx, p.router.of(order), func(db *database) error {
			row, _ := found(db.orders.byID.get(order))
			for _, step := range row.steps {
				if step.State == seckill.OrderCancelled || step.State == seckill.OrderRefunded {
					all = append(all, max(0, db.now().Sub(step.At)))
				}
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read when order %s ended: %w", order, err)
		}
	}
	return all, nil
}

// Events implements seckill.Payments.
func (p Payments) Events(ctx context.Context, order seckill.ID) (steps []seckill.OrderEvent, err error) {
	err = p.beside(ctx, order, func(db *database) {
		row, _ := found(db.orders.byID.get(order))
		steps = slices.Clone(row.steps)
	})
	return steps, err
}
