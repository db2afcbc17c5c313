package contract

import (
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func owedCases() []tillCase {
	return []tillCase{
		{"finds the open payments of some orders, and no others", findsOpen},
		{"counts the refunds that a shard owes, put off or not", countsRefunds},
		{"tells how long ago orders ended, on whatever shard, and nothing of others", tellsSinceEnd},
	}
}

func findsOpen(l tillTest) {
	shard := l.Shards.Count() - 1
	orders := l.placedOn(4, func(int) int { return shard })
	var payments []seckill.Payment
	for _, order := range orders[:3] {
		payments = append(payments, l.begin(order))
	}
	must(l.T, l.Payments.Closed(l.Context(), payments[1].ID))
	asked := []seckill.ID{orders[3].ID, orders[1].ID, orders[0].ID}
	open, err := l.Payments.OpenPayments(l.Context(), shard, asked)
	must(l.T, err)
	if len(open) != 1 || open[0] != l.payment(payments[0].ID) {
		l.Fatalf("open are %+v, want %+v", open, payments[0])
	}
	if none, err := l.Payments.OpenPayments(l.Context(), shard, nil); err != nil || len(none) > 0 {
		l.Fatalf("of no orders: %+v, %v", none, err)
	}
}

func countsRefunds(l tillTest) {
	shard := l.Shards.Count() - 1
	owed := func() (int64, time.Duration) {
		l.Helper()
		refunds, oldest, err := l.Payments.RefundsOwed(l.Context(), shard)
		must(l.T, err)
		return refunds, oldest
	}
	if refunds, oldest := owed(); refunds != 0 || oldest != 0 {
		l.Fatalf("%d are owed, since %v, before any", refunds, oldest)
	}
	orders := l.placedOn(2, func(int) int { return shard })
	for i, order := range orders {
		payment := l.begin(order)
		l.cancel(order)
		l.record(l.charge(payment, []string{"a", "b"}[i]))
	}
	must(l.T, l.Payments.RefundFailed(l.Context(), l.refunds(orders[0].ID)[0], time.Hour, "busy"))
	eventually(l.T, "they have been owed for a while", func() bool {
		refunds, oldest := owed()
		return refunds == 2 && oldest > 0 && oldest < patience
	})
	l.refunded(l.refunds(orders[0].ID)[0])
	if refunds, _ := owed(); refunds != 1 || !slices.Equal(l.due(shard, 10), []string{"b"}) {
		l.Fatalf("%d are owed after one is done", refunds)
	}
}

func tellsSinceEnd(l tillTest) {
	orders := l.placed(4)
	refunded, _ := l.paid()
	paid, _ := l.paid()
	ids := []seckill.ID{paid.ID, refunded.ID, l.id(0)}
	for _, order := range orders {
		ids = append(ids, order.ID)
	}
	since := func(want int, least time.Duration) {
		l.Helper()
		ages, err := l.Payments.SinceEnd(l.Context(), ids)
		must(l.T, err)
		if len(ages) != want || want > 0 && (slices.Min(ages) < least || slices.Max(ages) > patience) {
			l.Fatalf("they ended %v ago, want %d of at least %v", ages, want, least)
		}
	}
	since(0, 0)
	for _, order := range orders[1:] {
		l.cancel(order)
	}
	l.refund(refunded, true)
	since(3, 0)
	l.refunded(l.refunds(refunded.ID)[0])
	since(4, 0)
	eventually(l.T, "time passes", func() bool {
		ages, err := l.Payments.SinceEnd(l.Context(), ids)
		return err == nil && slices.Min(ages) > 0
	})
	since(4, time.Millisecond)
	if none, err := l.Payments.SinceEnd(l.Context(), nil); err != nil || len(none) > 0 {
		l.Fatalf("of no orders: %v, %v", none, err)
	}
}
