package seckill

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// OrderState is where an order stands.
type OrderState string

// The states of an order: unpaid -> paid -> refunding -> refunded; unpaid -> cancelled.
const (
	OrderUnpaid    OrderState = "unpaid"
	OrderPaid      OrderState = "paid"
	OrderRefunding OrderState = "refunding"
	OrderRefunded  OrderState = "refunded"
	OrderCancelled OrderState = "cancelled"
)

// OrderStates lists every state.
func OrderStates() []OrderState {
	return []OrderState{OrderUnpaid, OrderPaid, OrderRefunding, OrderRefunded, OrderCancelled}
}

// CanBecome says whether the transition exists.
func (s OrderState) CanBecome(next OrderState) bool {
	return slices.Contains(orderTransitions(s), next)
}

func orderTransitions(s OrderState) []OrderState {
	switch s {
	case OrderUnpaid:
		return []OrderState{OrderPaid, OrderCancelled}
	case OrderPaid:
		return []OrderState{OrderRefunding}
	case OrderRefunding:
		return []OrderState{OrderRefunded}
	default:
		return nil
	}
}

// Order is what the shopper pays; it has the id of its reservation. PriceMinor is per unit.
type Order struct {
	ID         ID
	Item       ID
	User       UserID
	Quantity   int64
	PriceMinor int64
	Currency   string
	State      OrderState
	PayBy      time.Time
	CreatedAt  time.Time
	PaidAt     time.Time // zero until paid
	Version    int64
}

// AmountMinor is what the order costs.
func (o Order) AmountMinor() int64 { return o.Quantity * o.PriceMinor }

// Conflict refuses because of how the order stands by now, and shows it.
func (o Order) Conflict(detail string) *Refusal {
	return &Refusal{Reason: Conflict, Detail: detail, Order: &o}
}

// Cannot refuses what the order's state does not allow, for example to "be paid".
func (o Order) Cannot(verb string) *Refusal {
	return o.Conflict(fmt.Sprintf("this order is %s and cannot %s", o.State, verb))
}

// At refuses an order that is not as the caller saw it; version 0 does not ask.
func (o Order) At(version int64) error {
	if version == 0 || version == o.Version {
		return nil
	}
	return o.Conflict(fmt.Sprintf("this order is %s at version %d by now, not %d", o.State, o.Version, version))
}

// NewOrder is an order to be placed; the database's clock decides CreatedAt and PayBy.
type NewOrder struct {
	ID         ID
	Item       ID
	User       UserID
	Quantity   int64
	PriceMinor int64
	Currency   string
	PayWithin  time.Duration
}

// Terms is what the orders of an item say. They never change after its sale was scheduled.
type Terms struct {
	PriceMinor int64
	Currency   string
	PayWithin  time.Duration
}

// Order is the order of a claim, or of a reservation that may become one.
func (t Terms) Order(id, item ID, user UserID, quantity int64) NewOrder {
	return NewOrder{
		ID: id, Item: item, User: user, Quantity: quantity,
		PriceMinor: t.PriceMinor, Currency: t.Currency, PayWithin: t.PayWithin,
	}
}

// OrderCause is who moved an order.
type OrderCause string

// The causes of events.
const (
	CauseSettle   OrderCause = "settle"   // placed
	CauseUser     OrderCause = "user"     // cancelled
	CauseTimeout  OrderCause = "timeout"  // cancelled
	CauseOperator OrderCause = "operator" // cancelled or refunding
	CausePayment  OrderCause = "payment"  // paid
	CauseRefund   OrderCause = "refund"   // refunded
)

// OrderEvent is one step of an order, written by the transaction that made it.
type OrderEvent struct {
	Order   ID
	Version int64
	State   OrderState
	Cause   OrderCause
	At      time.Time
	// Tells is the event that the shop has still to be told of it, 0 when there is none.
	Tells ID
}

// OrderQuery selects a user's orders, newest first. After is the last id of the previous page; State "" means all.
type OrderQuery struct {
	User  UserID
	State OrderState
	After ID
	Limit int
}

// OrderCount is how many orders there are, and how many units they are for.
type OrderCount struct {
	Orders int64
	Units  int64
}

// Orders keeps the orders, in their users' shards.
type Orders interface {
	// Place is T2 on one user shard, one transaction: inserts the orders that do not exist, unpaid, each with its first
	// event. Repeatable. Every order's id and user must live on the shard. ErrPoison when one never can be placed, for
	// example because its id is another order's.
	Place(ctx context.Context, shard int, orders []NewOrder) error
	// Find reads one order, or ErrNotFound.
	Find(ctx context.Context, id ID) (Order, error)
	// OfUser reads a page of a user's orders.
	OfUser(ctx context.Context, query OrderQuery) ([]Order, error)
	// Count counts an item's orders on a shard by state.
	Count(ctx context.Context, shard int, item ID) (map[OrderState]OrderCount, error)
}
