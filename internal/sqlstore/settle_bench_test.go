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

func (b *bench) settle(tb testing.TB, m seckill.Message) []seckill.Claim {
	tb.Helper()
	settlement, err := b.Claims.Settle(tb.Context(), seckill.HomeShard(b.Shards, b.item), []seckill.Message{m})
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
		orders[shard] = append(orders[shard], seckill.NewOrder{
			ID: c.ID, Item: c.Item, User: c.User, Quantity: c.Quantity, PriceMinor: 995, Currency: "EUR", PayWithin: time.Minute,
		})
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

// BenchmarkSettle is what one batch costs: T1 alone, and with T2.
func BenchmarkSettle(b *testing.B) {
	for _, e := range engines() {
		for name, withOrders := range map[string]bool{"T1": false, "T1+T2": true} {
			b.Run(e.name+"/"+name, func(b *testing.B) { benchSettle(b, e, withOrders) })
		}
	}
}

func benchSettle(b *testing.B, e engine, withOrders bool) {
	b.Helper()
	const batch = 500
	bench := newBench(b, e.open(b, 1), 1<<40, 1)
	for b.Loop() {
		b.StopTimer()
		m := bench.message(b, batch)
		b.StartTimer()
		held := bench.settle(b, m)
		if withOrders {
			bench.place(b, held)
		}
	}
	b.ReportMetric(float64(b.N)*batch/b.Elapsed().Seconds(), "reservations/s")
}
