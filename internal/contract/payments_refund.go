package contract

import (
	"slices"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func refundCases() []tillCase {
	return []tillCase{
		{"gives the money of a paid order back, and its units when asked to", func(l tillTest) { l.givesBack(true) }},
		{"gives the money of a paid order back, and keeps its units", func(l tillTest) { l.givesBack(false) }},
		{"refunds once when several ask at the same time", refundsOnceAtOnce},
		{"refunds no order that is not paid, or of another version", refundsPaidOnly},
		{"ends no order with a refund of other money", refundsOther},
		{"tells what is due, the longest wait first, and no more than asked for", tellsDue},
		{"puts a failed refund off and counts its tries", putsOff},
		{"misses refunds that do not exist", missesRefunds},
	}
}

// refund begins to give the money of a paid order back.
func (l tillTest) refund(order seckill.Order, restock bool) seckill.Order {
	l.Helper()
	order, refunding, err := l.Payments.Refund(l.Context(), seckill.RefundRequest{
		Order: order.ID, Version: order.Version, Restock: restock, Cause: seckill.CauseOperator,
	})
	must(l.T, err)
	if !refunding {
		l.Fatalf("it is not refunded: %+v", order)
	}
	return order
}

// refunded notes that the provider has given the money back, and tells whether that was news.
func (l tillTest) refunded(refund seckill.Refund) bool {
	l.Helper()
	done, err := l.Payments.Refunded(l.Context(), refund)
	must(l.T, err)
	return done
}

func (l tillTest) givesBack(restock bool) {
	l.Helper()
	order, charge := l.paid()
	got := l.refund(order, restock)
	if got != l.find(order.ID) || got.State != seckill.OrderRefunding || got.PaidAt != order.PaidAt {
		l.Fatalf("it became %+v", got)
	}
	refunds := l.refunds(order.ID)
	want := seckill.Refund{
		Provider: bank, Txn: charge.Txn, Order: order.ID, AmountMinor: tillAmount, Currency: tillCurrency,
		Reason: seckill.RefundOperator, Restock: restock, State: seckill.RefundOwed,
	}
	if len(refunds) == 1 {
		want.NextAt, want.At = refunds[0].NextAt, refunds[0].At
	}
	if len(refunds) != 1 || refunds[0] != want || want.At.IsZero() || want.NextAt.After(want.At) {
		l.Fatalf("refunds are %+v, want %+v", refunds, want)
	}
	l.wantNoReturn(order)
	for look := range 2 {
		if news := l.refunded(refunds[0]); news != (look == 0) {
			l.Fatalf("says %t the time after %d", news, look)
		}
		l.wantEvents(order.ID, became(seckill.OrderPaid, seckill.CausePayment),
			became(seckill.OrderRefunding, seckill.CauseOperator), became(seckill.OrderRefunded, seckill.CauseRefund))
		done := l.refunds(order.ID)
		if len(done) != 1 || done[0].State != seckill.RefundDone || done[0].DoneAt.Before(want.At) {
			l.Fatalf("refunds are %+v", done)
		}
		if restock {
			l.wantReturn(order)
		} else {
			l.wantNoReturn(order)
		}
	}
}

func refundsOnceAtOnce(l tillTest) {
	order, _ := l.paid()
	won := race(l.T, 6, func(int) (bool, error) {
		_, refunding, err := l.Payments.Refund(l.Context(), seckill.RefundRequest{
			Order: order.ID, Restock: true, Cause: seckill.CauseOperator,
		})
		return refunding, err
	})
	refunds := l.refunds(order.ID)
	if won != 1 || len(refunds) != 1 {
		l.Fatalf("%d began %+v", won, refunds)
	}
	if won := race(l.T, 6, func(int) (bool, error) { return l.Payments.Refunded(l.Context(), refunds[0]) }); won != 1 {
		l.Fatalf("%d say that they have ended it", won)
	}
	l.wantEvents(order.ID, became(seckill.OrderPaid, seckill.CausePayment),
		became(seckill.OrderRefunding, seckill.CauseOperator), became(seckill.OrderRefunded, seckill.CauseRefund))
	l.wantReturn(order)
}

func refundsPaidOnly(l tillTest) {
	paid, _ := l.paid()
	refunding, _ := l.paid()
	for _, asked := range []struct {
		order   seckill.Order
		version int64
	}{
		{l.unpaid(), 0},
		{l.cancel(l.unpaid()), 0},
		{l.refund(refunding, true), 0},
		{paid, paid.Version - 1},
	} {
		got, began, err := l.Payments.Refund(l.Context(), seckill.RefundRequest{
			Order: asked.order.ID, Version: asked.version, Cause: seckill.CauseOperator,
		})
		must(l.T, err)
		if began || got != asked.order || l.find(asked.order.ID) != asked.order {
			l.Fatalf("%t with %+v", began, got)
		}
	}
	if refunds := l.refunds(paid.ID); len(refunds) > 0 {
		l.Fatalf("refunds are %+v", refunds)
	}
	_, _, err := l.Payments.Refund(l.Context(), seckill.RefundRequest{Order: l.id(paid.ID.Bucket())})
	wantMissing(l.T, err)
}

func refundsOther(l tillTest) {
	order, charge := l.paid()
	double, _ := l.record(l.charge(l.payment(charge.Payment), "double"))
	l.refund(order, true)
	refunds := l.refunds(order.ID)
	at := slices.IndexFunc(refunds, func(r seckill.Refund) bool { return r.Txn == double.Txn })
	l.refunded(refunds[at])
	l.wantEvents(order.ID, became(seckill.OrderPaid, seckill.CausePayment), became(seckill.OrderRefunding, seckill.CauseOperator))
	l.wantNoReturn(order)
	l.refunded(refunds[1-at])
	l.wantReturn(order)
}

// due are the names of what a shard owes now.
func (l tillTest) due(shard, limit int) []string {
	l.Helper()
	refunds, err := l.Payments.RefundsDue(l.Context(), shard, limit)
	must(l.T, err)
	names := make([]string, len(refunds))
	for i, refund := range refunds {
		names[i] = refund.Txn
		if of := l.refunds(refund.Order); !slices.Contains(of, refund) {
			l.Fatalf("due is %+v, but the order has %+v", refund, of)
		}
	}
	return names
}

func tellsDue(l tillTest) {
	shard := l.Shards.Count() - 1
	orders := l.placedOn(3, func(int) int { return shard })
	names := []string{"c", "a", "b"}
	for i, order := range orders {
		payment := l.begin(order)
		l.cancel(order)
		l.record(l.charge(payment, names[i]))
	}
	refund := l.refunds(orders[0].ID)[0]
	must(l.T, l.Payments.RefundFailed(l.Context(), refund, time.Millisecond, "busy"))
	eventually(l.T, "what was put off is due again, and last", func() bool {
		return slices.Equal(l.due(shard, 10), []string{"a", "b", "c"})
	})
	if due := l.due(shard, 2); !slices.Equal(due, []string{"a", "b"}) {
		l.Fatalf("due are %v", due)
	}
	l.refunded(l.refunds(orders[1].ID)[0])
	if due := l.due(shard, 10); !slices.Equal(due, []string{"b", "c"}) {
		l.Fatalf("due are %v", due)
	}
	if shard > 0 && len(l.due(0, 10)) > 0 {
		l.Fatal("another shard owes it")
	}
}

func putsOff(l tillTest) {
	order := l.unpaid()
	payment := l.begin(order)
	l.cancel(order)
	l.record(l.charge(payment, "one"))
	shard := l.Shards.Shard(order.ID.Bucket())
	first := l.refunds(order.ID)[0]
	long := strings.Repeat("ü", 1000)
	for range 2 { // the second time tells of the same try
		must(l.T, l.Payments.RefundFailed(l.Context(), first, time.Hour, long))
		put := l.refunds(order.ID)[0]
		off := put.NextAt.Sub(first.NextAt)
		if put.Tries != 1 || !strings.HasPrefix(long, put.Failure) || put.Failure == "" || off < time.Hour || off > time.Hour+patience {
			l.Fatalf("it is %+v", put)
		}
		if due := l.due(shard, 10); len(due) > 0 {
			l.Fatalf("due are %v", due)
		}
	}
	must(l.T, l.Payments.RefundFailed(l.Context(), l.refunds(order.ID)[0], time.Hour, "again"))
	second := l.refunds(order.ID)[0]
	l.refunded(second)
	must(l.T, l.Payments.RefundFailed(l.Context(), second, time.Hour, "too late"))
	done := l.refunds(order.ID)[0]
	if done.Tries != 2 || done.Failure != "again" || done.State != seckill.RefundDone {
		l.Fatalf("it is %+v", done)
	}
}

func missesRefunds(l tillTest) {
	order, charge := l.paid()
	for _, refund := range []seckill.Refund{
		{Provider: bank, Txn: charge.Txn, Order: order.ID}, {Provider: bank, Txn: "one", Order: l.id(0)},
	} {
		_, err := l.Payments.Refunded(l.Context(), refund)
		wantMissing(l.T, err)
	}
	l.wantEvents(order.ID, became(seckill.OrderPaid, seckill.CausePayment))
}
