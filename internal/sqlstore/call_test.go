package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/guard"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
	"github.com/seckill-dev/seckill/internal/testenv"
)

// watcher is a guard that notes what counts against its shard. A closed one lets nothing through.
type watcher struct {
	closed bool

	mu      sync.Mutex
	calls   int
	silence []error
}

func (w *watcher) Do(ctx context.Context, call func(ctx context.Context) error) error {
	w.mu.Lock()
	w.calls++
	w.mu.Unlock()
	if w.closed {
		return seckill.ErrUnavailable
	}
	err := call(ctx)
	if err != nil {
		w.mu.Lock()
		w.silence = append(w.silence, err)
		w.mu.Unlock()
	}
	return err
}

func (w *watcher) counted() []error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.silence
}

// watched opens a store whose shards have watchers.
func watched(t *testing.T, c sqlstore.Config) (*sqlstore.Store, []*watcher) {
	t.Helper()
	watchers := make([]*watcher, len(c.Shards))
	for i := range watchers {
		watchers[i] = &watcher{}
		c.Guards = append(c.Guards, watchers[i])
	}
	return leased(t, c), watchers
}

// Every method of every port is called with whatever fits; none may reach a shard whose guard is closed.
func TestEveryCallPassesTheGuard(t *testing.T) {
	t.Parallel()
	store, watchers := watched(t, config(t.TempDir(), 1))
	watchers[0].closed = true
	ports := map[reflect.Type]any{
		reflect.TypeFor[seckill.Catalog]():  sqlstore.Catalog{Store: store},
		reflect.TypeFor[seckill.Accounts](): sqlstore.Accounts{Store: store},
		reflect.TypeFor[seckill.Stocks]():   sqlstore.Stocks{Store: store},
		reflect.TypeFor[seckill.Claims]():   sqlstore.Claims{Store: store},
		reflect.TypeFor[seckill.Orders]():   sqlstore.Orders{Store: store},
		reflect.TypeFor[seckill.Marks]():    sqlstore.Marks{Store: store},
		reflect.TypeFor[seckill.Owing]():    sqlstore.Owing{Store: store},
		reflect.TypeFor[seckill.Books]():    sqlstore.Books{Store: store},
		reflect.TypeFor[seckill.Payments](): sqlstore.Payments{Store: store},
	}
	for port, filled := range ports {
		for n := range port.NumMethod() {
			method := port.Method(n)
			t.Run(fmt.Sprintf("%s.%s", port.Name(), method.Name), func(t *testing.T) {
				err := callBlindly(t, reflect.ValueOf(filled).MethodByName(method.Name))
				if !errors.Is(err, seckill.ErrTransient) && !errors.Is(err, seckill.ErrPoison) { // poison is seen without a shard
					t.Fatalf("it got through: %v", err)
				}
			})
		}
	}
}

// callBlindly calls a method with zero values, lists of one, and returns its error.
func callBlindly(t *testing.T, method reflect.Value) error {
	t.Helper()
	args := []reflect.Value{reflect.ValueOf(t.Context())}
	for n := 1; n < method.Type().NumIn(); n++ {
		kind := method.Type().In(n)
		if kind.Kind() == reflect.Slice && !method.Type().IsVariadic() {
			args = append(args, reflect.MakeSlice(kind, 1, 1))
		} else if kind.Kind() != reflect.Slice {
			args = append(args, reflect.Zero(kind))
		}
	}
	results := method.Call(args)
	err, _ := results[len(results)-1].Interface().(error)
	return err
}

func TestWhatCountsAgainstAShard(t *testing.T) {
	t.Parallel()
	t.Run("is no answer that it gave: a missing row, a locked one, bad data, a refusal, a lost race", func(t *testing.T) {
		t.Parallel()
		store, watchers := watched(t, mariadbConfig(t, 1))
		b := newBench(t, store, 10, 1)
		hold(t, store, b.item)
		_, locked := b.Claims.Settle(t.Context(), 0, []seckill.Message{b.message(t, 1)}, nil)
		_, missing := b.Orders.Find(t.Context(), b.item)
		bad := seckill.NewOrder{ID: b.id(t, b.user(1).Bucket()), Item: b.item, User: b.user(1), Currency: "EUR", PayWithin: 1}
		poison := b.Orders.Place(t.Context(), 0, []seckill.NewOrder{bad})
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		_, left := b.Orders.Find(gone, b.item)
		if !errors.Is(locked, seckill.ErrTransient) || !errors.Is(missing, seckill.ErrNotFound) ||
			!errors.Is(poison, seckill.ErrPoison) || !errors.Is(left, context.Canceled) {
			t.Fatalf("got %v, %v, %v, %v", locked, missing, poison, left)
		}
		if counted := watchers[0].counted(); len(counted) != 1 || !errors.Is(counted[0], context.Canceled) {
			t.Fatalf("counted %v", counted)
		}
	})
	t.Run("is a server that is gone, and one that does not answer in time", func(t *testing.T) {
		t.Parallel()
		server := testenv.StartMariaDB(t)
		c := serverConfig(server.Database(t))
		if err := errors.Join(open(t, c).Migrate(t.Context())); err != nil {
			t.Fatal(err)
		}
		store, watchers := watched(t, c)
		orders := sqlstore.Orders{Store: store}
		server.Stop(t)
		_, late := orders.Find(within(t, 200*time.Millisecond), 1)
		server.Continue(t)
		server.Kill(t)
		_, gone := orders.Find(t.Context(), 1)
		if !errors.Is(late, context.DeadlineExceeded) || !errors.Is(gone, seckill.ErrTransient) {
			t.Fatalf("got %v, %v", late, gone)
		}
		if counted := watchers[0].counted(); len(counted) != 2 {
			t.Fatalf("counted %v", counted)
		}
	})
}

func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// A shard that hangs is found out by three callers; everybody else hears at once that it is away, and it is used again
// as soon as it answers, although nobody's call was sent ahead.
func TestAFrozenShardAnswersFast(t *testing.T) {
	t.Parallel()
	server := testenv.StartMariaDB(t)
	c := serverConfig(server.Database(t))
	if err := open(t, c).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var store *sqlstore.Store
	c.Guards = []sqlstore.Guard{guard.NewBreaker("shard 0", guard.Options{
		Timeout: 300 * time.Millisecond, FailuresMax: 3, Rest: 100 * time.Millisecond,
		Probe: func(ctx context.Context) error { return store.Ping(ctx, 0) },
	})}
	store = leased(t, c)
	orders := sqlstore.Orders{Store: store}
	server.Stop(t)
	for range 3 {
		if _, err := orders.Find(t.Context(), 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a call without a deadline of its own ended with %v", err)
		}
	}
	began := time.Now()
	for range 100 {
		if _, err := orders.Find(t.Context(), 1); !errors.Is(err, seckill.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took > 200*time.Millisecond {
		t.Fatalf("100 refusals took %v", took)
	}
	_, read, err := store.SQL(0)
	if err != nil || read.Stats().InUse > 0 {
		t.Fatalf("%d connections are in use, %v", read.Stats().InUse, err)
	}
	server.Continue(t)
	began = time.Now()
	soon(t, "the shard is never used again", func() bool {
		_, err := orders.Find(t.Context(), 1)
		return errors.Is(err, seckill.ErrNotFound)
	})
	t.Logf("used again %v after it answered", time.Since(began))
}
