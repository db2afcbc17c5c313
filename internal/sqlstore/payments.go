package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Payments moves orders, and keeps what was paid on them beside them in their users' shards. Whatever it does to an order
// or to what belongs to one begins with the lock of the order's row.
type Payments struct{ *Store }

var _ seckill.Payments = Payments{}

// change locks an order's row and lets do decide and write, in one transaction. errUnchanged from do writes nothing and is
// no error.
func (p Payments) change(
	ctx context.Context, order seckill.ID, do func(tx *gorm.DB, locked lockedOrder) error,
) error {
	return p.decide(ctx, order, func(tx *gorm.DB) error {
		locked, err := p.lockOrder(tx, order)
		if err != nil {
			return err
		}
		return do(tx, locked)
	})
}

// changePaid is change for the order of a payment, which is read under the lock as well.
func (p Payments) changePaid(
	ctx context.Context, id seckill.ID, do func(tx *gorm.DB, locked lockedOrder, payment seckill.Payment) error,
) error {
	return p.decide(ctx, id, func(tx *gorm.DB) error {
		payment, err := readPayment(tx, id) // its order never changes
		if err != nil {
			return err
		}
		locked, err := p.lockOrder(tx, payment.Order)
		if err != nil {
			return err
		}
		if payment, err = readPayment(tx, id); err != nil {
			return err
		}
		return do(tx, locked, payment)
	})
}

// decide is one transaction in the shard of an id. Everything here may be repeated: what happened is seen under the lock.
func (p Payments) decide(ctx context.Context, id seckill.ID, do func(tx *gorm.DB) error) error {
	err := p.inTx(ctx, p.router.Shard(id.Bucket()), do)
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return repeatable(err)
}

// Begin implements seckill.Payments.
func (p Payments) Begin(
	ctx context.Context, asked seckill.NewPayment,
) (payment seckill.Payment, order seckill.Order, begun bool, err error) {
	if asked.ID.Bucket() != asked.Order.Bucket() {
		return payment, order, false, fmt.Errorf("begin a payment: %w: id %s of bucket %d is never found beside order %s of bucket %d",
			seckill.ErrPoison, asked.ID, asked.ID.Bucket(), asked.Order, asked.Order.Bucket())
	}
	err = p.change(ctx, asked.Order, func(tx *gorm.DB, locked lockedOrder) (err error) {
		order = locked.Order
		switch {
		case locked.User != asked.User:
			return seckill.ErrNotFound
		case !locked.payable():
			return errUnchanged
		}
		payment, err = openPayment(tx, asked)
		if errors.Is(err, seckill.ErrNotFound) {
			payment, err = newPayment(tx, asked, locked)
		}
		begun = err == nil
		return err
	})
	if err != nil {
		return seckill.Payment{}, seckill.Order{}, false, fmt.Errorf("begin a payment of order %s: %w", asked.Order, err)
	}
	return payment, order, begun, nil
}

// openPayment is the order's open attempt at the provider, or seckill.ErrNotFound. One that money came in on, even if the
// wrong amount, is used up at the provider: who still wants to pay needs another.
func openPayment(tx *gorm.DB, asked seckill.NewPayment) (seckill.Payment, error) {
	var row paymentRow
	err := tx.Where("order_id = ? AND provider = ? AND state = ? AND id NOT IN (SELECT payment FROM charges WHERE order_id = ?)",
		asked.Order, asked.Provider, seckill.PaymentOpen, asked.Order).
		Order("id").Take(&row).Error
	if err != nil {
		return seckill.Payment{}, dbError(err)
	}
	return row.payment(), nil
}

// newPayment writes an attempt to pay what the locked order costs.
func newPayment(tx *gorm.DB, asked seckill.NewPayment, locked lockedOrder) (seckill.Payment, error) {
	payment := seckill.Payment{
		ID: asked.ID, Order: asked.Order, Provider: asked.Provider, AmountMinor: locked.AmountMinor(),
		Currency: locked.Currency, State: seckill.PaymentOpen, ExpiresAt: locked.PayBy, CreatedAt: locked.now,
	}
	if sooner := locked.now.Add(asked.Lives); asked.Lives > 0 && sooner.Before(locked.PayBy) {
		payment.ExpiresAt = sooner
	}
	err := insert{
		into: "payments (id, order_id, provider, session, url, amount_minor, currency, state, expires_at, created_at)",
		row:  "(?,?,?,'','',?,?,?,?,?)",
	}.run(tx, [][]any{{
		payment.ID, payment.Order, payment.Provider, payment.AmountMinor, payment.Currency, payment.State,
		toMilli(payment.ExpiresAt), toMilli(payment.CreatedAt),
	}})
	return payment, refusedData(err)
}

// Opened implements seckill.Payments. A charge that came first may owe its refund already, which then needs the name too.
func (p Payments) Opened(ctx context.Context, id seckill.ID, session, url string) (payment seckill.Payment, err error) {
	err = p.changePaid(ctx, id, func(tx *gorm.DB, _ lockedOrder, found seckill.Payment) error {
		payment = found
		if payment.Session != "" || session == "" {
			return errUnchanged
		}
		payment.Session, payment.URL = session, url
		if err := tx.Exec("UPDATE payments SET session = ?, url = ? WHERE id = ?", session, url, id).Error; err != nil {
			return refusedData(err)
		}
		return tx.Exec("UPDATE refunds SET session = ? WHERE order_id = ? AND provider = ? AND txn IN ("+
			"SELECT txn FROM charges WHERE order_id = ? AND payment = ?)",
			session, payment.Order, payment.Provider, payment.Order, id).Error
	})
	if err != nil {
		return seckill.Payment{}, fmt.Errorf("note the session of payment %s: %w", id, err)
	}
	return payment, nil
}

// Closed implements seckill.Payments.
func (p Payments) Closed(ctx context.Context, id seckill.ID) error {
	err := p.changePaid(ctx, id, func(tx *gorm.DB, _ lockedOrder, payment seckill.Payment) error {
		return movePayment(tx, payment, seckill.PaymentClosed)
	})
	if err != nil {
		return fmt.Errorf("close payment %s: %w", id, err)
	}
	return nil
}

// movePayment moves a payment that was read under its order's lock; one that cannot become that stays what it is.
func movePayment(tx *gorm.DB, payment seckill.Payment, to seckill.PaymentState) error {
	if !payment.State.CanBecome(to) {
		return nil
	}
	return tx.Exec("UPDATE payments SET state = ? WHERE id = ? AND state = ?", to, payment.ID, payment.State).Error
}

// Payment implements seckill.Payments.
func (p Payments) Payment(ctx context.Context, id seckill.ID) (payment seckill.Payment, err error) {
	err = p.read(ctx, p.router.Shard(id.Bucket()), func(db *gorm.DB) error {
		payment, err = readPayment(db, id)
		return err
	})
	if err != nil {
		return seckill.Payment{}, fmt.Errorf("read payment %s: %w", id, err)
	}
	return payment, nil
}
