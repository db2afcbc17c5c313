package sqlstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// paymentRow is a row of payments.
type paymentRow struct {
	ID          seckill.ID           `gorm:"column:id;primaryKey"`
	Order       seckill.ID           `gorm:"column:order_id"`
	Provider    string               `gorm:"column:provider"`
	Session     string               `gorm:"column:session"`
	URL         string               `gorm:"column:url"`
	AmountMinor int64                `gorm:"column:amount_minor"`
	Currency    string               `gorm:"column:currency"`
	State       seckill.PaymentState `gorm:"column:state"`
	ExpiresAt   int64                `gorm:"column:expires_at"`
	CreatedAt   int64                `gorm:"column:created_at;autoCreateTime:false"`
}

func (paymentRow) TableName() string { return "payments" }

func (r paymentRow) payment() seckill.Payment {
	return seckill.Payment{
		ID: r.ID, Order: r.Order, Provider: r.Provider, Session: r.Session, URL: r.URL, AmountMinor: r.AmountMinor,
		Currency: r.Currency, State: r.State, ExpiresAt: fromMilli(r.ExpiresAt), CreatedAt: fromMilli(r.CreatedAt),
	}
}

// readPayment reads one payment, or returns seckill.ErrNotFound.
func readPayment(db *gorm.DB, id seckill.ID) (seckill.Payment, error) {
	var row paymentRow
	if err := db.Where("id = ?", id).Take(&row).Error; err != nil {
		return seckill.Payment{}, dbError(err)
	}
	return row.payment(), nil
}

// chargeRow is a row of charges.
type chargeRow struct {
	Provider    string               `gorm:"column:provider"`
	Txn         string               `gorm:"column:txn"`
	Payment     seckill.ID           `gorm:"column:payment"`
	Order       seckill.ID           `gorm:"column:order_id"`
	AmountMinor int64                `gorm:"column:amount_minor"`
	Currency    string               `gorm:"column:currency"`
	Refund      seckill.RefundReason `gorm:"column:refund"`
	At          int64                `gorm:"column:at"`
}

func (chargeRow) TableName() string { return "charges" }

func (r chargeRow) charge() seckill.Charge {
	return seckill.Charge{
		Provider: r.Provider, Txn: r.Txn, Payment: r.Payment, Order: r.Order, AmountMinor: r.AmountMinor,
		Currency: r.Currency, At: fromMilli(r.At), Refund: r.Refund,
	}
}

// refundRow is a row of refunds.
type refundRow struct {
	Provider    string               `gorm:"column:provider"`
	Txn         string               `gorm:"column:txn"`
	Order       seckill.ID           `gorm:"column:order_id"`
	Session     string               `gorm:"column:session"`
	AmountMinor int64                `gorm:"column:amount_minor"`
	Currency    string               `gorm:"column:currency"`
	Reason      seckill.RefundReason `gorm:"column:reason"`
	Restock     bool                 `gorm:"column:restock"`
	State       seckill.RefundState  `gorm:"column:state"`
	Tries       int64                `gorm:"column:tries"`
	NextAt      int64                `gorm:"column:next_at"`
	Failure     string               `gorm:"column:failure"`
	At          int64                `gorm:"column:at"`
	DoneAt      int64                `gorm:"column:done_at"`
}

func (refundRow) TableName() string { return "refunds" }

func (r refundRow) refund() seckill.Refund {
	return seckill.Refund{
		Provider: r.Provider, Txn: r.Txn, Order: r.Order, Session: r.Session, AmountMinor: r.AmountMinor,
		Currency: r.Currency, Reason: r.Reason, Restock: r.Restock, State: r.State, Tries: r.Tries,
		NextAt: fromMilli(r.NextAt), Failure: r.Failure, At: fromMilli(r.At), DoneAt: fromMilli(r.DoneAt),
	}
}

// orderEventRow is a row of order_events.
type orderEventRow struct {
	Order   seckill.ID         `gorm:"column:order_id"`
	Version int64              `gorm:"column:version"`
	State   seckill.OrderState `gorm:"column:state"`
	Cause   seckill.OrderCause `gorm:"column:cause"`
	At      int64              `gorm:"column:at"`
	Tells   seckill.ID         `gorm:"column:tells"`
}

func (orderEventRow) TableName() string { return "order_events" }

func (r orderEventRow) event() seckill.OrderEvent {
	return seckill.OrderEvent{Order: r.Order, Version: r.Version, State: r.State, Cause: r.Cause, At: fromMilli(r.At), Tells: r.Tells}
}

// beside reads what a table has of an order, in an order of its own.
func beside[R, T any](ctx context.Context, p Payments, order seckill.ID, sort string, of func(R) T) ([]T, error) {
	var rows []R
	err := p.read(ctx, p.router.Shard(order.Bucket()), func(db *gorm.DB) error {
		return db.Where("order_id = ?", order).Order(sort).Find(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("read what belongs to order %s: %w", order, err)
	}
	return each(rows, of), nil
}

func each[R, T any](rows []R, of func(R) T) []T {
	all := make([]T, len(rows))
	for i, row := range rows {
		all[i] = of(row)
	}
	return all
}

// PaymentsOf implements seckill.Payments.
func (p Payments) PaymentsOf(ctx context.Context, order seckill.ID) ([]seckill.Payment, error) {
	return beside(ctx, p, order, "created_at, id", paymentRow.payment)
}

// ChargesOf implements seckill.Payments.
func (p Payments) ChargesOf(ctx context.Context, order seckill.ID) ([]seckill.Charge, error) {
	return beside(ctx, p, order, "at, provider, txn", chargeRow.charge)
}

// RefundsOf implements seckill.Payments.
func (p Payments) RefundsOf(ctx context.Context, order seckill.ID) ([]seckill.Refund, error) {
	return beside(ctx, p, order, "at, provider, txn", refundRow.refund)
}

// Events implements seckill.Payments.
func (p Payments) Events(ctx context.Context, order seckill.ID) ([]seckill.OrderEvent, error) {
	return beside(ctx, p, order, "version", orderEventRow.event)
}
