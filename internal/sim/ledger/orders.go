package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// orders are a shard's orders by id, and the ways to find them.
type orders struct {
	byID  table[seckill.ID, orderRow]
	users map[seckill.UserID][]seckill.ID
	// unpaid may be overdue.
	unpaid table[seckill.ID, struct{}]
}

// orderRow is an order with its steps, which are written with it.
type orderRow struct {
	seckill.Order
	steps []seckill.OrderEvent
}

// Orders keeps the orders in their users' shards.
type Orders struct{ *Ledger }

var _ seckill.Orders = Orders{}

// Place implements seckill.Orders.
func (o Orders) Place(ctx context.Context, shard int, orders []seckill.NewOrder) error {
	if len(orders) == 0 {
		return nil
	}
	err := o.on(ctx, shard, func(db *database) error {
		fresh, err := db.newOrders(orders)
		if err == nil {
			db.place(fresh)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("place %d orders on shard %d: %w", len(orders), shard, err)
	}
	return nil
}

// newOrders are those of the orders that do not exist, by their ids. seckill.ErrPoison when one can never be placed.
func (db *database) newOrders(asked []seckill.NewOrder) ([]seckill.Order, error) {
	now := db.now()
	fresh := make(map[seckill.ID]seckill.Order, len(asked))
	for _, n := range asked {
		bucket := n.User.Bucket()
		if n.ID.Bucket() != bucket || db.ledger.router.Shard(bucket) != db.number {
			return nil, fmt.Errorf("%w: order %s and user %s do not both live on shard %d", seckill.ErrPoison, n.ID, n.User, db.number)
		}
		if n.Quantity <= 0 || n.PriceMinor < 0 || len(n.User) > userMax || len(n.Currency) > currencyMax {
			return nil, fmt.Errorf("%w: order %s", seckill.ErrPoison, n.ID)
		}
		known, is := fresh[n.ID]
		if row := db.orders.byID.get(n.ID); row != nil {
			known, is = row.Order, true
		}
		switch {
		case !is:
			fresh[n.ID] = newOrder(n, now)
		case db.lacks(LackPlaceSame):
		case known.Item != n.Item || known.User != n.User || known.Quantity != n.Quantity:
			return nil, fmt.Errorf("%w: id %s is another order's", seckill.ErrPoison, n.ID)
		}
	}
	return sortedOrders(fresh), nil
}

// currencyMax is the width of the column.
const currencyMax = 3

func newOrder(n seckill.NewOrder, now time.Time) seckill.Order {
	return seckill.Order{
		ID: n.ID, Item: n.Item, User: n.User, Quantity: n.Quantity, PriceMinor: n.PriceMinor, Currency: n.Currency,
		State: seckill.OrderUnpaid, PayBy: now.Add(n.PayWithin.Truncate(time.Millisecond)), CreatedAt: now, Version: firstVersion,
	}
}

func sortedOrders(fresh map[seckill.ID]seckill.Order) []seckill.Order {
	sorted := make([]seckill.Order, 0, len(fresh))
	for _, order := range fresh {
		sorted = append(sorted, order)
	}
	slices.SortFunc(sorted, func(a, b seckill.Order) int { return cmp.Compare(a.ID, b.ID) })
	return sorted
}

// place writes orders that newOrders has let through.
func (db *database) place(fresh []seckill.Order) {
	for _, order := range fresh {
		db.writeOrder(order, seckill.CauseSettle, order.CreatedAt)
	}
}

// writeOrder writes an order as a step has left it, and the step.
func (db *database) writeOrder(order seckill.Order, cause seckill.OrderCause, at time.Time) {
	o := &db.orders
	row := o.byID.get(order.ID)
	if row == nil {
		o.byID.put(order.ID, orderRow{})
		row = o.byID.get(order.ID)
		if o.users == nil {
			o.users = make(map[seckill.UserID][]seckill.ID)
		}
		ids := append(o.users[order.User], order.ID)
		slices.Sort(ids)
		o.users[order.User] = ids
	}
	row.Order = order
	db.ledger.touchOrder(order.ID)
	row.steps = append(row.steps, seckill.OrderEvent{
		Order: order.ID, Version: order.Version, State: order.State, Cause: cause, At: at, Tells: db.tellOrder(order),
	})
	if order.State == seckill.OrderUnpaid {
		o.unpaid.put(order.ID, struct{}{})
	} else {
		o.unpaid.drop(order.ID)
	}
}

// Find implements seckill.Orders.
func (o Orders) Find(ctx context.Context, id seckill.ID) (order seckill.Order, err error) {
	err = o.on(ctx, o.router.of(id), func(db *database) error {
		row := db.orders.byID.get(id)
		if row == nil {
			return seckill.ErrNotFound
		}
		order = row.Order
		return nil
	})
	if err != nil {
		return seckill.Order{}, fmt.Errorf("find order %s: %w", id, err)
	}
	return order, nil
}

// OfUser implements seckill.Orders.
func (o Orders) OfUser(ctx context.Context, query seckill.OrderQuery) (orders []seckill.Order, err error) {
	err = o.on(ctx, seckill.UserShard(o.router, query.User), func(db *database) error {
		for _, id := range slices.Backward(db.orders.users[query.User]) {
			order := db.orders.byID.get(id).Order
			if (query.After == 0 || id < query.After) && (query.State == "" || order.State == query.State) && len(orders) < query.Limit {
				orders = append(orders, order)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the orders of user %s: %w", query.User, err)
	}
	return orders, nil
}

// Count implements seckill.Orders.
func (o Orders) Count(ctx context.Context, shard int, item seckill.ID) (map[seckill.OrderState]seckill.OrderCount, error) {
	counts := make(map[seckill.OrderState]seckill.OrderCount)
	err := o.on(ctx, shard, func(db *database) error {
		for _, row := range db.orders.byID.all() {
			if row.Item == item {
				count := counts[row.State]
				counts[row.State] = seckill.OrderCount{Orders: count.Orders + 1, Units: count.Units + row.Quantity}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count the orders of item %s on shard %d: %w", item, shard, err)
	}
	return counts, nil
}
