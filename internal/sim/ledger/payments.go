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

// Payments moves orders, and keeps what was paid on them beside them in their users' shards. This file is about attempts to
// pay, payments_orders.go about the orders, charges.go and refunds.go about the money.
type Payments struct{ *Ledger }

var _ seckill.Payments = Payments{}

// lockedOrder is an order as a transaction finds it, and the shard's clock then.
type lockedOrder struct {
	seckill.Order
	now time.Time
}

// payable: at the deadline it is too late.
func (o lockedOrder) payable() bool { return o.State == seckill.OrderUnpaid && o.now.Before(o.PayBy) }

// is says whether the row has the version that was asked for; 0 does not ask.
func (o lockedOrder) is(version int64) bool { return version == 0 || version == o.Version }

func (db *database) lockOrder(id seckill.ID) (lockedOrder, error) {
	row := db.orders.byID.get(id)
	if row == nil {
		return lockedOrder{}, seckill.ErrNotFound
	}
	return lockedOrder{row.Order, db.now()}, nil
}

// change is one transaction about an order. errUnchanged from do is no error.
func (p Payments) change(ctx context.Context, order seckill.ID, do func(db *database, locked lockedOrder) error) error {
	err := p.on(ctx, p.router.of(order), func(db *database) error {
		locked, err := db.lockOrder(order)
		if err != nil {
			return err
		}
		return do(db, locked)
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

// changePaid is change for the order of a payment.
func (p Payments) changePaid(
	ctx context.Context, id seckill.ID, do func(db *database, locked lockedOrder, payment seckill.Payment) error,
) error {
	err := p.on(ctx, p.router.of(id), func(db *database) error {
		payment := db.till.payments.get(id)
		if payment == nil {
			return seckill.ErrNotFound
		}
		locked, err := db.lockOrder(payment.Order)
		if err != nil {
			return err
		}
		return do(db, locked, *payment)
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

// Begin implements seckill.Payments.
func (p Payments) Begin(
	ctx context.Context, asked seckill.NewPayment,
) (payment seckill.Payment, order seckill.Order, begun bool, err error) {
	if asked.ID.Bucket() != asked.Order.Bucket() {
		return payment, order, false, fmt.Errorf("begin a payment: %w: id %s is never found beside order %s",
			seckill.ErrPoison, asked.ID, asked.Order)
	}
	err = p.change(ctx, asked.Order, func(db *database, locked lockedOrder) error {
		order = locked.Order
		switch {
		case locked.User != asked.User:
			return seckill.ErrNotFound
		case !locked.payable():
			return errUnchanged
		}
		var known bool
		if payment, known = db.openPayment(asked); !known {
			if db.till.payments.get(asked.ID) != nil {
				return fmt.Errorf("%w: id %s is another payment's", seckill.ErrTransient, asked.ID)
			}
			payment = newPayment(asked, locked)
			db.writePayment(payment)
		}
		begun = true
		return nil
	})
	if err != nil {
		return seckill.Payment{}, seckill.Order{}, false, fmt.Errorf("begin a payment of order %s: %w", asked.Order, err)
	}
	return payment, order, begun, nil
}

// openPayment is the order's open attempt at the provider that no money came in on.
func (db *database) openPayment(asked seckill.NewPayment) (seckill.Payment, bool) {
	of := db.till.of(asked.Order)
	for _, id := range slices.Sorted(slices.Values(of.payments)) {
		payment := db.till.payments.get(id)
		used := slices.ContainsFunc(of.charges, func(name txn) bool { return db.till.charges.get(name).Payment == id })
		if payment.Provider == asked.Provider && payment.State == seckill.PaymentOpen && !used {
			return *payment, true
		}
	}
	return seckill.Payment{}, false
}

func newPayment(asked seckill.NewPayment, locked lockedOrder) seckill.Payment {
	payment := seckill.Payment{
		ID: asked.ID, Order: asked.Order, Provider: asked.Provider, AmountMinor: locked.AmountMinor(),
		Currency: locked.Currency, State: seckill.PaymentOpen, ExpiresAt: locked.PayBy, CreatedAt: locked.now,
	}
	if sooner := stored(locked.now.Add(asked.Lives)); asked.Lives > 0 && sooner.Before(locked.PayBy) {
		payment.ExpiresAt = sooner
	}
	return payment
}

// Opened implements seckill.Payments. A charge that came first may owe its refund already, which then needs the name too.
func (p Payments) Opened(ctx context.Context, id seckill.ID, session, url string) (payment seckill.Payment, err error) {
	err = p.changePaid(ctx, id, func(db *database, _ lockedOrder, found seckill.Payment) error {
		payment = found
		if payment.Session != "" || session == "" {
			return errUnchanged
		}
		payment.Session, payment.URL = session, url
		db.writePayment(payment)
		for _, name := range db.till.of(payment.Order).refunds {
			charge, refund := db.till.charges.get(name), *db.till.refunds.get(name)
			if charge != nil && charge.Payment == id && refund.Provider == payment.Provider {
				refund.Session = session
				db.writeRefund(refund)
			}
		}
		return nil
	})
	if err != nil {
		return seckill.Payment{}, fmt.Errorf("note the session of payment %s: %w", id, err)
	}
	return payment, nil
}

// Closed implements seckill.Payments.
func (p Payments) Closed(ctx context.Context, id seckill.ID) error {
	err := p.changePaid(ctx, id, func(db *database, _ lockedOrder, payment seckill.Payment) error {
		db.movePayment(payment, seckill.PaymentClosed)
		return nil
	})
	if err != nil {
		return fmt.Errorf("close payment %s: %w", id, err)
	}
	return nil
}

// Payment implements seckill.Payments.
func (p Payments) Payment(ctx context.Context, id seckill.ID) (payment seckill.Payment, err error) {
	err = p.on(ctx, p.router.of(id), func(db *database) error {
		row := db.till.payments.get(id)
		if row == nil {
			return seckill.ErrNotFound
		}
		payment = *row
		return nil
	})
	if err != nil {
		return seckill.Payment{}, fmt.Errorf("read payment %s: %w", id, err)
	}
	return payment, nil
}

// PaymentsOf implements seckill.Payments.
func (p Payments) PaymentsOf(ctx context.Context, order seckill.ID) (payments []seckill.Payment, err error) {
	err = p.beside(ctx, order, func(db *database) { payments = db.paymentsOf(order) })
	return payments, err
}

// beside reads what belongs to an order.
func (p Payments) beside(ctx context.Context, order seckill.ID, read func(db *database)) error {
	err := p.on(ctx, p.router.of(order), func(db *database) error {
		read(db)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read what belongs to order %s: %w", order, err)
	}
	return nil
}

// paymentsOf are an order's attempts, oldest first.
func (db *database) paymentsOf(order seckill.ID) (payments []seckill.Payment) {
	for _, id := range db.till.of(order).payments {
		payments = append(payments, *db.till.payments.get(id))
	}
	slices.SortFunc(payments, func(a, b seckill.Payment) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return payments
}

// OpenPayments implements seckill.Payments.
func (p Payments) OpenPayments(ctx context.Context, shard int, orders []seckill.ID) (open []seckill.Payment, err error) {
	err = p.on(ctx, shard, func(db *database) error {
		for _, order := range slices.Compact(slices.Sorted(slices.Values(orders))) {
			for _, payment := range db.paymentsOf(order) {
				if payment.State == seckill.PaymentOpen {
					open = append(open, payment)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read open payments of shard %d: %w", shard, err)
	}
	slices.SortFunc(open, func(a, b seckill.Payment) int { return cmp.Compare(a.ID, b.ID) })
	return open, nil
}
