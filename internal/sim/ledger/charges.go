package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Record implements seckill.Payments. A provider that names another one's payment names none.
func (p Payments) Record(
	ctx context.Context, told seckill.Charge,
) (charge seckill.Charge, recorded bool, err error) {
	err = p.changePaid(ctx, told.Payment, func(db *database, locked lockedOrder, payment seckill.Payment) error {
		if payment.Provider != told.Provider {
			return seckill.ErrNotFound
		}
		if known := db.till.charges.get(txnOf(told.Provider, told.Txn)); known != nil && !db.lacks(LackChargeOnce) {
			charge = *known
			return errUnchanged
		}
		charge = told
		charge.Order, charge.At, charge.Refund = locked.ID, locked.now, judge(db.misjudge(locked, told))
		recorded = true
		db.writeCharge(charge)
		if charge.Refund != "" && db.lacks(LackChargeRefund) {
			return nil
		}
		if charge.Refund != "" {
			db.writeRefund(refundOf(charge, payment.Session, charge.Refund, locked.now))
			return nil
		}
		db.movePayment(payment, seckill.PaymentPaid)
		_, err := db.move(locked.Order, seckill.OrderPaid, seckill.CausePayment, locked.now)
		return err // none: it was unpaid
	})
	if err != nil {
		return seckill.Charge{}, false, fmt.Errorf("record charge %s of payment %s: %w", told.Txn, told.Payment, err)
	}
	return charge, recorded, nil
}

// judge says why a charge must go back, or "" when it pays its order. What the order has become says more than when the
// money came, that it is the wrong money more than that it is late.
func judge(locked lockedOrder, charge seckill.Charge) seckill.RefundReason {
	switch {
	case locked.State == seckill.OrderCancelled:
		return seckill.RefundCancelled
	case locked.State != seckill.OrderUnpaid:
		return seckill.RefundDouble
	case charge.Currency != locked.Currency:
		return seckill.RefundWrongCurrency
	case charge.AmountMinor != locked.AmountMinor():
		return seckill.RefundWrongAmount
	case !locked.payable():
		return seckill.RefundLate
	default:
		return ""
	}
}

// ChargesOf implements seckill.Payments.
func (p Payments) ChargesOf(ctx context.Context, order seckill.ID) (charges []seckill.Charge, err error) {
	err = p.beside(ctx, order, func(db *database) { charges = db.chargesOf(order) })
	return charges, err
}

// chargesOf are an order's charges, oldest first.
func (db *database) chargesOf(order seckill.ID) (charges []seckill.Charge) {
	for _, name := range db.till.of(order).charges {
		charges = append(charges, *db.till.charges.get(name))
	}
	slices.SortFunc(charges, func(a, b seckill.Charge) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Txn, b.Txn))
	})
	return charges
}
