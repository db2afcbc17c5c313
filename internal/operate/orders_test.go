package operate_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

func TestCancelOrder(t *testing.T) {
	t.Parallel()
	t.Run("cancels an unpaid order, gives its units back and logs why", cancelsUnpaid)
	t.Run("answers a repetition with the order as it is, unless another version was meant", cancelsTwice)
	t.Run("refuses a paid order and shows it", cancelsPaid)
	t.Run("refuses an order that is not there, and an act without a reason", cancelsNothing)
}

func TestRefundOrder(t *testing.T) {
	t.Parallel()
	t.Run("owes the money of a paid order, and says what becomes of its units", refundsPaid)
	t.Run("answers a repetition as it is, and refuses one that wants something else", refundsTwice)
	t.Run("refuses an order that nobody has paid", refundsUnpaid)
	t.Run("lets one of two operators win who want different things at once", refundsContested)
}

func TestOrders(t *testing.T) {
	t.Parallel()
	t.Run("are listed by user, in pages", ordersListed)
	t.Run("show their payments, their money and their events", orderShown)
}

// unpaid is an unpaid order of ann.
func (w *world) unpaid(t *testing.T) seckill.Order {
	t.Helper()
	const user = seckill.UserID("ann")
	id, err := w.ports.IDs.Next(user.Bucket())
	if err != nil {
		t.Fatal(err)
	}
	orders := sqlstore.Orders{Store: w.store}
	err = orders.Place(t.Context(), seckill.UserShard(w.ports.Shards, user), []seckill.NewOrder{{
		ID: id, Item: 7, User: user, Quantity: 2, PriceMinor: 1290, Currency: "EUR", PayWithin: time.Hour,
	}})
	if err != nil {
		t.Fatal(err)
	}
	order, err := orders.Find(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return order
}

// paid is an order of ann that has been paid.
func (w *world) paid(t *testing.T) seckill.Order {
	t.Helper()
	order := w.unpaid(t)
	id, err := w.ports.IDs.Next(order.User.Bucket())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := w.ports.Payments.Begin(t.Context(), seckill.NewPayment{ID: id, Order: order.ID, User: order.User, Provider: "test"}); err != nil {
		t.Fatal(err)
	}
	charge, _, err := w.ports.Payments.Record(t.Context(), seckill.Charge{
		Provider: "test", Txn: "txn-" + id.String(), Payment: id, AmountMinor: order.AmountMinor(), Currency: order.Currency,
	})
	if err != nil || charge.Refund != "" {
		t.Fatalf("%+v, %v", charge, err)
	}
	order, err = w.ports.Orders.Find(t.Context(), order.ID)
	if err != nil || order.State != seckill.OrderPaid {
		t.Fatalf("%+v, %v", order, err)
	}
	return order
}

func asked(order seckill.Order, change ...func(*operate.OrderAct)) operate.OrderAct {
	a := operate.OrderAct{Actor: ada, Order: order.ID, Reason: "the shopper called"}
	for _, c := range change {
		c(&a)
	}
	return a
}

func at(version int64) func(*operate.OrderAct) {
	return func(a *operate.OrderAct) { a.Version = version }
}

// wantOrderConflict wants a refusal that shows the order in that state.
func wantOrderConflict(t *testing.T, err error, state seckill.OrderState) {
	t.Helper()
	wantRefusal(t, err, seckill.Conflict, "")
	var refusal *seckill.Refusal
	if errors.As(err, &refusal) && (refusal.Order == nil || refusal.Order.State != state) {
		t.Errorf("the conflict shows %+v, want %s", refusal.Order, state)
	}
}

func cancelsUnpaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	order := w.unpaid(t)
	report, err := w.CancelOrder(t.Context(), asked(order, at(order.Version)))
	if err != nil || report.Order.State != seckill.OrderCancelled || report.Order.Version != order.Version+1 {
		t.Fatalf("%+v, %v", report, err)
	}
	if last := report.Events[len(report.Events)-1]; last.Cause != seckill.CauseOperator || last.State != seckill.OrderCancelled {
		t.Errorf("%+v", report.Events)
	}
	owed, err := sqlstore.Books{Store: w.store}.OwedAfter(t.Context(), seckill.UserShard(w.ports.Shards, order.User), 0, 10)
	if err != nil || len(owed) != 1 || owed[0].Kind != seckill.OwedReturn || owed[0].Entry.ID != order.ID {
		t.Errorf("%+v, %v", owed, err)
	}
	w.wantTwoLines(t, order.ID, line{"order.cancel", `"status":"unpaid"`, `{"reason":"the shopper called"}`},
		line{"order.cancelled", `"status":"unpaid"`, `"status":"cancelled"`})
}

func cancelsTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	order := w.unpaid(t)
	for range 2 {
		report, err := w.CancelOrder(t.Context(), asked(order))
		if err != nil || report.Order.Version != order.Version+1 {
			t.Fatalf("%+v, %v", report, err)
		}
	}
	_, err := w.CancelOrder(t.Context(), asked(order, at(order.Version)))
	wantOrderConflict(t, err, seckill.OrderCancelled)
	want := []string{" order.cancel", " order.cancelled", " order.cancel", " order.cancelled", " order.cancel", " order.cancel_refused"}
	for i := range want {
		want[i] = ada + want[i]
	}
	if actions := w.actions(t, order.ID); !slices.Equal(actions, want) {
		t.Error(actions)
	}
}

func cancelsPaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.CancelOrder(t.Context(), asked(w.paid(t)))
	wantOrderConflict(t, err, seckill.OrderPaid)
}

func cancelsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.CancelOrder(t.Context(), operate.OrderAct{Actor: ada, Order: 1, Reason: "test"})
	wantRefusal(t, err, seckill.NotFound, "")
	_, err = w.RefundOrder(t.Context(), operate.OrderAct{Actor: ada, Order: 1, Reason: "test"}, false)
	wantRefusal(t, err, seckill.NotFound, "")
	_, err = w.Order(t.Context(), 1)
	wantRefusal(t, err, seckill.NotFound, "")
	_, err = w.CancelOrder(t.Context(), asked(w.unpaid(t), func(a *operate.OrderAct) { a.Reason = "" }))
	wantRefusal(t, err, seckill.Invalid, "reason")
}

func refundsPaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	order := w.paid(t)
	report, err := w.RefundOrder(t.Context(), asked(order, at(order.Version)), true)
	if err != nil || report.Order.State != seckill.OrderRefunding || len(report.Refunds) != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	if refund := report.Refunds[0]; !refund.Restock || refund.Reason != seckill.RefundOperator || refund.AmountMinor != order.AmountMinor() {
		t.Errorf("%+v", refund)
	}
	w.wantTwoLines(t, order.ID, line{"order.refund", `"status":"paid"`, `{"reason":"the shopper called","restock":true}`},
		line{"order.refund_accepted", `"status":"paid"`, `"status":"refunding"`})
}

func refundsTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	order := w.paid(t)
	for range 2 {
		if report, err := w.RefundOrder(t.Context(), asked(order), false); err != nil || len(report.Refunds) != 1 {
			t.Fatalf("%+v, %v", report, err)
		}
	}
	_, err := w.RefundOrder(t.Context(), asked(order), true)
	wantOrderConflict(t, err, seckill.OrderRefunding)
}

func refundsUnpaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.RefundOrder(t.Context(), asked(w.unpaid(t)), false)
	wantOrderConflict(t, err, seckill.OrderUnpaid)
}

func refundsContested(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	order := w.paid(t)
	answers := make([]error, 2)
	var refunding sync.WaitGroup
	for i := range answers {
		refunding.Go(func() { _, answers[i] = w.RefundOrder(t.Context(), asked(order), i == 0) })
	}
	refunding.Wait()
	won := slices.IndexFunc(answers, func(err error) bool { return err == nil })
	if won < 0 || seckill.ReasonOf(answers[1-won]) != seckill.Conflict {
		t.Fatalf("answered %v", answers)
	}
	report, err := w.Order(t.Context(), order.ID)
	if err != nil || len(report.Refunds) != 1 || report.Refunds[0].Restock != (won == 0) {
		t.Errorf("%+v, %v", report, err)
	}
}

func ordersListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 3 {
		w.unpaid(t)
	}
	first, err := w.OrdersOf(t.Context(), seckill.OrderQuery{User: "ann", Limit: 2})
	if err != nil || len(first.Orders) != 2 || first.Next != first.Orders[1].ID {
		t.Fatalf("%+v, %v", first, err)
	}
	rest, err := w.OrdersOf(t.Context(), seckill.OrderQuery{User: "ann", Limit: 2, After: first.Next})
	if err != nil || len(rest.Orders) != 1 || rest.Next != 0 || rest.Orders[0].ID >= first.Next {
		t.Errorf("%+v, %v", rest, err)
	}
	_, err = w.OrdersOf(t.Context(), seckill.OrderQuery{User: "a b", Limit: 2})
	wantRefusal(t, err, seckill.Invalid, "user")
}

func orderShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	order := w.paid(t)
	report, err := w.Order(t.Context(), order.ID)
	if err != nil || len(report.Payments) != 1 || len(report.Charges) != 1 || len(report.Events) != 2 || len(report.Refunds) != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}
