package sqlstore

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// refundOf gives a charge back, as soon as somebody gets to it.
func refundOf(c seckill.Charge, session string, reason seckill.RefundReason) seckill.Refund {
	return seckill.Refund{
		Provider: c.Provider, Txn: c.Txn, Order: c.Order, Session: session, AmountMinor: c.AmountMinor, Currency: c.Currency,
		Reason: reason, State: seckill.RefundOwed, NextAt: c.At, At: c.At,
	}
}

func writeRefund(tx *gorm.DB, r seckill.Refund) error {
	err := insert{
		into: "refunds (provider, txn, order_id, session, amount_minor, currency, reason, restock, state, tries, next_at," +
			" failure, at, done_at)",
		row: "(?,?,?,?,?,?,?,?,?,0,?,'',?,0)",
	}.run(tx, [][]any{{
		r.Provider, r.Txn, r.Order, r.Session, r.AmountMinor, r.Currency, r.Reason, flag(r.Restock), r.State,
		toMilli(r.NextAt), toMilli(r.At),
	}})
	if err != nil {
		return fmt.Errorf("owe a refund: %w", dbError(err))
	}
	return nil
}

// Refund implements seckill.Payments.
func (p Payments) Refund(
	ctx context.Context, asked seckill.RefundRequest,
) (order seckill.Order, refunding bool, err error) {
	err = p.change(ctx, asked.Order, func(tx *gorm.DB, locked lockedOrder) error {
		order = locked.Order
		if locked.State != seckill.OrderPaid || !locked.is(asked.Version) {
			return errUnchanged
		}
		if err := oweRefund(tx, locked, asked.Restock); err != nil {
			return err
		}
		moved, err := p.move(tx, step{seckill.OrderRefunding, asked.Cause, locked.now}, locked.Order)
		if err != nil {
			return err
		}
		order, refunding = moved[0], true
		return nil
	})
	if err != nil {
		return seckill.Order{}, false, fmt.Errorf("refund order %s: %w", asked.Order, err)
	}
	return order, refunding, nil
}

// oweRefund owes the refund of the charge that paid the locked order.
func oweRefund(tx *gorm.DB, locked lockedOrder, restock bool) error {
	var row chargeRow
	if err := tx.Where("order_id = ? AND refund = ''", locked.ID).Take(&row).Error; err != nil {
		return fmt.Errorf("no charge has paid it: %w", err)
	}
	payment, err := readPayment(tx, row.Payment)
	if err != nil {
		return err
	}
	refund := refundOf(row.charge(), payment.Session, seckill.RefundOperator)
	refund.NextAt, refund.At, refund.Restock = locked.now, locked.now, restock
	return writeRefund(tx, refund)
}

// RefundsDue implements seckill.Payments.
func (p Payments) RefundsDue(ctx context.Context, shard, limit int) ([]seckill.Refund, error) {
	var rows []refundRow
	err := p.read(ctx, shard, func(db *gorm.DB) error {
		return db.Where("state = ? AND next_at <= "+p.dialect.now(), seckill.RefundOwed).
			Order("next_at, provider, txn").Limit(limit).Find(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("read the refunds that shard %d owes: %w", shard, err)
	}
	return each(rows, refundRow.refund), nil
}

// RefundFailed implements seckill.Payments.
func (p Payments) RefundFailed(ctx context.Context, refund seckill.Refund, wait time.Duration, failure string) error {
	_, err := p.exec(ctx, p.router.Shard(refund.Order.Bucket()),
		"UPDATE refunds SET tries = tries + 1, next_at = "+p.dialect.now()+" + ?, failure = ?"+
			" WHERE provider = ? AND txn = ? AND state = ? AND tries = ?",
		wait.Milliseconds(), clip(failure), refund.Provider, refund.Txn, seckill.RefundOwed, refund.Tries)
	if err != nil {
		return fmt.Errorf("put off refund %s of order %s: %w", refund.Txn, refund.Order, repeatable(err))
	}
	return nil
}

// Refunded implements seckill.Payments. What the row says of the order and of restocking decides, not what is asked.
func (p Payments) Refunded(ctx context.Context, asked seckill.Refund) (done bool, err error) {
	err = p.change(ctx, asked.Order, func(tx *gorm.DB, locked lockedOrder) error {
		var row refundRow
		err := tx.Where("provider = ? AND txn = ? AND order_id = ?", asked.Provider, asked.Txn, locked.ID).Take(&row).Error
		if err != nil {
			return err
		}
		if row.State != seckill.RefundOwed {
			return errUnchanged
		}
		err = tx.Exec("UPDATE refunds SET state = ?, done_at = ? WHERE provider = ? AND txn = ?",
			seckill.RefundDone, toMilli(locked.now), row.Provider, row.Txn).Error
		if err != nil {
			return err
		}
		done = true
		return p.endRefund(tx, locked, row.refund())
	})
	if err != nil {
		return false, fmt.Errorf("note refund %s of order %s as done: %w", asked.Txn, asked.Order, err)
	}
	return done, nil
}

// endRefund ends an order whose own money is back. The refund of a charge that never stood changes nothing of it.
func (p Payments) endRefund(tx *gorm.DB, locked lockedOrder, refund seckill.Refund) error {
	charge, err := readCharge(tx, refund.Provider, refund.Txn)
	if err != nil || charge.Refund != "" || locked.State != seckill.OrderRefunding {
		return err
	}
	refunded, err := p.move(tx, step{seckill.OrderRefunded, seckill.CauseRefund, locked.now}, locked.Order)
	if err != nil || !refund.Restock {
		return err
	}
	return p.oweReturns(tx, refunded)
}
