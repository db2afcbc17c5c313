package sim

import (
	"context"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
)

// paymentsPort is seckill.Payments as a process reaches it.
type paymentsPort struct {
	ledger.Payments

	p *process
}

// moved is what moves an order, and begun what begins a payment, recorded what records a charge, waiting what waits.
type moved struct {
	order seckill.Order
	done  bool
}

type begun struct {
	payment seckill.Payment
	order   seckill.Order
	done    bool
}

type recorded struct {
	charge seckill.Charge
	first  bool
}

type waiting struct {
	count int64
	age   time.Duration
}

// CancelOverdue implements seckill.Payments.
func (x paymentsPort) CancelOverdue(ctx context.Context, shard, limit int) (int, error) {
	if x.p.skips(noExpiry) {
		return 0, nil
	}
	return ask(ctx, x.p, paymentsCancelOverdue, about{shard: shard}, func(ctx context.Context) (int, error) {
		return x.Payments.CancelOverdue(ctx, shard, limit)
	})
}

// Opened implements seckill.Payments.
func (x paymentsPort) Opened(ctx context.Context, payment seckill.ID, session, url string) (seckill.Payment, error) {
	return ask(ctx, x.p, paymentsOpened, about{id: payment, says: []any{session}}, func(ctx context.Context) (seckill.Payment, error) {
		return x.Payments.Opened(ctx, payment, session, url)
	})
}

// Closed implements seckill.Payments.
func (x paymentsPort) Closed(ctx context.Context, payment seckill.ID) error {
	return tell(ctx, x.p, paymentsClosed, about{id: payment}, func(ctx context.Context) error {
		return x.Payments.Closed(ctx, payment)
	})
}

// Payment implements seckill.Payments.
func (x paymentsPort) Payment(ctx context.Context, id seckill.ID) (seckill.Payment, error) {
	return ask(ctx, x.p, paymentsRead, about{id: id}, func(ctx context.Context) (seckill.Payment, error) {
		return x.Payments.Payment(ctx, id)
	})
}

// PaymentsOf implements seckill.Payments.
func (x paymentsPort) PaymentsOf(ctx context.Context, order seckill.ID) ([]seckill.Payment, error) {
	return ask(ctx, x.p, paymentsRead, about{id: order}, func(ctx context.Context) ([]seckill.Payment, error) {
		return x.Payments.PaymentsOf(ctx, order)
	})
}

// OpenPayments implements seckill.Payments.
func (x paymentsPort) OpenPayments(ctx context.Context, shard int, orders []seckill.ID) ([]seckill.Payment, error) {
	if x.p.skips(returnUnclosed) {
		return nil, nil
	}
	return ask(ctx, x.p, paymentsRead, about{shard: shard, says: []any{orders}}, func(ctx context.Context) ([]seckill.Payment, error) {
		return x.Payments.OpenPayments(ctx, shard, orders)
	})
}

// ChargesOf implements seckill.Payments.
func (x paymentsPort) ChargesOf(ctx context.Context, order seckill.ID) ([]seckill.Charge, error) {
	return ask(ctx, x.p, paymentsRead, about{id: order}, func(ctx context.Context) ([]seckill.Charge, error) {
		return x.Payments.ChargesOf(ctx, order)
	})
}

// RefundsOf implements seckill.Payments.
func (x paymentsPort) RefundsOf(ctx context.Context, order seckill.ID) ([]seckill.Refund, error) {
	return ask(ctx, x.p, paymentsRead, about{id: order}, func(ctx context.Context) ([]seckill.Refund, error) {
		return x.Payments.RefundsOf(ctx, order)
	})
}

// RefundsDue implements seckill.Payments.
func (x paymentsPort) RefundsDue(ctx context.Context, shard, limit int) ([]seckill.Refund, error) {
	return ask(ctx, x.p, paymentsRefundsDue, about{shard: shard}, func(ctx context.Context) ([]seckill.Refund, error) {
		return x.Payments.RefundsDue(ctx, shard, limit)
	})
}

// Refunded implements seckill.Payments.
func (x paymentsPort) Refunded(ctx context.Context, refund seckill.Refund) (bool, error) {
	return ask(ctx, x.p, paymentsRefunded, about{id: refund.Order, says: []any{refund}}, func(ctx context.Context) (bool, error) {
		return x.Payments.Refunded(ctx, refund)
	})
}

// SinceEnd implements seckill.Payments.
func (x paymentsPort) SinceEnd(ctx context.Context, orders []seckill.ID) ([]time.Duration, error) {
	return ask(ctx, x.p, paymentsRead, about{says: []any{orders}}, func(ctx context.Context) ([]time.Duration, error) {
		return x.Payments.SinceEnd(ctx, orders)
	})
}

// Events implements seckill.Payments.
func (x paymentsPort) Events(ctx context.Context, order seckill.ID) ([]seckill.OrderEvent, error) {
	return ask(ctx, x.p, paymentsRead, about{id: order}, func(ctx context.Context) ([]seckill.OrderEvent, error) {
		return x.Payments.Events(ctx, order)
	})
}

// Cancel implements seckill.Payments.
func (x paymentsPort) Cancel(ctx context.Context, cancellation seckill.Cancellation) (seckill.Order, bool, error) {
	a := about{id: cancellation.Order, user: cancellation.User, says: []any{cancellation}}
	answer, err := ask(ctx, x.p, paymentsCancel, a, func(ctx context.Context) (m moved, err error) {
		m.order, m.done, err = x.Payments.Cancel(ctx, cancellation)
		return m, err
	})
	return answer.order, answer.done, err
}

// Refund implements seckill.Payments.
func (x paymentsPort) Refund(ctx context.Context, request seckill.RefundRequest) (seckill.Order, bool, error) {
	a := about{id: request.Order, says: []any{request}}
	answer, err := ask(ctx, x.p, paymentsRefund, a, func(ctx context.Context) (m moved, err error) {
		m.order, m.done, err = x.Payments.Refund(ctx, request)
		return m, err
	})
	return answer.order, answer.done, err
}

// Begin implements seckill.Payments.
func (x paymentsPort) Begin(ctx context.Context, payment seckill.NewPayment) (seckill.Payment, seckill.Order, bool, error) {
	a := about{id: payment.Order, user: payment.User, says: []any{payment}}
	answer, err := ask(ctx, x.p, paymentsBegin, a, func(ctx context.Context) (b begun, err error) {
		b.payment, b.order, b.done, err = x.Payments.Begin(ctx, payment)
		return b, err
	})
	return answer.payment, answer.order, answer.done, err
}

// Record implements seckill.Payments.
func (x paymentsPort) Record(ctx context.Context, charge seckill.Charge) (seckill.Charge, bool, error) {
	if x.p.skips(noticeForgotten, apiRole) && x.p.random.IntN(3) == 0 {
		return charge, true, nil
	}
	answer, err := ask(ctx, x.p, paymentsRecord, about{id: charge.Payment, says: []any{charge}}, func(ctx context.Context) (r recorded, err error) {
		r.charge, r.first, err = x.Payments.Record(ctx, charge)
		return r, err
	})
	return answer.charge, answer.first, err
}

// RefundsOwed implements seckill.Payments.
func (x paymentsPort) RefundsOwed(ctx context.Context, shard int) (int64, time.Duration, error) {
	answer, err := ask(ctx, x.p, paymentsRefundsOwed, about{shard: shard}, func(ctx context.Context) (w waiting, err error) {
		w.count, w.age, err = x.Payments.RefundsOwed(ctx, shard)
		return w, err
	})
	return answer.count, answer.age, err
}

// RefundFailed implements seckill.Payments.
func (x paymentsPort) RefundFailed(ctx context.Context, refund seckill.Refund, wait time.Duration, failure string) error {
	return tell(ctx, x.p, paymentsRefundFailed, about{id: refund.Order, says: []any{refund}}, func(ctx context.Context) error {
		return x.Payments.RefundFailed(ctx, refund, steady(wait), failure)
	})
}
