package contract

import (
	"sync/atomic"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func cancelCases() []tillCase {
	return []tillCase{
		{"cancels an unpaid order once and owes the return of its units", cancelsOnce},
		{"cancels once when several ask at the same time", cancelsOnceAtOnce},
		{"cancels no order of another version", cancelsVersion},
		{"cancels nobody else's order", cancelsOwn},
		{"cancels no order that is paid, and says so", cancelsUnpaidOnly},
		{"cancels an order whose deadline has passed", func(l tillTest) { l.wantReturn(l.cancel(l.late())) }},
	}
}

func cancelsOnce(l tillTest) {
	order, other := l.unpaid(), l.unpaid()
	asked := seckill.Cancellation{Order: order.ID, User: order.User, Version: order.Version, Cause: seckill.CauseUser}
	for look := range 2 {
		got, cancelled, err := l.Payments.Cancel(l.Context(), asked)
		must(l.T, err)
		if cancelled != (look == 0) || got != l.find(order.ID) || got.State != seckill.OrderCancelled || !got.PaidAt.IsZero() {
			l.Fatalf("%t with %+v", cancelled, got)
		}
		l.wantEvents(order.ID, became(seckill.OrderCancelled, seckill.CauseUser))
		l.wantReturn(order)
	}
	l.wantEvents(other.ID)
	l.wantNoReturn(other)
}

func cancelsOnceAtOnce(l tillTest) {
	order := l.unpaid()
	won := race(l.T, 8, func(int) (bool, error) {
		_, cancelled, err := l.Payments.Cancel(l.Context(), seckill.Cancellation{Order: order.ID, Cause: seckill.CauseUser})
		return cancelled, err
	})
	if won != 1 {
		l.Fatalf("%d cancelled it", won)
	}
	l.wantEvents(order.ID, became(seckill.OrderCancelled, seckill.CauseUser))
	l.wantReturn(order)
}

func cancelsVersion(l tillTest) {
	order := l.unpaid()
	got, cancelled, err := l.Payments.Cancel(l.Context(), seckill.Cancellation{
		Order: order.ID, Version: order.Version + 1, Cause: seckill.CauseUser,
	})
	must(l.T, err)
	if cancelled || got != order {
		l.Fatalf("%t with %+v, want %+v", cancelled, got, order)
	}
	l.wantEvents(order.ID)
	l.wantNoReturn(order)
}

func cancelsOwn(l tillTest) {
	order := l.unpaid()
	for _, asked := range []seckill.Cancellation{
		{Order: order.ID, User: "stranger"},
		{Order: l.id(order.ID.Bucket()), User: order.User},
		{Order: l.id(order.ID.Bucket())},
	} {
		_, _, err := l.Payments.Cancel(l.Context(), asked)
		wantMissing(l.T, err)
	}
	l.wantEvents(order.ID)
}

func cancelsUnpaidOnly(l tillTest) {
	order, _ := l.paid()
	got, cancelled, err := l.Payments.Cancel(l.Context(), seckill.Cancellation{Order: order.ID, Cause: seckill.CauseUser})
	must(l.T, err)
	if cancelled || got != order || got.State != seckill.OrderPaid {
		l.Fatalf("%t with %+v", cancelled, got)
	}
	l.wantNoReturn(order)
}

func overdueCases() []tillCase {
	return []tillCase{
		{"closes unpaid orders at their deadline, and no others", closesOverdue},
		{"closes the oldest deadlines first", closesOldestFirst},
		{"closes each of many once when several keepers do", closesAtOnce},
	}
}

// overdue closes a shard's overdue orders.
func (l tillTest) overdue(shard, limit int) int {
	l.Helper()
	cancelled, err := l.Payments.CancelOverdue(l.Context(), shard, limit)
	must(l.T, err)
	return cancelled
}

// closeAll closes what is overdue on every shard, as far as the limit goes on each.
func (l tillTest) closeAll(limit int) (cancelled int) {
	l.Helper()
	for shard := range l.Shards.Count() {
		cancelled += l.overdue(shard, limit)
	}
	return cancelled
}

func closesOverdue(l tillTest) {
	paid, _ := l.paid()
	cancelled := l.cancel(l.unpaid())
	due := l.placed(20)
	l.deadline(0)
	l.item++
	early := l.placed(5)
	if first, again := l.closeAll(100), l.closeAll(100); first != len(due) || again != 0 {
		l.Fatalf("%d were closed, then %d more", first, again)
	}
	for _, order := range due {
		l.wantEvents(order.ID, became(seckill.OrderCancelled, seckill.CauseTimeout))
		l.wantReturn(order)
	}
	for _, order := range early {
		l.wantEvents(order.ID)
	}
	l.wantEvents(paid.ID, became(seckill.OrderPaid, seckill.CausePayment))
	l.wantEvents(cancelled.ID, became(seckill.OrderCancelled, seckill.CauseOperator))
	l.wantNoReturn(paid)
	l.wantReturn(cancelled)
}

func closesOldestFirst(l tillTest) {
	shard := l.Shards.Count() - 1
	here := func(int) int { return shard }
	var groups [3][]seckill.Order
	for i := range groups {
		groups[i] = l.placedOn(12, here)
		l.deadline(-time.Duration(i+1) * time.Minute) // the last group is the most overdue
		l.item++
	}
	for i, limit := range []int{12, 20, 20} {
		if cancelled := l.overdue(shard, limit); cancelled != []int{12, 20, 4}[i] {
			l.Fatalf("call %d closed %d", i+1, cancelled)
		}
		for _, order := range groups[2-i] {
			if l.find(order.ID).State != seckill.OrderCancelled {
				l.Fatalf("an order of group %d is still open after call %d", 2-i, i+1)
			}
		}
	}
	if cancelled := l.overdue(shard, 20); cancelled != 0 {
		l.Fatalf("%d were closed once more", cancelled)
	}
}

func closesAtOnce(l tillTest) {
	orders := l.placed(350)
	l.deadline(-time.Second)
	var cancelled atomic.Int64
	race(l.T, 4, func(caller int) (bool, error) {
		for shard := range l.Shards.Count() {
			count, err := l.Payments.CancelOverdue(l.Context(), (shard+caller)%l.Shards.Count(), 300)
			cancelled.Add(int64(count))
			if err != nil {
				return false, err
			}
		}
		return true, nil
	})
	cancelled.Add(int64(l.closeAll(500)))
	if cancelled.Load() != int64(len(orders)) {
		l.Fatalf("%d of %d were closed", cancelled.Load(), len(orders))
	}
	for _, order := range l.findAll(idsOf(orders)) {
		if order.State != seckill.OrderCancelled || order.Version != 2 {
			l.Fatalf("closed is %+v", order)
		}
	}
	for _, order := range orders[:20] {
		l.wantEvents(order.ID, became(seckill.OrderCancelled, seckill.CauseTimeout))
		l.wantReturn(order)
	}
}
