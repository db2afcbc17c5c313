package sqlstore_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// lostStep is a change of an order whose commit is lost, and what of it is there when it happened once.
type lostStep struct {
	name string
	// ready brings a new order to where the step begins.
	ready func(o *paidOrder)
	step  func(o *paidOrder) error
	state seckill.OrderState
	rows  map[string]int64
}

func lostSteps() []lostStep {
	return []lostStep{
		{
			"of a cancellation", func(*paidOrder) {}, (*paidOrder).cancel, seckill.OrderCancelled,
			map[string]int64{"order_events": 2, "outbox": 1},
		},
		{
			"of a timeout", (*paidOrder).late, (*paidOrder).timeout, seckill.OrderCancelled,
			map[string]int64{"order_events": 2, "outbox": 1},
		},
		{
			"of the beginning of a payment", func(*paidOrder) {}, (*paidOrder).begin, seckill.OrderUnpaid,
			map[string]int64{"order_events": 1, "payments": 1},
		},
		{
			"of a charge that pays", (*paidOrder).begun, (*paidOrder).record, seckill.OrderPaid,
			map[string]int64{"order_events": 2, "charges": 1, "refunds": 0},
		},
		{
			"of a charge that goes back", func(o *paidOrder) { o.begun(); o.late() }, (*paidOrder).record, seckill.OrderUnpaid,
			map[string]int64{"order_events": 1, "charges": 1, "refunds": 1},
		},
		{
			"of a refund", (*paidOrder).recorded, (*paidOrder).refund, seckill.OrderRefunding,
			map[string]int64{"order_events": 3, "refunds": 1, "outbox": 0},
		},
		{
			"of a refund that is done", func(o *paidOrder) { o.recorded(); must(o.t, o.refund()) }, (*paidOrder).refunded,
			seckill.OrderRefunded,
			map[string]int64{"order_events": 4, "refunds": 1, "outbox": 1},
		},
		{
			"of a refund that failed", func(o *paidOrder) { o.begun(); o.late(); must(o.t, o.record()); o.read() },
			(*paidOrder).failed, seckill.OrderUnpaid,
			map[string]int64{"refunds where tries = 1": 1},
		},
	}
}

func TestMySQLLosesACommitOfPayments(t *testing.T) {
	t.Parallel()
	for _, a := range accidents() {
		for _, s := range lostSteps() {
			t.Run(s.name+", "+a.name+": it is repeated and changes nothing more", func(t *testing.T) {
				t.Parallel()
				s.happensOnce(t, a)
			})
		}
	}
}

func (s lostStep) happensOnce(t *testing.T, a *accident) {
	t.Helper()
	c, w := wired(t)
	c.Shards[0].MySQL.ReadTimeout = time.Second // for the answer that never comes
	o := newPaidOrder(t, leased(t, c))
	s.ready(o)
	w.next.Store(a)
	// A single statement that fails, or is cut off before its transaction ends, is known not to have happened.
	if err := s.step(o); !errors.Is(err, seckill.ErrTransient) || w.next.Load() != nil {
		t.Fatalf("got %v", err)
	}
	for range 2 {
		must(t, s.step(o))
		if order, err := o.orders.Find(t.Context(), o.order.ID); err != nil || order.State != s.state {
			t.Fatalf("got %+v, %v", order, err)
		}
		for rows, want := range s.rows {
			table, where, _ := strings.Cut(rows+" where 1 = 1", " where ")
			if got := countRows(t, o.store, table, strings.ReplaceAll(where, " where ", " AND ")); got != want {
				t.Fatalf("%d rows of %s, want %d", got, rows, want)
			}
		}
	}
}

// paidOrder is an order and what can happen to it; each step may be repeated.
type paidOrder struct {
	t        *testing.T
	store    *sqlstore.Store
	payments sqlstore.Payments
	orders   sqlstore.Orders
	order    seckill.NewOrder
	asked    seckill.NewPayment
	due      seckill.Refund
}

func newPaidOrder(t *testing.T, store *sqlstore.Store) *paidOrder {
	t.Helper()
	user := seckill.UserID("ada")
	o := &paidOrder{
		t: t, store: store, payments: sqlstore.Payments{Store: store}, orders: sqlstore.Orders{Store: store},
		order: seckill.NewOrder{
			Item: 7, User: user, Quantity: 1, PriceMinor: 995, Currency: "EUR", PayWithin: time.Hour,
		},
	}
	o.order.ID = o.id()
	o.asked = seckill.NewPayment{ID: o.id(), Order: o.order.ID, User: user, Provider: "bank"}
	must(t, o.orders.Place(t.Context(), 0, []seckill.NewOrder{o.order}))
	return o
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (o *paidOrder) id() seckill.ID {
	o.t.Helper()
	id, err := o.store.IDs().Next(o.order.User.Bucket())
	must(o.t, err)
	return id
}

func (o *paidOrder) late() { must(o.t, setDeadline(o.t.Context(), o.store, o.order.Item, time.Now())) }

func (o *paidOrder) begun() { must(o.t, o.begin()) }

func (o *paidOrder) recorded() {
	o.begun()
	must(o.t, o.record())
}

// read notes the refund that is owed.
func (o *paidOrder) read() {
	refunds, err := o.payments.RefundsOf(o.t.Context(), o.order.ID)
	if err != nil || len(refunds) != 1 {
		o.t.Fatalf("got %+v, %v", refunds, err)
	}
	o.due = refunds[0]
}

func (o *paidOrder) cancel() error {
	_, _, err := o.payments.Cancel(o.t.Context(), seckill.Cancellation{Order: o.order.ID, Cause: seckill.CauseUser})
	return err
}

func (o *paidOrder) timeout() error {
	_, err := o.payments.CancelOverdue(o.t.Context(), 0, 10)
	return err
}

// begin asks for a payment under a new id each time, as the next request of a shopper does.
func (o *paidOrder) begin() error {
	asked := o.asked
	asked.ID = o.id()
	payment, _, _, err := o.payments.Begin(o.t.Context(), asked)
	if err == nil {
		o.asked.ID = payment.ID
	}
	return err
}

func (o *paidOrder) record() error {
	_, _, err := o.payments.Record(o.t.Context(), seckill.Charge{
		Provider: "bank", Txn: o.order.ID.String(), Payment: o.asked.ID, AmountMinor: 995, Currency: "EUR",
	})
	return err
}

func (o *paidOrder) refund() error {
	_, _, err := o.payments.Refund(o.t.Context(), seckill.RefundRequest{
		Order: o.order.ID, Restock: true, Cause: seckill.CauseOperator,
	})
	return err
}

func (o *paidOrder) refunded() error {
	o.read()
	_, err := o.payments.Refunded(o.t.Context(), o.due)
	return err
}

func (o *paidOrder) failed() error {
	return o.payments.RefundFailed(o.t.Context(), o.due, time.Hour, "the bank is closed")
}
