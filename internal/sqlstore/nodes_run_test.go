package sqlstore_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// tickClock is a setClock whose waits end when the test says so.
type tickClock struct {
	*setClock
	ticks chan time.Time
}

func (c tickClock) After(time.Duration) <-chan time.Time { return c.ticks }

// running is a leased store whose IDs are run by a clock of the test's; stop ends Run and wants it to end well.
func running(t *testing.T) (store *sqlstore.Store, clock tickClock, stop func()) {
	t.Helper()
	clock = tickClock{setClock: newSetClock(), ticks: make(chan time.Time)}
	store = leased(t, clocked(t.TempDir(), clock))
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error)
	go func() { stopped <- store.IDs().Run(ctx) }()
	return store, clock, func() {
		cancel()
		if err := <-stopped; err != nil {
			t.Fatal(err)
		}
	}
}

// renewal lets one renewal pass: the second tick is taken only when the first one's is done.
func (c tickClock) renewal() {
	c.ticks <- c.Now()
	c.ticks <- c.Now()
}

func TestNodeRun(t *testing.T) {
	t.Parallel()
	t.Run("renews until it is stopped, then releases", func(t *testing.T) {
		t.Parallel()
		store, clock, stop := running(t)
		clock.step(10 * time.Minute)
		unavailable(t, store.IDs())
		clock.renewal()
		draw(t, store.IDs(), 1)
		stop()
		unavailable(t, store.IDs())
		if held := countRows(t, store, "nodes", "leased_until > 0"); held != 0 {
			t.Fatalf("%d numbers are still held", held)
		}
	})
	t.Run("outlives an outage of the catalog", func(t *testing.T) {
		t.Parallel()
		store, clock, stop := running(t)
		edit(t, store, 0, "ALTER TABLE nodes RENAME TO away")
		clock.renewal()
		draw(t, store.IDs(), 1)
		edit(t, store, 0, "ALTER TABLE away RENAME TO nodes")
		stop()
	})
}

// The clock stands still, so that only the lease keeps the two holders apart.
func TestNodeReleaseWhileDrawing(t *testing.T) {
	t.Parallel()
	folder, clock := t.TempDir(), newSetClock()
	first := leased(t, clocked(folder, clock))
	onlyNode(t, first, node(draw(t, first.IDs(), 1)[0]))
	var (
		begun, ended sync.WaitGroup
		drawn        = make([][]seckill.ID, 4)
	)
	begun.Add(len(drawn))
	for i := range drawn {
		ended.Go(func() {
			id, err := first.IDs().Next(0)
			begun.Done()
			for ; err == nil; id, err = first.IDs().Next(0) {
				drawn[i] = append(drawn[i], id)
			}
		})
	}
	begun.Wait()
	if err := first.IDs().Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := draw(t, leased(t, clocked(folder, clock)).IDs(), seckill.SequencesMax)
	ended.Wait()
	distinct(t, append(drawn, after)...)
}
