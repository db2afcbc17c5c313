package contract

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Till is a fresh store of orders and what is paid on them.
type Till struct {
	Payments seckill.Payments
	Orders   seckill.Orders
	Owing    seckill.Owing
	Books    seckill.Books
	Shards   seckill.Shards
	IDs      seckill.IDs
	// SetDeadline sets the deadline of all orders of an item, by the database's clock.
	SetDeadline func(ctx context.Context, item seckill.ID, in time.Duration) error
}

// Payments is the suite of seckill.Payments.
func Payments(t *testing.T, open func(t *testing.T) Till) {
	t.Helper()
	for _, cases := range [][]tillCase{
		cancelCases(), overdueCases(), beginCases(), recordCases(), reasonCases(), refundCases(), owedCases(), tillCrowdCases(),
		moneyCases(),
	} {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				till := tillTest{T: t, Till: open(t), item: 7, users: new(int)}
				c.run(till)
			})
		}
	}
}

// tillCase is one behaviour of payments.
type tillCase struct {
	name string
	run  func(l tillTest)
}

// tillTest says in a word what the cases do over and over, all with orders of one item.
type tillTest struct {
	*testing.T
	Till
	item  seckill.ID
	users *int
}

// The order that every case is about costs 2 x 1999 EUR; bank is who takes the money.
const (
	tillPrice    = 1999
	tillAmount   = 2 * tillPrice
	tillCurrency = "EUR"
	bank         = "bank"
)

func (l tillTest) id(bucket int) seckill.ID {
	l.Helper()
	id, err := l.IDs.Next(bucket)
	must(l.T, err)
	return id
}

// placed are unpaid orders of as many new users, spread over all shards.
func (l tillTest) placed(count int) []seckill.Order {
	l.Helper()
	return l.placedOn(count, func(i int) int { return i % l.Shards.Count() })
}

func (l tillTest) placedOn(count int, shardOf func(i int) int) []seckill.Order {
	l.Helper()
	batches := make([][]seckill.NewOrder, l.Shards.Count())
	var ids []seckill.ID
	for i := range count {
		*l.users++
		shard := shardOf(i)
		user := userOn(l.Shards, shard, *l.users)
		order := seckill.NewOrder{
			ID: l.id(user.Bucket()), Item: l.item, User: user, Quantity: 2, PriceMinor: tillPrice, Currency: tillCurrency,
			PayWithin: time.Hour,
		}
		batches[shard] = append(batches[shard], order)
		ids = append(ids, order.ID)
	}
	for shard, batch := range batches {
		must(l.T, l.Orders.Place(l.Context(), shard, batch))
	}
	return l.findAll(ids)
}

// findAll reads orders that all exist, in the order of the ids.
func (l tillTest) findAll(ids []seckill.ID) []seckill.Order {
	l.Helper()
	found, err := l.Books.OrdersOf(l.Context(), ids)
	must(l.T, err)
	if len(found) != len(ids) {
		l.Fatalf("found %d of %d orders", len(found), len(ids))
	}
	at := make(map[seckill.ID]seckill.Order, len(found))
	for _, order := range found {
		at[order.ID] = order
	}
	orders := make([]seckill.Order, len(ids))
	for i, id := range ids {
		orders[i] = at[id]
	}
	return orders
}

func idsOf(orders []seckill.Order) []seckill.ID {
	ids := make([]seckill.ID, len(orders))
	for i, order := range orders {
		ids[i] = order.ID
	}
	return ids
}

// unpaid is one order.
func (l tillTest) unpaid() seckill.Order {
	l.Helper()
	return l.placed(1)[0]
}

// late is one whose deadline has passed.
func (l tillTest) late() seckill.Order {
	l.Helper()
	order := l.unpaid()
	l.deadline(-time.Second)
	return l.find(order.ID)
}

func (l tillTest) deadline(in time.Duration) {
	l.Helper()
	must(l.T, l.SetDeadline(l.Context(), l.item, in))
}

// paid is one that was paid by the charge.
func (l tillTest) paid() (seckill.Order, seckill.Charge) {
	l.Helper()
	order := l.unpaid()
	charge, recorded := l.record(l.charge(l.begin(order), "paid-"+order.ID.String()))
	if !recorded || charge.Refund != "" {
		l.Fatalf("it did not pay: %+v", charge)
	}
	return l.find(order.ID), charge
}

func (l tillTest) find(id seckill.ID) seckill.Order {
	l.Helper()
	order, err := l.Orders.Find(l.Context(), id)
	must(l.T, err)
	return order
}

func (l tillTest) payment(id seckill.ID) seckill.Payment {
	l.Helper()
	payment, err := l.Payments.Payment(l.Context(), id)
	must(l.T, err)
	return payment
}

// asked is a new attempt to pay an order.
func (l tillTest) asked(order seckill.Order) seckill.NewPayment {
	l.Helper()
	return seckill.NewPayment{ID: l.id(order.ID.Bucket()), Order: order.ID, User: order.User, Provider: bank}
}

// begin begins a payment of an order that may be paid.
func (l tillTest) begin(order seckill.Order) seckill.Payment {
	l.Helper()
	payment, _, begun, err := l.Payments.Begin(l.Context(), l.asked(order))
	must(l.T, err)
	if !begun {
		l.Fatalf("no payment of %+v was begun", order)
	}
	return payment
}

// charge is the right money for a payment.
func (tillTest) charge(payment seckill.Payment, txn string) seckill.Charge {
	return seckill.Charge{
		Provider: payment.Provider, Txn: txn, Payment: payment.ID, AmountMinor: payment.AmountMinor, Currency: payment.Currency,
	}
}

func (l tillTest) record(charge seckill.Charge) (seckill.Charge, bool) {
	l.Helper()
	charge, recorded, err := l.Payments.Record(l.Context(), charge)
	must(l.T, err)
	return charge, recorded
}

// cancel cancels an order for an operator, who asks nobody.
func (l tillTest) cancel(order seckill.Order) seckill.Order {
	l.Helper()
	order, cancelled, err := l.Payments.Cancel(l.Context(), seckill.Cancellation{Order: order.ID, Cause: seckill.CauseOperator})
	must(l.T, err)
	if !cancelled {
		l.Fatalf("it is not cancelled: %+v", order)
	}
	return order
}

func (l tillTest) charges(order seckill.ID) []seckill.Charge {
	l.Helper()
	charges, err := l.Payments.ChargesOf(l.Context(), order)
	must(l.T, err)
	return charges
}

func (l tillTest) refunds(order seckill.ID) []seckill.Refund {
	l.Helper()
	refunds, err := l.Payments.RefundsOf(l.Context(), order)
	must(l.T, err)
	return refunds
}

// returns are the steps that give an order's units back.
func (l tillTest) returns(order seckill.Order) []seckill.Owed {
	l.Helper()
	owed, err := l.Owing.Owed(l.Context(), l.Shards.Shard(order.ID.Bucket()), seckill.OwedReturn, 0, 10_000)
	must(l.T, err)
	return slices.DeleteFunc(owed, func(o seckill.Owed) bool { return o.Entry.ID != order.ID })
}

// wantReturn wants the return of an order's units owed once.
func (l tillTest) wantReturn(order seckill.Order) {
	l.Helper()
	returns := l.returns(order)
	want := seckill.Owed{
		Kind: seckill.OwedReturn, Item: order.Item, User: order.User,
		Entry: seckill.BuyerEntry{ID: order.ID, Quantity: order.Quantity},
	}
	if len(returns) == 1 {
		want.ID = returns[0].ID
	}
	if len(returns) != 1 || returns[0] != want {
		l.Fatalf("owed of %s is %+v", order.ID, returns)
	}
}

func (l tillTest) wantNoReturn(order seckill.Order) {
	l.Helper()
	if returns := l.returns(order); len(returns) > 0 {
		l.Fatalf("owed of %s is %+v", order.ID, returns)
	}
}

// wantEvents wants the order where its events say, each of which is one step further for this cause.
func (l tillTest) wantEvents(id seckill.ID, steps ...seckill.OrderEvent) {
	l.Helper()
	events, err := l.Payments.Events(l.Context(), id)
	must(l.T, err)
	steps = slices.Insert(steps, 0, seckill.OrderEvent{State: seckill.OrderUnpaid, Cause: seckill.CauseSettle})
	if len(events) != len(steps) {
		l.Fatalf("events are %+v, want %+v", events, steps)
	}
	for i, want := range steps {
		want.Order, want.Version, want.At = id, int64(i+1), events[i].At
		if events[i] != want || want.At.IsZero() || i > 0 && want.At.Before(events[i-1].At) {
			l.Fatalf("events are %+v, want %+v", events, steps)
		}
	}
	order := l.find(id)
	if last := events[len(events)-1]; order.State != last.State || order.Version != last.Version {
		l.Fatalf("events end with %+v, but the order is %+v", last, order)
	}
}

func became(state seckill.OrderState, cause seckill.OrderCause) seckill.OrderEvent {
	return seckill.OrderEvent{State: state, Cause: cause}
}
