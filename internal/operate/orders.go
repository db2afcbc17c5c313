package operate

import (
	"context"
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// OrderReport is an order as operators see it, with all that became of it.
type OrderReport struct {
	Order    seckill.Order
	Payments []seckill.Payment
	Charges  []seckill.Charge
	Refunds  []seckill.Refund
	Events   []seckill.OrderEvent
}

// OrderPage is one page of a user's orders, newest first.
type OrderPage struct {
	Orders []seckill.Order
	// Next is the After of the next page, 0 on the last one.
	Next seckill.ID
}

// OrderAct is what an operator asks of one order.
type OrderAct struct {
	Actor string
	Order seckill.ID
	// Version is what the order's must be; 0 does not ask.
	Version int64
	Reason  string
}

// Order reads one order with its payments, its money and its events.
func (s *Service) Order(ctx context.Context, id seckill.ID) (OrderReport, error) {
	order, err := s.findOrder(ctx, id)
	if err != nil {
		return OrderReport{}, err
	}
	return s.orderReport(ctx, order)
}

func (s *Service) orderReport(ctx context.Context, order seckill.Order) (report OrderReport, err error) {
	report.Order = order
	for _, read := range []func() error{
		func() (err error) { report.Payments, err = s.ports.Payments.PaymentsOf(ctx, order.ID); return err },
		func() (err error) { report.Charges, err = s.ports.Payments.ChargesOf(ctx, order.ID); return err },
		func() (err error) { report.Refunds, err = s.ports.Payments.RefundsOf(ctx, order.ID); return err },
		func() (err error) { report.Events, err = s.ports.Payments.Events(ctx, order.ID); return err },
	} {
		if err := read(); err != nil {
			return OrderReport{}, fmt.Errorf("read what became of order %s: %w", order.ID, err)
		}
	}
	return report, nil
}

// OrdersOf lists a user's orders.
func (s *Service) OrdersOf(ctx context.Context, query seckill.OrderQuery) (OrderPage, error) {
	if err := query.User.Validate(); err != nil {
		return OrderPage{}, seckill.InvalidField("user", err.Error())
	}
	size := min(max(query.Limit, 1), pageMax)
	query.Limit = size + 1 // see cut
	orders, err := s.ports.Orders.OfUser(ctx, query)
	if err != nil {
		return OrderPage{}, fmt.Errorf("list the orders of %s: %w", query.User, err)
	}
	page, next := cut(orders, size, func(order seckill.Order) seckill.ID { return order.ID })
	return OrderPage{Orders: page, Next: next}, nil
}

// CancelOrder cancels an unpaid order; its units are for sale again once its payments are closed. One that is cancelled
// already is answered as it is.
func (s *Service) CancelOrder(ctx context.Context, act OrderAct) (OrderReport, error) {
	return s.moveOrder(ctx, act, orderMove{
		intent: actionCancel, done: actionCancelled, verb: "be cancelled", asked: map[string]any{"reason": act.Reason},
		move: func(ctx context.Context) (seckill.Order, bool, error) {
			return s.ports.Payments.Cancel(ctx, seckill.Cancellation{Order: act.Order, Version: act.Version, Cause: seckill.CauseOperator})
		},
		isDone: func(report OrderReport) bool { return report.Order.State == seckill.OrderCancelled },
	})
}

// RefundOrder gives the money of a paid order back; with restock its units are for sale again once that is done. One whose
// money goes back already, with the same restock, is answered as it is.
func (s *Service) RefundOrder(ctx context.Context, act OrderAct, restock bool) (OrderReport, error) {
	return s.moveOrder(ctx, act, orderMove{
		intent: actionRefund, done: actionRefunded, verb: "be refunded", asked: map[string]any{"reason": act.Reason, "restock": restock},
		move: func(ctx context.Context) (seckill.Order, bool, error) {
			return s.ports.Payments.Refund(ctx, seckill.RefundRequest{
				Order: act.Order, Version: act.Version, Restock: restock, Cause: seckill.CauseOperator,
			})
		},
		isDone: func(report OrderReport) bool {
			return slices.ContainsFunc(report.Refunds, func(r seckill.Refund) bool {
				return r.Reason == seckill.RefundOperator && r.Restock == restock
			})
		},
	})
}

// orderMove is one way to move an order.
type orderMove struct {
	intent, done, verb string
	asked              map[string]any
	move               func(ctx context.Context) (seckill.Order, bool, error)
	// isDone says that the order is where the act would have brought it.
	isDone func(OrderReport) bool
}

func (s *Service) moveOrder(ctx context.Context, act OrderAct, m orderMove) (OrderReport, error) {
	if err := validateText("reason", act.Reason, reasonMax); err != nil {
		return OrderReport{}, err
	}
	before, err := s.findOrder(ctx, act.Order)
	if err != nil {
		return OrderReport{}, err
	}
	d := deed{actor: act.Actor, target: act.Order, intent: m.intent, done: m.done, before: encode(loggedOrder(before))}
	if err := s.intend(ctx, d, m.asked); err != nil {
		return OrderReport{}, err
	}
	order, moved, err := m.move(ctx)
	if err != nil {
		return OrderReport{}, fmt.Errorf("%s %s: %w", m.intent, act.Order, err)
	}
	report, err := s.orderReport(ctx, order)
	if !moved {
		if err == nil {
			err = refusedMove(report, act, m)
		}
		if err != nil {
			s.refused(ctx, d, err)
			return OrderReport{}, err
		}
	}
	after := loggedOrder(order)
	after["repeated"] = !moved
	s.done(ctx, d, after)
	return report, err
}

// refusedMove is why an order was not moved; nil when it is there already and the version was not asked for.
func refusedMove(report OrderReport, act OrderAct, m orderMove) error {
	order := report.Order
	switch err := order.At(act.Version); {
	case err != nil:
		return err
	case m.isDone(report):
		return nil
	default:
		return order.Cannot(m.verb)
	}
}

func (s *Service) findOrder(ctx context.Context, id seckill.ID) (seckill.Order, error) {
	order, err := s.ports.Orders.Find(ctx, id)
	if isNotFound(err) {
		return seckill.Order{}, seckill.Refuse(seckill.NotFound, fmt.Sprintf("there is no order %s", id))
	}
	if err != nil {
		return seckill.Order{}, fmt.Errorf("read order %s: %w", id, err)
	}
	return order, nil
}

// loggedOrder is an order in the operators' log, in the words of the API.
func loggedOrder(order seckill.Order) map[string]any {
	return map[string]any{
		"status": order.State, "version": order.Version, "quantity": order.Quantity, "amount_minor": order.AmountMinor(),
		"currency": order.Currency,
	}
}
