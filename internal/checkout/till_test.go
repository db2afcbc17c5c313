package checkout_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// till is seckill.Payments and seckill.IDs in memory, as far as checkout uses them. Its clock stands at noon
// unless it is given another.
type till struct {
	seckill.Payments
	now      func() time.Time
	mu       sync.Mutex
	orders   []seckill.Order
	payments []seckill.Payment
	charges  []seckill.Charge
	refunds  []seckill.Refund
	made     int64
	// lose fails the next call of that name before it did anything.
	lose map[string]error
	// before happens before each call of that name.
	before map[string]func()
	// closing closes payments as soon as they are opened, as a keeper may.
	closing bool
}

func newTill() *till { return &till{now: noon, lose: map[string]error{}, before: map[string]func(){}} }

// orders is seckill.Orders on the same rows.
type orders struct {
	seckill.Orders
	till *till
}

func (t *till) enter(call string) (func(), error) {
	t.mu.Lock()
	if meanwhile := t.before[call]; meanwhile != nil {
		meanwhile()
	}
	err := t.lose[call]
	delete(t.lose, call)
	return t.mu.Unlock, err
}

func (t *till) Next(bucket int) (seckill.ID, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.made++
	return seckill.ComposeID(1_800_000_000_000+t.made, bucket, 0, 0), nil
}

func (t *till) find(id seckill.ID) *seckill.Order {
	for i := range t.orders {
		if t.orders[i].ID == id {
			return &t.orders[i]
		}
	}
	return nil
}

func (t *till) payment(id seckill.ID) *seckill.Payment {
	for i := range t.payments {
		if t.payments[i].ID == id {
			return &t.payments[i]
		}
	}
	return nil
}

func (o orders) Find(_ context.Context, id seckill.ID) (seckill.Order, error) {
	leave, err := o.till.enter("find")
	defer leave()
	order := o.till.find(id)
	switch {
	case err != nil:
		return seckill.Order{}, err
	case order == nil:
		return seckill.Order{}, seckill.ErrNotFound
	default:
		return *order, nil
	}
}

func (o orders) OfUser(_ context.Context, query seckill.OrderQuery) ([]seckill.Order, error) {
	leave, err := o.till.enter("of user")
	defer leave()
	var found []seckill.Order
	for _, order := range slices.Backward(o.till.orders) {
		after := query.After == 0 || order.ID < query.After
		if order.User == query.User && after && (query.State == "" || order.State == query.State) && len(found) < query.Limit {
			found = append(found, order)
		}
	}
	return found, err
}

func (t *till) Begin(_ context.Context, asked seckill.NewPayment) (seckill.Payment, seckill.Order, bool, error) {
	leave, err := t.enter("begin")
	defer leave()
	order := t.find(asked.Order)
	switch {
	case err != nil:
		return seckill.Payment{}, seckill.Order{}, false, err
	case order == nil || order.User != asked.User:
		return seckill.Payment{}, seckill.Order{}, false, seckill.ErrNotFound
	case order.State != seckill.OrderUnpaid || !t.now().Before(order.PayBy):
		return seckill.Payment{}, *order, false, nil
	}
	for _, payment := range t.payments {
		if payment.Order == asked.Order && payment.Provider == asked.Provider && payment.State == seckill.PaymentOpen {
			return payment, *order, true, nil
		}
	}
	payment := seckill.Payment{
		ID: asked.ID, Order: asked.Order, Provider: asked.Provider, AmountMinor: order.AmountMinor(), Currency: order.Currency,
		State: seckill.PaymentOpen, ExpiresAt: order.PayBy, CreatedAt: t.now(),
	}
	if asked.Lives > 0 {
		payment.ExpiresAt = t.now().Add(asked.Lives)
	}
	t.payments = append(t.payments, payment)
	return payment, *order, true, nil
}

func (t *till) Closed(_ context.Context, id seckill.ID) error {
	leave, err := t.enter("closed")
	defer leave()
	if payment := t.payment(id); err == nil && payment.State == seckill.PaymentOpen {
		payment.State = seckill.PaymentClosed
	}
	return err
}

func (t *till) Opened(_ context.Context, id seckill.ID, session, url string) (seckill.Payment, error) {
	leave, err := t.enter("opened")
	defer leave()
	if err != nil {
		return seckill.Payment{}, err
	}
	payment := t.payment(id)
	if t.closing {
		payment.State = seckill.PaymentClosed
	}
	if payment.State == seckill.PaymentOpen && payment.Session == "" {
		payment.Session, payment.URL = session, url
	}
	return *payment, nil
}

func (t *till) Payment(_ context.Context, id seckill.ID) (seckill.Payment, error) {
	leave, err := t.enter("payment")
	defer leave()
	return *t.payment(id), err
}

func (t *till) PaymentsOf(_ context.Context, order seckill.ID) ([]seckill.Payment, error) {
	leave, err := t.enter("payments of")
	defer leave()
	var found []seckill.Payment
	for _, payment := range t.payments {
		if payment.Order == order {
			found = append(found, payment)
		}
	}
	return found, err
}

func (t *till) RefundsOf(_ context.Context, order seckill.ID) ([]seckill.Refund, error) {
	leave, err := t.enter("refunds of")
	defer leave()
	var found []seckill.Refund
	for _, refund := range t.refunds {
		if refund.Order == order {
			found = append(found, refund)
		}
	}
	return found, err
}

func (t *till) Cancel(_ context.Context, asked seckill.Cancellation) (seckill.Order, bool, error) {
	leave, err := t.enter("cancel")
	defer leave()
	order := t.find(asked.Order)
	switch {
	case err != nil:
		return seckill.Order{}, false, err
	case order == nil || order.User != asked.User:
		return seckill.Order{}, false, seckill.ErrNotFound
	case order.State != seckill.OrderUnpaid || asked.Version != 0 && asked.Version != order.Version:
		return *order, false, nil
	}
	order.State = seckill.OrderCancelled
	order.Version++
	return *order, true, nil
}

func (t *till) Record(_ context.Context, charge seckill.Charge) (seckill.Charge, bool, error) {
	leave, err := t.enter("record")
	defer leave()
	payment := t.payment(charge.Payment)
	switch {
	case err != nil:
		return seckill.Charge{}, false, err
	case payment == nil:
		return seckill.Charge{}, false, seckill.ErrNotFound
	}
	for _, known := range t.charges {
		if known.Provider == charge.Provider && known.Txn == charge.Txn {
			return known, false, nil
		}
	}
	order := t.find(payment.Order)
	charge.Order, charge.At, charge.Refund = order.ID, noon(), judge(*order, charge)
	t.charges = append(t.charges, charge)
	if charge.Refund == "" {
		payment.State, order.State, order.PaidAt = seckill.PaymentPaid, seckill.OrderPaid, noon()
		order.Version++
	} else {
		t.refunds = append(t.refunds, seckill.Refund{
			Provider: charge.Provider, Txn: charge.Txn, Order: order.ID, AmountMinor: charge.AmountMinor, Currency: charge.Currency,
			Reason: charge.Refund, State: seckill.RefundOwed, At: noon(), NextAt: noon().Add(time.Second),
		})
	}
	return charge, true, nil
}

func judge(order seckill.Order, charge seckill.Charge) seckill.RefundReason {
	switch {
	case order.State == seckill.OrderPaid:
		return seckill.RefundDouble
	case order.State != seckill.OrderUnpaid:
		return seckill.RefundCancelled
	case !noon().Before(order.PayBy):
		return seckill.RefundLate
	case charge.AmountMinor != order.AmountMinor():
		return seckill.RefundWrongAmount
	default:
		return ""
	}
}
