package contract

import (
	"errors"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func tillCrowdCases() []tillCase {
	return []tillCase{
		{"peers: pays or cancels, never both, when payment, deadline and cancellation fall together", fallsTogether},
	}
}

// fallsTogether: two webhooks tell of each charge, a fourth of the orders is paid twice, two keepers close what is overdue
// and shoppers change their minds. The deadline falls into the middle of it.
func fallsTogether(l tillTest) {
	const count = 200
	orders := l.placed(count)
	payments := make([]seckill.Payment, count)
	for i, order := range orders {
		payments[i] = l.begin(order)
	}
	race(l.T, 6, func(caller int) (bool, error) {
		switch caller {
		case 0:
			return true, errors.Join(l.recordAll(payments[:count/2]),
				l.SetDeadline(l.Context(), l.item, 10*time.Millisecond), l.recordAll(payments[count/2:]))
		case 1:
			return true, l.recordAll(payments)
		case 2:
			return true, l.recordDoubles(payments)
		case 3:
			return true, l.cancelSome(orders)
		default:
			return true, l.closeUntilDone(orders)
		}
	})
	l.closeAll(count)
	states := make(map[seckill.OrderState]int)
	for i, order := range orders {
		states[l.wantOneEnd(order, 1+doubled(i))]++
	}
	l.Logf("orders ended as %v", states)
}

// doubled is how many further charges an order of the crowd has.
func doubled(i int) int {
	if i%4 == 0 {
		return 1
	}
	return 0
}

// steady repeats what passes.
func (l tillTest) steady(do func() error) error {
	_, err := repeated(func() (bool, error) { return true, do() })
	return err
}

func (l tillTest) recordAll(payments []seckill.Payment) error {
	for _, payment := range payments {
		charge := l.charge(payment, "one-"+payment.ID.String())
		if err := l.steady(func() error { _, _, err := l.Payments.Record(l.Context(), charge); return err }); err != nil {
			return err
		}
	}
	return nil
}

func (l tillTest) recordDoubles(payments []seckill.Payment) error {
	for i, payment := range payments {
		if doubled(i) == 0 {
			continue
		}
		charge := l.charge(payment, "two-"+payment.ID.String())
		if err := l.steady(func() error { _, _, err := l.Payments.Record(l.Context(), charge); return err }); err != nil {
			return err
		}
	}
	return nil
}

// cancelSome goes the other way round.
func (l tillTest) cancelSome(orders []seckill.Order) error {
	for i := len(orders) - 1; i >= 0; i -= 3 {
		asked := seckill.Cancellation{Order: orders[i].ID, User: orders[i].User, Cause: seckill.CauseUser}
		if err := l.steady(func() error { _, _, err := l.Payments.Cancel(l.Context(), asked); return err }); err != nil {
			return err
		}
	}
	return nil
}

// closeUntilDone closes what is overdue, as a keeper does, until the last order has come to its end.
func (l tillTest) closeUntilDone(orders []seckill.Order) error {
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for len(orders) > 0 {
		found, err := l.Orders.Find(l.Context(), orders[0].ID)
		switch {
		case err != nil:
			return err
		case found.State != seckill.OrderUnpaid:
			orders = orders[1:]
			continue
		}
		for shard := range l.Shards.Count() {
			err := l.steady(func() error { _, err := l.Payments.CancelOverdue(l.Context(), shard, 50); return err })
			if err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-deadline:
			return fmt.Errorf("%d orders have come to no end", len(orders))
		}
	}
	return nil
}

// wantOneEnd wants an order paid or cancelled, by exactly one step, with everything that follows from it.
func (l tillTest) wantOneEnd(order seckill.Order, charges int) seckill.OrderState {
	l.Helper()
	events, err := l.Payments.Events(l.Context(), order.ID)
	must(l.T, err)
	if len(events) != 2 {
		l.Fatalf("events are %+v", events)
	}
	l.wantEvents(order.ID, became(events[1].State, events[1].Cause))
	l.wantSettled(order.ID, charges)
	switch state := events[1].State; state {
	case seckill.OrderPaid:
		l.wantNoReturn(order)
		return state
	case seckill.OrderCancelled:
		l.wantReturn(order)
		return state
	default:
		l.Fatalf("it ended as %s", state)
		return state
	}
}
