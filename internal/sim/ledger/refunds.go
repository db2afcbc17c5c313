package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Refund implements seckill.Payments.
func (p Payments) Refund(
	ctx context.Context, asked seckill.RefundRequest,
) (order seckill.Order, refunding bool, err error) {
	err = p.change(ctx, asked.Order, func(db *database, locked lockedOrder) (err error) {
		order = locked.Order
		if locked.State != seckill.OrderPaid && !db.lacks(LackRefundState) || !locked.is(asked.Version) {
			return errUnchanged
		}
		charge, paid := db.payingCharge(locked.ID)
		if !paid {
			return fmt.Errorf("no charge has paid it: %w", seckill.ErrNotFound)
		}
		refund := refundOf(charge, db.till.payments.get(charge.Payment).Session, seckill.RefundOperator, locked.now)
		refund.Restock = asked.Restock
		db.writeRefund(refund)
		order, err = db.move(locked.Order, seckill.OrderRefunding, asked.Cause, locked.now)
		refunding = err == nil
		return err // none: it was paid
	})
	if err != nil {
		return seckill.Order{}, false, fmt.Errorf("refund order %s: %w", asked.Order, err)
	}
	return order, refunding, nil
}

// payingCharge is the charge that paid an order.
func (db *database) payingCharge(order seckill.ID) (seckill.Charge, bool) {
	charges := db.chargesOf(order)
	at := slices.IndexFunc(charges, func(c seckill.Charge) bool { return c.Refund == "" })
	if at < 0 {
		return seckill.Charge{}, false
	}
	return charges[at], true
}

// RefundsDue implements seckill.Payments.
func (p Payments) RefundsDue(ctx context.Context, shard, limit int) (due []seckill.Refund, err error) {
	err = p.on(ctx, shard, func(db *database) error {
		now := db.now()
		for name := range db.till.owed.all() {
			if refund := db.till.refunds.get(name); !refund.NextAt.After(now) {
				due = append(due, *refund)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the refunds that shard %d owes: %w", shard, err)
	}
	slices.SortFunc(due, func(a, b seckill.Refund) int { return cmp.Or(a.NextAt.Compare(b.NextAt), byTxn(a, b)) })
	return due[:min(limit, len(due))], nil
}

func byTxn(a, b seckill.Refund) int {
	return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Txn, b.Txn))
}

// RefundsOwed implements seckill.Payments.
func (p Payments) RefundsOwed(ctx context.Context, shard int) (owed int64, oldest time.Duration, err error) {
	err = p.on(ctx, shard, func(db *database) error {
		owed = int64(db.till.owed.size())
		for name := range db.till.owed.all() {
			oldest = max(oldest, db.now().Sub(db.till.refunds.get(name).At))
		}
		return nil
	})
	if err != nil {
		return 0, 0, fmt.Errorf("count the refunds that shard %d owes: %w", shard, err)
	}
	return owed, oldest, nil
}

// RefundFailed implements seckill.Payments.
func (p Payments) RefundFailed(ctx context.Context, asked seckill.Refund, wait time.Duration, failure string) error {
	err := p.on(ctx, p.router.of(asked.Order), func(db *database) error {
		row := db.till.refunds.get(txnOf(asked.Provider, asked.Txn))
		if row == nil || row.State != seckill.RefundOwed || row.Tries != asked.Tries {
			return nil
		}
		refund := *row
		refund.Tries, refund.NextAt, refund.Failure = refund.Tries+1, stored(db.now().Add(wait)), clip(failure)
		db.writeRefund(refund)
		return nil
	})
	if err != nil {
		return fmt.Errorf("put off refund %s of order %s: %w", asked.Txn, asked.Order, err)
	}
	return nil
}

// Refunded implements seckill.Payments. What the row says of the order and of restocking decides, not what is asked.
func (p Payments) Refunded(ctx context.Context, asked seckill.Refund) (done bool, err error) {
	err = p.change(ctx, asked.Order, func(db *database, locked lockedOrder) error {
		name := txnOf(asked.Provider, asked.Txn)
		row, charge := db.till.refunds.get(name), db.till.charges.get(name)
		if row == nil || row.Order != locked.ID || charge == nil {
			return seckill.ErrNotFound
		}
		if row.State != seckill.RefundOwed && !db.lacks(LackRefundOnce) {
			return errUnchanged
		}
		refund := *row
		refund.State, refund.DoneAt = seckill.RefundDone, locked.now
		db.writeRefund(refund)
		done = true
		if charge.Refund != "" || locked.State != seckill.OrderRefunding && !db.lacks(LackRefundOnce) {
			return nil // one that never stood changes nothing of the order
		}
		order, err := db.move(locked.Order, seckill.OrderRefunded, seckill.CauseRefund, locked.now)
		if err == nil && (refund.Restock || db.lacks(LackRefundRestock)) {
			db.oweReturn(order)
		}
		return err // none: it was refunding
	})
	if err != nil {
		return false, fmt.Errorf("note refund %s of order %s as done: %w", asked.Txn, asked.Order, err)
	}
	return done, nil
}

// RefundsOf implements seckill.Payments.
func (p Payments) RefundsOf(ctx context.Context, order seckill.ID) (refunds []seckill.Refund, err error) {
	err = p.beside(ctx, order, func(db *database) { refunds = db.refundsOf(order) })
	return refunds, err
}

// refundsOf are an order's refunds, oldest first.
func (db *database) refundsOf(order seckill.ID) (refunds []seckill.Refund) {
	for _, name := range db.till.of(order).refunds {
		refunds = append(refunds, *db.till.refunds.get(name))
	}
	slices.SortFunc(refunds, func(a, b seckill.Refund) int { return cmp.Or(a.At.Compare(b.At), byTxn(a, b)) })
	return refunds
}
