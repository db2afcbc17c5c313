package contract

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// SettleAtOnce is the suite of T1 that is T2 as well: all that Claims.Settle decides holds with terms too, and orders are
// there when it says so and only then.
func SettleAtOnce(t *testing.T, open func(t *testing.T) Ledger) {
	t.Helper()
	both := func(t *testing.T) Ledger {
		t.Helper()
		l := open(t)
		l.Claims = &atOnce{Claims: l.Claims, ordered: make(map[seckill.ID]seckill.Claim)}
		return l
	}
	t.Run("decides as ever", func(t *testing.T) { t.Parallel(); Settle(t, both) })
	t.Run("decides as ever in a crowd", func(t *testing.T) { t.Parallel(); SettleCrowd(t, both) })
	runLedger(t, open, []ledgerCase{
		{"places the orders of users of the same shard with their claims", placesWithClaims},
		{"places one order of each reservation, however many workers have it", placesOnceInACrowd},
		{"says nothing of what it has placed before", saysOnceWhatItPlaced},
	})
	for name, spoil := range map[string]func(l ledgerTest, item seckill.ID) seckill.Reserved{
		"is over the limit":        func(l ledgerTest, _ seckill.ID) seckill.Reserved { return l.reserve("a", limitOfOnce+1) },
		"is more than there is":    func(l ledgerTest, _ seckill.ID) seckill.Reserved { return l.reserve("a", unitsOfOnce) },
		"has a key that is taken":  takenKeyOfOnce,
		"has an id that is known":  knownIDOfOnce,
		"has an id that is double": doubledIDOfOnce,
		"has an order already":     orderedOfOnce,
	} {
		runLedger(t, open, []ledgerCase{{"leaves all orders to the caller when one reservation " + name, func(l ledgerTest) {
			leavesOrders(l, spoil)
		}}})
	}
}

const (
	unitsOfOnce = 20
	limitOfOnce = unitsOfOnce
)

func termsOfOnce() seckill.Terms {
	return seckill.Terms{PriceMinor: 995, Currency: "EUR", PayWithin: time.Minute}
}

// termsOf are the same for every item.
func termsOf(messages []seckill.Message) map[seckill.ID]seckill.Terms {
	terms := make(map[seckill.ID]seckill.Terms)
	for _, m := range messages {
		terms[m.Item] = termsOfOnce()
	}
	return terms
}

func (l ledgerTest) settleAtOnce(messages ...seckill.Message) seckill.Settlement {
	l.Helper()
	shard := seckill.HomeShard(l.Shards, messages[0].Item)
	settlement, err := l.Claims.Settle(l.Context(), shard, messages, termsOf(messages))
	if err != nil {
		l.Fatal(err)
	}
	return settlement
}

// neighbour is a user on the item's shard.
func (l ledgerTest) neighbour(item seckill.ID, name string) seckill.UserID {
	for n := 0; ; n++ {
		user := seckill.UserID(fmt.Sprintf("%s-%d", name, n))
		if seckill.UserShard(l.Shards, user) == seckill.HomeShard(l.Shards, item) {
			return user
		}
	}
}

func placesWithClaims(l ledgerTest) {
	item := l.opened(unitsOfOnce, limitOfOnce)
	ann, bob := l.reserve(l.neighbour(item, "ann"), 2), l.reserve(l.neighbour(item, "bob"), 1)
	far := l.reserveFar(item, 10)
	s := l.settleAtOnce(l.message(item, 1, 13, slices.Concat([]seckill.Reserved{ann, bob}, far)...))
	l.heldOnly(seckill.Settlement{Held: s.Held, Rejected: s.Rejected, Doubled: s.Doubled, Ahead: s.Ahead}, far...)
	if len(s.Ordered) != 2 || s.Ordered[0].ID != ann.ID || s.Ordered[1].ID != bob.ID || !s.Ordered[0].Ordered {
		l.Fatalf("got %+v", s.Ordered)
	}
	l.wantOrder(item, ann)
	l.wantOrders(item, 2)
	unordered, err := l.Claims.Unordered(l.Context(), seckill.HomeShard(l.Shards, item), 0, 100)
	if err != nil || len(unordered) != len(far) {
		l.Fatalf("%d claims wait for their orders, %v", len(unordered), err)
	}
	l.units(item, 0, unitsOfOnce-3-int64(len(far)), 0, 3+int64(len(far)))
}

// reserveFar are those of so many users who do not live where the item does.
func (l ledgerTest) reserveFar(item seckill.ID, users int) (far []seckill.Reserved) {
	l.Helper()
	for n := range users {
		user := seckill.UserID(fmt.Sprintf("anybody-%d", n))
		if seckill.UserShard(l.Shards, user) != seckill.HomeShard(l.Shards, item) {
			far = append(far, l.reserve(user, 1))
		}
	}
	return far
}

// wantOrder wants the order of a reservation as the terms have it.
func (l ledgerTest) wantOrder(item seckill.ID, r seckill.Reserved) {
	l.Helper()
	order, err := l.Orders.Find(l.Context(), r.ID)
	if err != nil || order.Item != item || order.User != r.User || order.Quantity != r.Quantity || order.State != seckill.OrderUnpaid ||
		order.PriceMinor != termsOfOnce().PriceMinor || order.PayBy.Sub(order.CreatedAt) != termsOfOnce().PayWithin {
		l.Fatalf("got %+v, %v", order, err)
	}
}

// wantOrders wants so many orders of an item.
func (l ledgerTest) wantOrders(item seckill.ID, want int64) {
	l.Helper()
	var orders int64
	for shard := range l.Shards.Count() {
		count, err := l.Orders.Count(l.Context(), shard, item)
		if err != nil {
			l.Fatal(err)
		}
		orders += count[seckill.OrderUnpaid].Orders
	}
	if orders != want {
		l.Fatalf("%d orders, want %d", orders, want)
	}
}

func placesOnceInACrowd(l ledgerTest) {
	const batches, size, workers = 8, 12, 4
	item := l.opened(batches*size, 1)
	var messages []seckill.Message
	for i := range batches {
		var reserved []seckill.Reserved
		for j := range size {
			reserved = append(reserved, l.reserve(l.neighbour(item, fmt.Sprintf("user-%d-%d", i, j)), 1))
		}
		messages = append(messages, l.message(item, 1, batches*size, reserved...))
	}
	var done sync.WaitGroup
	for worker := range workers {
		done.Go(func() {
			own := slices.Concat(messages[worker*batches/workers:], messages[:worker*batches/workers])
			for calls := range slices.Chunk(own, 3) {
				if err := l.settleThrough(calls); err != nil {
					l.Error(err)
				}
			}
		})
	}
	done.Wait()
	l.units(item, 0, 0, 0, batches*size)
	l.wantOrders(item, batches*size)
	if l.stock(item).Accounted != batches*size {
		l.Fatal("something was accounted twice")
	}
}

// settleThrough settles and does T2 of what is left, all over again when something passing comes between, as a worker and
// the completer do.
func (l ledgerTest) settleThrough(messages []seckill.Message) error {
	for {
		err := l.settleAndPlace(messages)
		if !errors.Is(err, seckill.ErrTransient) {
			return err
		}
	}
}

func (l ledgerTest) settleAndPlace(messages []seckill.Message) error {
	shard := seckill.HomeShard(l.Shards, messages[0].Item)
	s, err := l.Claims.Settle(l.Context(), shard, messages, termsOf(messages))
	if err != nil || len(s.Held) == 0 {
		return err
	}
	orders, ids := make([]seckill.NewOrder, len(s.Held)), make([]seckill.ID, len(s.Held))
	for i, c := range s.Held {
		orders[i], ids[i] = termsOfOnce().Order(c.ID, c.Item, c.User, c.Quantity), c.ID
	}
	if err := l.Orders.Place(l.Context(), shard, orders); err != nil {
		return err
	}
	return l.Claims.MarkOrdered(l.Context(), shard, ids)
}

func saysOnceWhatItPlaced(l ledgerTest) {
	item := l.opened(unitsOfOnce, limitOfOnce)
	m := l.message(item, 1, 1, l.reserve(l.neighbour(item, "ann"), 1))
	if s := l.settleAtOnce(m); len(s.Ordered) != 1 {
		l.Fatalf("got %+v", s)
	}
	if s := l.settleAtOnce(m, m); len(s.Ordered)+len(s.Held)+len(s.Rejected)+len(s.Doubled) > 0 {
		l.Fatalf("got %+v", s)
	}
	l.wantOrders(item, 1)
	l.units(item, 0, unitsOfOnce-1, 0, 1)
}

// leavesOrders settles something ordinary together with what is not.
func leavesOrders(l ledgerTest, spoil func(l ledgerTest, item seckill.ID) seckill.Reserved) {
	item := l.opened(unitsOfOnce, limitOfOnce)
	odd := spoil(l, item)
	fine := l.reserve(l.neighbour(item, "ann"), 1)
	s := l.settleAtOnce(l.message(item, 1, 2, fine, odd))
	if len(s.Ordered) > 0 || len(s.Held) == 0 || s.Held[0].ID != fine.ID {
		l.Fatalf("got %+v", s)
	}
	if order, err := l.Orders.Find(l.Context(), fine.ID); !errors.Is(err, seckill.ErrNotFound) {
		l.Fatalf("got %+v, %v", order, err)
	}
	l.addsUp(item)
}

func takenKeyOfOnce(l ledgerTest, item seckill.ID) seckill.Reserved {
	l.settle(l.message(item, 1, 1, l.reserveKey("a", 1, "key")))
	return l.reserveKey("a", 1, "key")
}

func knownIDOfOnce(l ledgerTest, item seckill.ID) seckill.Reserved {
	known := l.reserve("a", 1)
	l.settle(l.message(item, 1, 1, known))
	return known
}

func doubledIDOfOnce(l ledgerTest, item seckill.ID) seckill.Reserved {
	known := l.reserve(l.neighbour(item, "a"), 1)
	l.settle(l.message(item, 1, 1, known))
	known.Quantity++
	return known
}

// orderedOfOnce is what only a restored backup of one table could bring about.
func orderedOfOnce(l ledgerTest, item seckill.ID) seckill.Reserved {
	r := l.reserve(l.neighbour(item, "a"), 1)
	order := termsOfOnce().Order(r.ID, item, r.User, r.Quantity)
	if err := l.Orders.Place(l.Context(), seckill.HomeShard(l.Shards, item), []seckill.NewOrder{order}); err != nil {
		l.Fatal(err)
	}
	return r
}

// atOnce gives every call terms, and calls held what was ordered by it until that is marked: what Settle decides must not
// depend on when the orders come.
type atOnce struct {
	seckill.Claims

	mu      sync.Mutex
	ordered map[seckill.ID]seckill.Claim
}

// Settle implements seckill.Claims.
func (a *atOnce) Settle(
	ctx context.Context, shard int, messages []seckill.Message, _ map[seckill.ID]seckill.Terms,
) (seckill.Settlement, error) {
	s, err := a.Claims.Settle(ctx, shard, messages, termsOf(messages))
	return a.unordered(messages, s), err
}

// Reject implements seckill.Claims.
func (a *atOnce) Reject(
	ctx context.Context, shard int, message seckill.Message, reserved seckill.Reserved, reason seckill.Reason,
) (seckill.Settlement, error) {
	s, err := a.Claims.Reject(ctx, shard, message, reserved, reason)
	message.Reservations = []seckill.Reserved{reserved}
	return a.unordered([]seckill.Message{message}, s), err
}

// MarkOrdered implements seckill.Claims.
func (a *atOnce) MarkOrdered(ctx context.Context, shard int, ids []seckill.ID) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range ids {
		delete(a.ordered, id)
	}
	return a.Claims.MarkOrdered(ctx, shard, ids)
}

// unordered is the settlement as it would be without orders, in the order of the messages.
func (a *atOnce) unordered(messages []seckill.Message, s seckill.Settlement) seckill.Settlement {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range s.Ordered {
		c.Ordered = false
		a.ordered[c.ID] = c
	}
	held := make(map[seckill.ID]seckill.Claim)
	for _, c := range s.Held {
		held[c.ID] = c
	}
	s.Ordered, s.Held = nil, nil
	for _, m := range messages {
		for _, r := range m.Reservations {
			c, found := held[r.ID]
			if !found {
				c, found = a.ordered[r.ID]
			}
			own := c.Item == m.Item && c.User == r.User && c.Quantity == r.Quantity && c.KeyHash == r.KeyHash
			if found && own && !slices.ContainsFunc(s.Held, func(h seckill.Claim) bool { return h.ID == r.ID }) {
				s.Held = append(s.Held, c)
			}
		}
	}
	return s
}
