package contract

import (
	"errors"
	"sync"
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
	var busy sync.WaitGroup // with orders; keepers end when nobody is
	busy.Add(4)
	race(l.T, 6, func(caller int) (bool, error) {
		if caller > 3 {
			return true, l.closeUntil(&busy)
		}
		defer busy.Done()
		switch caller {
		case 0:
			return true, errors.Join(l.recordAll(payments[:count/2]),
				l.SetDeadline(l.Context(), l.item, 10*time.Millisecond), l.recordAll(payments[count/2:]))
		case 1:
			return true, l.recordAll(payments)
		case 2:
			return true, l.recordDoubles(payments)
		default:
			return true, l.cancelSome(orders)
		}
	})
	l.closeAll(count)
	states := make(map[seckill.OrderState]int)
	money := l.moneyOf(orders)
	for i, order := range l.findAll(idsOf(orders)) {
		states[order.State]++
		l.wantSettled(order, *money[order.ID], 1+doubled(i))
		l.wantOneEnd(order, len(money[order.ID].Returns))
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

// closeUntil closes what is overdue, as a keeper does, until nobody is busy.
func (l tillTest) closeUntil(busy *sync.WaitGroup) error {
	over := make(chan struct{})
	go func() {
		busy.Wait()
		close(over)
	}()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		for shard := range l.Shards.Count() {
			err := l.steady(func() error { _, err := l.Payments.CancelOverdue(l.Context(), shard, 50); return err })
			if err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-over:
			return nil
		}
	}
}

// moneyOf reads what belongs to orders, by order.
func (l tillTest) moneyOf(orders []seckill.Order) map[seckill.ID]*seckill.Money {
	l.Helper()
	of := make(map[seckill.ID]*seckill.Money, len(orders))
	for _, order := range orders {
		of[order.ID] = &seckill.Money{}
	}
	for shard := range l.Shards.Count() {
		money, err := l.Books.MoneyOf(l.Context(), shard, idsOf(orders))
		must(l.T, err)
		for _, charge := range money.Charges {
			of[charge.Order].Charges = append(of[charge.Order].Charges, charge)
		}
		for _, refund := range money.Refunds {
			of[refund.Order].Refunds = append(of[refund.Order].Refunds, refund)
		}
		for _, owed := range money.Returns {
			of[owed.Entry.ID].Returns = append(of[owed.Entry.ID].Returns, owed)
		}
	}
	return of
}

// wantOneEnd wants an order paid or cancelled, by exactly one step, and its units to go back in one of the cases.
func (l tillTest) wantOneEnd(order seckill.Order, returns int) {
	l.Helper()
	events, err := l.Payments.Events(l.Context(), order.ID)
	must(l.T, err)
	if len(events) != 2 || events[0].Version != 1 || events[1].Version != 2 || order.Version != 2 || events[1].State != order.State {
		l.Fatalf("%+v has the events %+v", order, events)
	}
	switch order.State {
	case seckill.OrderPaid:
		if returns == 0 && events[1].Cause == seckill.CausePayment {
			return
		}
	case seckill.OrderCancelled:
		if returns == 1 && events[1].Cause != seckill.CausePayment {
			return
		}
	default:
	}
	l.Fatalf("%+v was moved by %s and owes %d returns", order, events[1].Cause, returns)
}
