package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
	"github.com/seckill-dev/seckill/internal/testenv"
)

// migratedOn opens a migrated store whose shards are databases of these servers.
func migratedOn(t *testing.T, servers ...*testenv.MariaDB) *sqlstore.Store {
	t.Helper()
	var dsns []string
	for _, server := range servers {
		dsns = append(dsns, server.Database(t))
	}
	store := open(t, serverConfig(dsns...))
	if err := errors.Join(store.Migrate(t.Context()), store.IDs().Acquire(t.Context())); err != nil {
		t.Fatal(err)
	}
	return store
}

// until repeats a call that may be repeated, with a moment's pause, as the worker does.
func until(ctx context.Context, do func() error) error {
	for {
		err := do()
		if err == nil || !errors.Is(err, seckill.ErrTransient) {
			return err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("given up: %w", err)
		}
	}
}

// T1 and T2 are repeated over commits whose answer is lost, and each happens once.
func TestMySQLServerKilledInTheMiddleOfCommits(t *testing.T) {
	t.Parallel()
	server := testenv.StartMariaDB(t)
	store := migratedOn(t, server)
	const workers, batches, size = 4, 40, 10
	b := newBench(t, store, workers*batches*size, 1)
	work := make(chan seckill.Message, workers*batches)
	for range workers * batches {
		work <- b.message(t, size)
	}
	close(work)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var done sync.WaitGroup
	for range workers {
		done.Go(func() {
			for m := range work {
				if err := b.purchase(ctx, m); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 5 {
		awaitClaims(t, b)
		server.Restart(t)
	}
	done.Wait()
	b.wantAllOnce(t, workers*batches*size)
}

// purchase is T1, T2 and the mark of one message, each repeated until it is done. Every other message has its orders with
// its claims.
func (b *bench) purchase(ctx context.Context, m seckill.Message) error {
	shard := seckill.HomeShard(b.Shards, m.Item)
	if err := until(ctx, func() error {
		_, err := b.Claims.Settle(ctx, shard, []seckill.Message{m}, b.terms(m.Sold%int64(2*len(m.Reservations)) == 0))
		return err
	}); err != nil {
		return err
	}
	orders := make(map[int][]seckill.NewOrder)
	var ids []seckill.ID
	for _, r := range m.Reservations {
		home := seckill.UserShard(b.Shards, r.User)
		orders[home] = append(orders[home], benchTerms().Order(r.ID, m.Item, r.User, r.Quantity))
		ids = append(ids, r.ID)
	}
	for home, placed := range orders {
		if err := until(ctx, func() error { return b.Orders.Place(ctx, home, placed) }); err != nil {
			return err
		}
	}
	return until(ctx, func() error { return b.Claims.MarkOrdered(ctx, shard, ids) })
}

// awaitClaims waits until a little more of the item is claimed, or all of it.
func awaitClaims(t *testing.T, b *bench) {
	t.Helper()
	claimed := func() (int64, bool) {
		stock, err := b.Stocks.Get(t.Context(), b.item)
		return stock.Claimed, err == nil && stock.Claimed < stock.Allotted
	}
	begun, _ := claimed()
	soon(t, "nothing is claimed any more", func() bool {
		now, unsold := claimed()
		return now > begun+100 || (now > 0 && !unsold)
	})
}

// wantAllOnce wants every unit claimed, ordered and noted exactly once.
func (b *bench) wantAllOnce(t *testing.T, units int64) {
	t.Helper()
	facts, err := b.Books.Facts(t.Context(), b.item)
	if err != nil || facts.Stock.Claimed != units || facts.HeldUnits != units || facts.Stock.Accounted != units || facts.Stock.Lent != 0 {
		t.Fatalf("got %+v, %v", facts, err)
	}
	var orders int64
	for shard := range b.Shards.Count() {
		count, err := b.Orders.Count(t.Context(), shard, b.item)
		if err != nil {
			t.Fatal(err)
		}
		orders += count[seckill.OrderUnpaid].Orders
		if unordered, err := b.Claims.Unordered(t.Context(), shard, 0, 10); err != nil || len(unordered) > 0 {
			t.Fatalf("%d claims wait for their order, %v", len(unordered), err)
		}
	}
	if orders != units {
		t.Fatalf("%d orders of %d", orders, units)
	}
}

// One of two servers away: what lives on the other goes on, and what could not be done is done once when it is back.
func TestMySQLShardsOnTwoServers(t *testing.T) {
	t.Parallel()
	first, second := testenv.StartMariaDB(t), testenv.StartMariaDB(t)
	store := migratedOn(t, first, second)
	b := newBench(t, store, 400, 1)
	home := seckill.HomeShard(store.Shards(), b.item)
	away := []*testenv.MariaDB{second, first}[home]
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := b.purchase(ctx, b.message(t, 200)); err != nil {
		t.Fatal(err)
	}
	m := b.message(t, 200)
	away.Kill(t)
	b.settle(t, m)
	stranger := seckill.UserID("")
	for n := int64(0); stranger == "" || seckill.UserShard(store.Shards(), stranger) == home; n++ {
		stranger = b.user(n)
	}
	if _, err := b.Orders.OfUser(ctx, seckill.OrderQuery{User: stranger, Limit: 1}); !errors.Is(err, seckill.ErrTransient) {
		t.Fatalf("got %v", err)
	}
	away.Restart(t)
	if err := b.purchase(ctx, m); err != nil {
		t.Fatal(err)
	}
	b.wantAllOnce(t, 400)
}

// A commit whose answer is lost is no passing failure for a call whose answer says who decided.
func TestMySQLUnknownOutcomeIsNotTransient(t *testing.T) {
	t.Parallel()
	server := testenv.StartMariaDB(t)
	b := newBench(t, migratedOn(t, server), 10, 1)
	var failed int
	for range 4 {
		stop := make(chan struct{})
		var raising sync.WaitGroup
		raising.Go(func() { failed += b.raiseUntil(t, stop) })
		server.Restart(t)
		close(stop)
		raising.Wait()
	}
	if failed == 0 {
		t.Error("nothing failed although the server was killed")
	}
}

// raiseUntil changes the item's row over and over and counts what failed.
func (b *bench) raiseUntil(t *testing.T, stop <-chan struct{}) (failed int) {
	t.Helper()
	for {
		select {
		case <-stop:
			return failed
		default:
		}
		err := b.Stocks.RaiseHigh(context.Background(), b.item, 1, time.Now().UnixNano())
		if err == nil {
			continue
		}
		failed++
		if errors.Is(err, seckill.ErrTransient) == sqlstore.IsUnknownCommit(err) {
			t.Errorf("it is either known or not: %v", err)
		}
	}
}

// Payments, cancellations and timeouts are repeated over commits whose answer is lost, and each order comes to one end.
func TestMySQLServerKilledInTheMiddleOfPayments(t *testing.T) {
	t.Parallel()
	server := testenv.StartMariaDB(t)
	store := migratedOn(t, server)
	const count, workers = 240, 4
	orders := make(chan *paidOrder, count)
	for range count {
		o := newPaidOrder(t, store)
		o.begun()
		orders <- o
	}
	close(orders)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var done sync.WaitGroup
	for worker := range workers {
		done.Go(func() {
			for o := range orders {
				first, second := o.record, o.cancel
				if worker%2 == 0 {
					first, second = second, first
				}
				if err := errors.Join(until(ctx, first), until(ctx, second)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for kills := range 3 {
		soon(t, "no order comes to its end any more", func() bool { return len(orders) < count-(kills+1)*count/4 })
		server.Restart(t)
	}
	done.Wait()
	wantEnds(t, store, count)
}

// wantEnds wants each of so many orders either paid by its one charge, or cancelled with that charge to go back.
func wantEnds(t *testing.T, store *sqlstore.Store, count int64) {
	t.Helper()
	var paid, cancelled int64
	for table := range 16 {
		paid += countRows(t, store, fmt.Sprintf("orders_%02d", table), "state = 'paid' AND version = 2")
		cancelled += countRows(t, store, fmt.Sprintf("orders_%02d", table), "state = 'cancelled' AND version = 2")
	}
	if paid+cancelled != count || paid == 0 || cancelled == 0 {
		t.Fatalf("%d are paid, %d cancelled", paid, cancelled)
	}
	for rows, want := range map[string]int64{
		"charges": count, "refunds": cancelled, "outbox": cancelled, "order_events": 2 * count,
	} {
		if got := countRows(t, store, rows, "1 = 1"); got != want {
			t.Errorf("%d rows of %s, want %d", got, rows, want)
		}
	}
}
