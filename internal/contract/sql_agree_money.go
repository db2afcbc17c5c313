package contract

import (
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// moneySteps are what shoppers, a provider, operators and keepers do to orders.
func (w *twins) moneySteps() []func() {
	return []func(){w.cancel, w.begin, w.begin, w.charge, w.charge, w.chargeAgain, w.refund, w.refunded, w.refunded, w.overdue, w.close, w.tell}
}

// order is one of those there are; false when there is none.
func (w *twins) order() (seckill.Order, bool) {
	orders, _ := w.one.Books.OrdersOf(w.ctx, w.reserved())
	if len(orders) == 0 {
		return seckill.Order{}, false
	}
	return pick(w, orders), true
}

// payment is an attempt to pay one of the orders.
func (w *twins) payment() (seckill.Payment, seckill.Order, bool) {
	order, is := w.order()
	if !is {
		return seckill.Payment{}, order, false
	}
	payments, _ := w.one.Payments.PaymentsOf(w.ctx, order.ID)
	if len(payments) == 0 {
		return seckill.Payment{}, order, false
	}
	return pick(w, payments), order, true
}

func (w *twins) cancel() {
	order, is := w.order()
	if !is || !w.seldom(3) {
		return
	}
	asked := seckill.Cancellation{Order: order.ID, User: order.User, Cause: seckill.CauseUser}
	switch w.random.IntN(5) {
	case 0:
		asked.User = "a stranger"
	case 1:
		asked.User, asked.Version, asked.Cause = "", order.Version, seckill.CauseOperator
	case 2:
		asked.Version = order.Version + 1
	default:
	}
	w.both("cancel", func(s SQL) []any {
		order, cancelled, err := s.Payments.Cancel(w.ctx, asked)
		return []any{order, cancelled, err}
	})
}

func (w *twins) begin() {
	order, is := w.order()
	if !is {
		return
	}
	asked := seckill.NewPayment{ID: w.numbers.next(order.ID.Bucket()), Order: order.ID, User: order.User, Provider: "sandbox"}
	if w.seldom(3) {
		asked.Lives = time.Minute
	}
	w.both("begin", func(s SQL) []any {
		payment, order, begun, err := s.Payments.Begin(w.ctx, asked)
		return []any{payment, order, begun, err}
	})
	if w.seldom(2) {
		w.both("opened", func(s SQL) []any {
			return answers(s.Payments.Opened(w.ctx, asked.ID, "session", "https://pay.example"))
		})
	}
}

// charge is money of any amount, on any payment.
func (w *twins) charge() {
	payment, order, is := w.payment()
	if !is {
		return
	}
	charge := seckill.Charge{
		Provider: "sandbox", Txn: w.name(), Payment: payment.ID, AmountMinor: order.AmountMinor(), Currency: order.Currency,
	}
	switch w.random.IntN(8) {
	case 0:
		charge.AmountMinor++
	case 1:
		charge.Currency = "USD"
	case 2:
		charge.Provider = "another"
	default:
	}
	w.charges = append(w.charges, charge)
	w.record(charge)
}

func (w *twins) record(charge seckill.Charge) {
	w.both("record", func(s SQL) []any {
		charge, recorded, err := s.Payments.Record(w.ctx, charge)
		return []any{charge, recorded, err}
	})
}

func (w *twins) chargeAgain() {
	if len(w.charges) > 0 {
		w.record(pick(w, w.charges))
	}
}

func (w *twins) refund() {
	order, is := w.order()
	if !is {
		return
	}
	asked := seckill.RefundRequest{Order: order.ID, Restock: w.seldom(2), Cause: seckill.CauseOperator}
	w.both("refund", func(s SQL) []any {
		order, refunding, err := s.Payments.Refund(w.ctx, asked)
		return []any{order, refunding, err}
	})
}

// refunded is the keeper's try, which may fail, and may be somebody's second.
func (w *twins) refunded() {
	order, is := w.order()
	if !is {
		return
	}
	refunds, _ := w.one.Payments.RefundsOf(w.ctx, order.ID)
	if len(refunds) == 0 {
		return
	}
	refund := pick(w, refunds)
	if w.seldom(2) {
		wait := pick(w, []time.Duration{0, time.Hour})
		w.both("refund failed", func(s SQL) []any { return []any{s.Payments.RefundFailed(w.ctx, refund, wait, saidNo())} })
	} else {
		w.both("refunded", func(s SQL) []any { return answers(s.Payments.Refunded(w.ctx, refund)) })
	}
	shard := seckill.UserShard(w.one.Shards, order.User)
	w.both("refunds due", func(s SQL) []any { return unordered(s.Payments.RefundsDue(w.ctx, shard, rowsMany)) })
	w.both("refunds owed", func(s SQL) []any {
		owed, _, err := s.Payments.RefundsOwed(w.ctx, shard)
		return []any{owed, err}
	})
}

// saidNo is more than a store keeps, and hard to quote.
func saidNo() string { return strings.Repeat(`it said "不", 'no', \, `, 20) }

// overdue moves the deadlines of an item, and lets the keeper look.
func (w *twins) overdue() {
	item, in := w.item(), pick(w, []time.Duration{-time.Minute, time.Hour, time.Hour})
	w.both("deadline", func(s SQL) []any { return []any{s.SetDeadline(w.ctx, item, in)} })
	if !w.seldom(3) {
		return
	}
	for shard := range w.one.Shards.Count() {
		w.both("cancel overdue", func(s SQL) []any { return answers(s.Payments.CancelOverdue(w.ctx, shard, rowsMany)) })
	}
}

func (w *twins) close() {
	payment, order, is := w.payment()
	if !is || !w.seldom(3) {
		return
	}
	w.both("closed", func(s SQL) []any { return []any{s.Payments.Closed(w.ctx, payment.ID)} })
	w.both("payments", func(s SQL) []any { return answers(s.Payments.PaymentsOf(w.ctx, order.ID)) })
	w.both("steps", func(s SQL) []any { return answers(s.Payments.Events(w.ctx, order.ID)) })
}

// tell spreads events, and tells of those that are due.
func (w *twins) tell() {
	endpoints := []string{"books", "mail"}
	for shard := range w.one.Shards.Count() {
		w.both("spread", func(s SQL) []any { return answers(s.Events.Spread(w.ctx, shard, endpoints, rowsMany)) })
		for _, endpoint := range endpoints {
			dead := w.seldom(5)
			w.both("due", func(s SQL) []any { return w.tellDue(s, shard, endpoint, dead) })
		}
		w.both("dead", func(s SQL) []any { return unordered(s.Events.Dead(w.ctx, shard, "", 0, rowsMany)) })
	}
}

// tellDue leases what is due and says that it was told, or that it never will be.
func (w *twins) tellDue(s SQL, shard int, endpoint string, dead bool) []any {
	due, err := s.Events.Due(w.ctx, shard, endpoint, rowsMany)
	answers := []any{inOrder(due), err}
	for _, dispatch := range due {
		if dead {
			setback := seckill.Setback{Event: dispatch.ID, Failure: saidNo(), Dead: true}
			answers = append(answers, s.Events.Failed(w.ctx, shard, endpoint, []seckill.Setback{setback}))
		} else {
			answers = append(answers, s.Events.Told(w.ctx, shard, endpoint, []seckill.ID{dispatch.ID}))
		}
	}
	return answers
}
