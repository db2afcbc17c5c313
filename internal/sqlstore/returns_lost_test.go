package sqlstore_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

func TestMySQLLosesTheCommit(t *testing.T) {
	t.Parallel()
	for _, a := range accidents() {
		t.Run("of a return, "+a.name+": it is repeated and brings the units back once", func(t *testing.T) {
			t.Parallel()
			c, w := wired(t)
			c.Shards[0].MySQL.ReadTimeout = time.Second // for the answer that never comes
			b := newBench(t, leased(t, c), 10, 1)
			returns := b.buyThree(t)
			w.next.Store(a)
			_, err := b.Returns.Return(t.Context(), b.item, returns)
			wantUnknown(t, err)
			if stock := b.stock(t); (stock.Claimed == 0) != a.sent {
				t.Fatalf("the accident was another one: %+v", stock)
			}
			units, err := b.Returns.Return(t.Context(), b.item, returns)
			if err != nil || (units == 0) != a.sent {
				t.Fatalf("%d units came back, %v", units, err)
			}
			if stock := b.stock(t); stock.Claimed != 0 || stock.Pool != 3 {
				t.Fatalf("got %+v", stock)
			}
		})
		t.Run("of an adjustment, "+a.name+": it is repeated and answers the same", func(t *testing.T) {
			t.Parallel()
			c, w := wired(t)
			c.Shards[0].MySQL.ReadTimeout = time.Second
			b := newBench(t, leased(t, c), 10, 1)
			less := seckill.Adjustment{Item: b.item, Op: "less", Delta: -4}
			w.next.Store(a)
			_, err := b.Adjustments.Adjust(t.Context(), less)
			wantUnknown(t, err)
			got, err := b.Adjustments.Adjust(t.Context(), less)
			if err != nil || got.Taken != 0 || got.Owed != 4 || got.Repeated != a.sent || got.Stock.OwedDecrease != 4 {
				t.Fatalf("got %+v, %v", got, err)
			}
		})
	}
}

func wantUnknown(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, seckill.ErrTransient) || !sqlstore.IsUnknownCommit(err) {
		t.Fatalf("got %v", err)
	}
}

// buyThree sells a unit to each of three users, who then want to give it back.
func (b *bench) buyThree(t *testing.T) []seckill.Return {
	t.Helper()
	var returns []seckill.Return
	for _, c := range b.settle(t, b.message(t, 3)) {
		returns = append(returns, seckill.Return{Claim: c.ID, User: c.User, Quantity: c.Quantity})
	}
	return returns
}

func (b *bench) stock(t *testing.T) seckill.Stock {
	t.Helper()
	stock, err := b.Stocks.Get(t.Context(), b.item)
	if err != nil {
		t.Fatal(err)
	}
	return stock
}

func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	t.Run("do one change for an op and one for a return that both are asked for, again and again", func(t *testing.T) {
		t.Parallel()
		onEngines(t, func(t *testing.T, e engine) {
			t.Helper()
			c := e.fresh(t, 1)
			first := newBench(t, leased(t, c), 100, 1)
			second := &bench{Ledger: ledger(leased(t, c)), item: first.item}
			returns := first.buyThree(t)
			units, firsts := bothAsk(t, returns, first, second)
			if stock := first.stock(t); units != 3 || firsts != 2 || stock.Claimed != 0 || stock.Allotted-stock.OwedDecrease != 80 {
				t.Fatalf("%d units, %d changes, %+v", units, firsts, stock)
			}
		})
	})
}

// bothAsk lets two processes adjust by two ops and return the same claims, three times each. It tells how many units came
// back and how many answers were no repetition.
func bothAsk(t *testing.T, returns []seckill.Return, processes ...*bench) (units, firsts int64) {
	t.Helper()
	var back, changes atomic.Int64
	var asking sync.WaitGroup
	for _, b := range processes {
		for range 3 {
			asking.Go(func() {
				patiently(t, func() error {
					units, err := b.Returns.Return(t.Context(), b.item, returns)
					back.Add(units)
					return err
				})
				for op, delta := range map[string]int64{"more": 10, "less": -30} {
					patiently(t, func() error {
						got, err := b.Adjustments.Adjust(t.Context(), seckill.Adjustment{Item: b.item, Op: op, Delta: delta})
						if err == nil && !got.Repeated {
							changes.Add(1)
						}
						return err
					})
				}
			})
		}
	}
	asking.Wait()
	return back.Load(), changes.Load()
}

// patiently repeats passing failures.
func patiently(t *testing.T, do func() error) {
	t.Helper()
	err := do()
	for errors.Is(err, seckill.ErrTransient) {
		err = do()
	}
	if err != nil {
		t.Error(err)
	}
}
