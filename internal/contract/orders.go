package contract

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Orders is the suite of seckill.Orders.
func Orders(t *testing.T, open func(t *testing.T) (seckill.Orders, seckill.Shards)) {
	t.Helper()
	start := func(t *testing.T) *ordersCase {
		t.Helper()
		orders, shards := open(t)
		return &ordersCase{Orders: orders, shards: shards, t: t, item: (&numbers{}).next(0)}
	}
	ordersArePlaced(t, start)
	ordersArePlacedOnce(t, start)
	ordersArePlacedInBatches(t, start)
	ordersAreRefused(t, start)
	ordersAreRead(t, start)
}

// ordersCase is one test's orders, all of one item.
type ordersCase struct {
	seckill.Orders
	numbers
	shards seckill.Shards
	t      *testing.T
	item   seckill.ID
}

// order is a new order of a user.
func (c *ordersCase) order(user seckill.UserID) seckill.NewOrder {
	return seckill.NewOrder{
		ID: c.next(user.Bucket()), Item: c.item, User: user, Quantity: 2, PriceMinor: 1999, Currency: "EUR",
		PayWithin: 15 * time.Minute,
	}
}

// many are orders of as many users of a shard.
func (c *ordersCase) many(shard, count int) []seckill.NewOrder {
	orders := make([]seckill.NewOrder, count)
	for i := range orders {
		orders[i] = c.order(userOn(c.shards, shard, i))
	}
	return orders
}

func (c *ordersCase) place(shard int, orders ...seckill.NewOrder) {
	c.t.Helper()
	must(c.t, c.Place(c.t.Context(), shard, orders))
}

func (c *ordersCase) find(id seckill.ID) seckill.Order {
	c.t.Helper()
	order, err := c.Find(c.t.Context(), id)
	must(c.t, err)
	return order
}

func (c *ordersCase) wantCount(shard int, item seckill.ID, want int64) {
	c.t.Helper()
	counts, err := c.Count(c.t.Context(), shard, item)
	must(c.t, err)
	if got := counts[seckill.OrderUnpaid]; got != (seckill.OrderCount{Orders: want, Units: 2 * want}) {
		c.t.Fatalf("shard %d has %v orders of the item, want %d", shard, counts, want)
	}
}

func (c *ordersCase) wantPage(query seckill.OrderQuery, want ...seckill.ID) {
	c.t.Helper()
	page, err := c.OfUser(c.t.Context(), query)
	must(c.t, err)
	var got []seckill.ID
	for _, order := range page {
		got = append(got, order.ID)
	}
	if !slices.Equal(got, want) {
		c.t.Fatalf("page after %d is %v, want %v", query.After, got, want)
	}
}

func ordersArePlaced(t *testing.T, start func(t *testing.T) *ordersCase) {
	t.Helper()
	t.Run("places an unpaid order whose deadline is the database's", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		for shard := range c.shards.Count() {
			placed := c.order(userOn(c.shards, shard, 1))
			c.place(shard, placed)
			got := c.find(placed.ID)
			want := seckill.Order{
				ID: placed.ID, Item: c.item, User: placed.User, Quantity: 2, PriceMinor: 1999, Currency: "EUR",
				State: seckill.OrderUnpaid, CreatedAt: got.CreatedAt, PayBy: got.CreatedAt.Add(15 * time.Minute), Version: 1,
			}
			if got != want || got.CreatedAt.IsZero() {
				t.Fatalf("got %+v, want %+v", got, want)
			}
		}
	})
}

func ordersArePlacedOnce(t *testing.T, start func(t *testing.T) *ordersCase) {
	t.Helper()
	t.Run("makes one order of two placings and keeps the first", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		order := c.order(userOn(c.shards, 0, 1))
		c.place(0, order)
		first := c.find(order.ID)
		order.PriceMinor = 1
		c.place(0, order, c.order(userOn(c.shards, 0, 2)))
		if again := c.find(order.ID); again != first {
			t.Fatalf("the second placing changed the order: %+v", again)
		}
		c.wantCount(0, c.item, 2)
	})
	t.Run("trap 23: refuses an id that is another order's, instead of taking it for a repetition", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		order := c.order(userOn(c.shards, 0, 1))
		c.place(0, order)
		for _, change := range []func(*seckill.NewOrder){
			func(o *seckill.NewOrder) { o.Item = c.next(0) },
			func(o *seckill.NewOrder) { o.Quantity++ },
		} {
			doubled := order
			change(&doubled)
			if err := c.Place(c.t.Context(), 0, []seckill.NewOrder{doubled}); !errors.Is(err, seckill.ErrPoison) {
				t.Errorf("got %v, want poison", err)
			}
		}
		c.wantCount(0, c.item, 1)
	})
	t.Run("makes one order of the same one twice in a batch", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		order := c.order(userOn(c.shards, 0, 1))
		c.place(0, order, order)
		c.wantCount(0, c.item, 1)
	})
}

func ordersArePlacedInBatches(t *testing.T, start func(t *testing.T) *ordersCase) {
	t.Helper()
	t.Run("places a batch over all tables and statements", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		last := c.shards.Count() - 1
		c.place(last, c.many(last, 1200)...)
		c.wantCount(last, c.item, 1200)
	})
	t.Run("places overlapping batches of several workers once", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		orders := c.many(0, 120)
		race(t, 4, func(caller int) (bool, error) {
			mine := slices.Clone(orders[caller*20 : caller*20+60])
			if caller%2 == 1 {
				slices.Reverse(mine)
			}
			return true, c.Place(t.Context(), 0, mine)
		})
		c.wantCount(0, c.item, 120)
	})
	t.Run("places nothing of nothing", func(t *testing.T) {
		t.Parallel()
		start(t).place(0)
	})
}

func ordersAreRefused(t *testing.T, start func(t *testing.T) *ordersCase) {
	t.Helper()
	refused := map[string]func(c *ordersCase) seckill.NewOrder{
		"without quantity": func(c *ordersCase) seckill.NewOrder {
			order := c.order(userOn(c.shards, 0, 9))
			order.Quantity = 0
			return order
		},
		"with a negative price": func(c *ordersCase) seckill.NewOrder {
			order := c.order(userOn(c.shards, 0, 9))
			order.PriceMinor = -1
			return order
		},
		"whose id is of another bucket than its user": func(c *ordersCase) seckill.NewOrder {
			order := c.order(userOn(c.shards, 0, 9))
			order.ID = c.next((order.User.Bucket() + 16) % seckill.Buckets)
			return order
		},
	}
	for name, bad := range refused {
		t.Run("writes nothing of a batch with an order "+name, func(t *testing.T) {
			t.Parallel()
			c := start(t)
			err := c.Place(t.Context(), 0, append(c.many(0, 3), bad(c)))
			if !errors.Is(err, seckill.ErrPoison) {
				t.Fatalf("want %v, got %v", seckill.ErrPoison, err)
			}
			c.wantCount(0, c.item, 0)
		})
	}
	t.Run("refuses an order of another shard's user", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		last := c.shards.Count() - 1
		if last == 0 {
			t.Skip("there is only one")
		}
		if err := c.Place(t.Context(), 0, []seckill.NewOrder{c.order(userOn(c.shards, last, 1))}); err == nil {
			t.Fatal("the order was accepted")
		}
	})
}

func ordersAreRead(t *testing.T, start func(t *testing.T) *ordersCase) {
	t.Helper()
	t.Run("misses what does not exist", func(t *testing.T) {
		t.Parallel()
		_, err := start(t).Find(t.Context(), 4711)
		wantMissing(t, err)
	})
	t.Run("pages through a user's orders, newest first", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		user := userOn(c.shards, c.shards.Count()-1, 1)
		one, two, three := c.order(user), c.order(user), c.order(user)
		c.place(c.shards.Count()-1, two, three, one)
		c.wantPage(seckill.OrderQuery{User: user, Limit: 2}, three.ID, two.ID)
		c.wantPage(seckill.OrderQuery{User: user, Limit: 2, After: two.ID}, one.ID)
		c.wantPage(seckill.OrderQuery{User: user, Limit: 2, After: one.ID})
	})
	t.Run("pages through a user's orders of one state", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		user := userOn(c.shards, 0, 1)
		one, two := c.order(user), c.order(user)
		c.place(0, one, two)
		c.wantPage(seckill.OrderQuery{User: user, State: seckill.OrderUnpaid, Limit: 1}, two.ID)
		c.wantPage(seckill.OrderQuery{User: user, State: seckill.OrderUnpaid, Limit: 2, After: two.ID}, one.ID)
		c.wantPage(seckill.OrderQuery{User: user, State: seckill.OrderPaid, Limit: 2})
	})
	t.Run("shows nobody another user's orders, in the same bucket either", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		user := userOn(c.shards, 0, 1)
		neighbour := userOn(c.shards, 0, 2)
		for number := 3; neighbour.Bucket() != user.Bucket(); number++ {
			neighbour = userOn(c.shards, 0, number)
		}
		mine := c.order(user)
		c.place(0, mine, c.order(neighbour))
		c.wantPage(seckill.OrderQuery{User: user, Limit: 10}, mine.ID)
	})
	t.Run("counts each item apart", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		c.place(0, c.many(0, 5)...)
		other := c.order(userOn(c.shards, 0, 99))
		other.Item = c.item + 1
		c.place(0, other)
		c.wantCount(0, c.item, 5)
		c.wantCount(0, other.Item, 1)
		c.wantCount(0, c.item+2, 0)
	})
}
