package sqlstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// bench is one open item and as many users as it takes.
type bench struct {
	contract.Ledger
	item seckill.ID
	sold int64
}

func newBench(tb testing.TB, store *sqlstore.Store, units, limit int64) *bench {
	tb.Helper()
	b := &bench{Ledger: ledger(store), item: 0}
	b.item = b.id(tb, 500)
	item := seckill.Item{ID: b.item, Allotment: units, LimitPerUser: limit}
	if err := b.Stocks.Create(tb.Context(), item, seckill.GateDefault); err != nil {
		tb.Fatal(err)
	}
	attempt := b.id(tb, 0)
	rebuild := seckill.Rebuild{Item: b.item, From: seckill.StockNew, NextAttempt: attempt}
	if _, done, err := b.Stocks.Rebuild(tb.Context(), rebuild); err != nil || !done {
		tb.Fatal(done, err)
	}
	if opened, err := b.Stocks.Open(tb.Context(), b.item, 1, attempt); err != nil || !opened {
		tb.Fatal(opened, err)
	}
	return b
}

func (b *bench) id(tb testing.TB, bucket int) seckill.ID {
	tb.Helper()
	id, err := b.IDs.Next(bucket)
	if err != nil {
		tb.Fatal(err)
	}
	return id
}

func (*bench) user(number int64) seckill.UserID {
	return seckill.UserID(fmt.Sprintf("user-%d", number))
}

// message is a batch of the next users, one unit each.
func (b *bench) message(tb testing.TB, size int) seckill.Message {
	tb.Helper()
	m := seckill.Message{Batch: b.id(tb, 0), Item: b.item, Epoch: 1, At: time.Now().UnixMilli()}
	for range size {
		user := b.user(b.sold)
		id := b.id(tb, user.Bucket())
		m.Reservations = append(m.Reservations, seckill.Reserved{ID: id, User: user, Quantity: 1, KeyHash: seckill.KeyHash("key", id)})
		b.sold++
	}
	m.Sold = b.sold
	return m
}

func benchTerms() seckill.Terms {
	return seckill.Terms{PriceMinor: 995, Currency: "EUR", PayWithin: time.Minute}
}

// terms are the item's, or nothing.
func (b *bench) terms(known bool) map[seckill.ID]seckill.Terms {
	if !known {
		return nil
	}
	return map[seckill.ID]seckill.Terms{b.item: benchTerms()}
}

func (b *bench) settle(tb testing.TB, m seckill.Message) []seckill.Claim {
	tb.Helper()
	settlement, err := b.Claims.Settle(tb.Context(), seckill.HomeShard(b.Shards, b.item), []seckill.Message{m}, nil)
	if err != nil || len(settlement.Held) != len(m.Reservations) {
		tb.Fatal(len(settlement.Held), err)
	}
	return settlement.Held
}

// place is T2: orders in their users' shards, then the mark on the claims.
func (b *bench) place(tb testing.TB, held []seckill.Claim) {
	tb.Helper()
	orders := make(map[int][]seckill.NewOrder)
	ids := make([]seckill.ID, len(held))
	for i, c := range held {
		shard := seckill.UserShard(b.Shards, c.User)
		orders[shard] = append(orders[shard], benchTerms().Order(c.ID, c.Item, c.User, c.Quantity))
		ids[i] = c.ID
	}
	for shard, placed := range orders {
		if err := b.Orders.Place(tb.Context(), shard, placed); err != nil {
			tb.Fatal(err)
		}
	}
	if err := b.Claims.MarkOrdered(tb.Context(), seckill.HomeShard(b.Shards, b.item), ids); err != nil {
		tb.Fatal(err)
	}
}

// settleAtOnce is T1 and T2 together.
func (b *bench) settleAtOnce(tb testing.TB, m seckill.Message) {
	tb.Helper()
	settlement, err := b.Claims.Settle(tb.Context(), seckill.HomeShard(b.Shards, b.item), []seckill.Message{m}, b.terms(true))
	if err != nil || len(settlement.Ordered) != len(m.Reservations) {
		tb.Fatal(len(settlement.Ordered), err)
	}
}

// BenchmarkSettle is what one batch costs: T1 alone, with T2 after it, and both at once.
func BenchmarkSettle(b *testing.B) {
	for _, e := range engines() {
		for name, settle := range map[string]func(tb testing.TB, b *bench, m seckill.Message){
			"T1":      func(tb testing.TB, b *bench, m seckill.Message) { tb.Helper(); b.settle(tb, m) },
			"T1+T2":   func(tb testing.TB, b *bench, m seckill.Message) { tb.Helper(); b.place(tb, b.settle(tb, m)) },
			"at once": func(tb testing.TB, b *bench, m seckill.Message) { tb.Helper(); b.settleAtOnce(tb, m) },
		} {
			b.Run(e.name+"/"+name, func(b *testing.B) { benchSettle(b, e, settle) })
		}
	}
}

func benchSettle(b *testing.B, e engine, settle func(tb testing.TB, b *bench, m seckill.Message)) {
	b.Helper()
	const batch = 500
	bench := newBench(b, e.open(b, 1), 1<<40, 1)
	for b.Loop() {
		b.StopTimer()
		m := bench.message(b, batch)
		b.StartTimer()
		settle(b, bench, m)
	}
	b.ReportMetric(float64(b.N)*batch/b.Elapsed().Seconds(), "reservations/s")
}
