package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Record implements seckill.Payments. A provider that names another one's payment names none.
func (p Payments) Record(
	ctx context.Context, told seckill.Charge,
) (charge seckill.Charge, recorded bool, err error) {
	err = p.changePaid(ctx, told.Payment, func(tx *gorm.DB, locked lockedOrder, payment seckill.Payment) (err error) {
		if payment.Provider != told.Provider {
			return seckill.ErrNotFound
		}
		switch charge, err = readCharge(tx, told.Provider, told.Txn); {
		case err == nil:
			return errUnchanged
		case !errors.Is(err, seckill.ErrNotFound):
			return err
		}
		charge = told
		charge.Order, charge.At, charge.Refund = locked.ID, locked.now, judge(locked, told)
		recorded = true
		if err := writeCharge(tx, charge); err != nil {
			return err
		}
		if charge.Refund != "" {
			return writeRefund(tx, refundOf(charge, payment.Session, charge.Refund))
		}
		return p.pay(tx, locked, payment)
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

// pay is what a charge does that may stay.
func (p Payments) pay(tx *gorm.DB, locked lockedOrder, payment seckill.Payment) error {
	if err := movePayment(tx, payment, seckill.PaymentPaid); err != nil {
		return err
	}
	_, err := p.move(tx, step{seckill.OrderPaid, seckill.CausePayment, locked.now}, locked.Order)
	return err
}

// readCharge reads one charge, or returns seckill.ErrNotFound.
func readCharge(tx *gorm.DB, provider, txn string) (seckill.Charge, error) {
	var row chargeRow
	if err := tx.Where("provider = ? AND txn = ?", provider, txn).Take(&row).Error; err != nil {
		return seckill.Charge{}, dbError(err)
	}
	return row.charge(), nil
}

// writeCharge inserts one charge. A name that another order's charge took meanwhile is found when this is repeated.
func writeCharge(tx *gorm.DB, c seckill.Charge) error {
	err := insert{
		into: "charges (provider, txn, payment, order_id, amount_minor, currency, refund, at)",
		row:  "(?,?,?,?,?,?,?,?)",
	}.run(tx, [][]any{{c.Provider, c.Txn, c.Payment, c.Order, c.AmountMinor, c.Currency, c.Refund, toMilli(c.At)}})
	if err != nil {
		return fmt.Errorf("write a charge: %w", refusedData(err))
	}
	return nil
}
