package sqlstore_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

func TestIDsContract(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, e engine) {
		t.Helper()
		contract.IDs(t, func(t *testing.T) (one, other seckill.IDs) {
			t.Helper()
			c := e.fresh(t, 1)
			return leased(t, c).IDs(), leased(t, c).IDs()
		})
	})
}

// setClock is a clock that a test sets. Who waits sets it, too.
type setClock struct{ milli atomic.Int64 }

func newSetClock() *setClock {
	c := &setClock{}
	c.milli.Store(time.Date(2026, 11, 11, 20, 0, 0, 0, time.UTC).UnixMilli())
	return c
}

func (c *setClock) Now() time.Time       { return time.UnixMilli(c.milli.Load()) }
func (c *setClock) step(d time.Duration) { c.milli.Add(d.Milliseconds()) }

func (c *setClock) After(d time.Duration) <-chan time.Time {
	c.step(d)
	passed := make(chan time.Time, 1)
	passed <- c.Now()
	return passed
}

// clocked is config with a clock of the test's.
func clocked(folder string, clock seckill.Clock) sqlstore.Config {
	c := config(folder, 1)
	c.Clock = clock
	return c
}

// draw makes ids of one bucket.
func draw(t *testing.T, ids seckill.IDs, count int) []seckill.ID {
	t.Helper()
	drawn := make([]seckill.ID, count)
	for i := range drawn {
		id, err := ids.Next(0)
		if err != nil {
			t.Fatal(err)
		}
		drawn[i] = id
	}
	return drawn
}

func distinct(t *testing.T, drawn ...[]seckill.ID) {
	t.Helper()
	all := slices.Concat(drawn...)
	slices.Sort(all)
	if before := len(all); len(slices.Compact(all)) != before {
		t.Fatal("an id was made twice")
	}
}

func node(id seckill.ID) int64 { return int64(id) >> 6 & (seckill.NodesMax - 1) }

func unavailable(t *testing.T, ids seckill.IDs) {
	t.Helper()
	if id, err := ids.Next(0); !errors.Is(err, seckill.ErrUnavailable) || id != 0 {
		t.Fatalf("want no id, got %d, %v", id, err)
	}
}

func TestIDsClock(t *testing.T) {
	t.Parallel()
	t.Run("makes no id without a lease", func(t *testing.T) {
		t.Parallel()
		unavailable(t, open(t, config(t.TempDir(), 1)).IDs())
	})
	t.Run("counts on while the clock stands still", func(t *testing.T) {
		t.Parallel()
		ids := leased(t, clocked(t.TempDir(), newSetClock())).IDs()
		distinct(t, draw(t, ids, 10*seckill.SequencesMax))
	})
	t.Run("refuses a burst that would run away from the clock", func(t *testing.T) {
		t.Parallel()
		ids := leased(t, clocked(t.TempDir(), newSetClock())).IDs()
		draw(t, ids, 1001*seckill.SequencesMax)
		unavailable(t, ids)
	})
	t.Run("bridges a small step back", func(t *testing.T) {
		t.Parallel()
		clock := newSetClock()
		ids := leased(t, clocked(t.TempDir(), clock)).IDs()
		first := draw(t, ids, 100)
		clock.step(-500 * time.Millisecond)
		distinct(t, first, draw(t, ids, 100))
	})
	t.Run("refuses after a large step back until the clock has caught up", func(t *testing.T) {
		t.Parallel()
		clock := newSetClock()
		ids := leased(t, clocked(t.TempDir(), clock)).IDs()
		first := draw(t, ids, 100)
		clock.step(-time.Minute)
		unavailable(t, ids)
		clock.step(time.Minute)
		distinct(t, first, draw(t, ids, 100))
	})
	t.Run("refuses beyond what the lease covers until it is renewed", func(t *testing.T) {
		t.Parallel()
		clock := newSetClock()
		ids := leased(t, clocked(t.TempDir(), clock)).IDs()
		clock.step(9*time.Minute - time.Millisecond)
		draw(t, ids, 1)
		clock.step(time.Millisecond)
		unavailable(t, ids)
		if err := ids.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		draw(t, ids, 1)
	})
}
