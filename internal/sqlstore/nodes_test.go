package sqlstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// lapse makes every lease older than its time, as ten silent minutes would.
func lapse(t *testing.T, store *sqlstore.Store) {
	t.Helper()
	edit(t, store, 0, "UPDATE nodes SET leased_until = 1")
}

// edit changes a shard behind the store's back.
func edit(t *testing.T, store *sqlstore.Store, shard int, statement string, args ...any) {
	t.Helper()
	write, _, err := store.SQL(shard)
	if err == nil {
		_, err = write.ExecContext(t.Context(), statement, args...)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// onlyNode leaves a single node number in play: the others are somebody else's.
func onlyNode(t *testing.T, store *sqlstore.Store, number int64) {
	t.Helper()
	for other := range int64(seckill.NodesMax) {
		if other != number {
			edit(t, store, 0, "INSERT INTO nodes (node, holder, leased_until, last_ms) VALUES (?, 'other', ?, 0) ON CONFLICT DO NOTHING",
				other, time.Now().Add(time.Hour).UnixMilli())
		}
	}
}

func TestNodeLeases(t *testing.T) {
	t.Parallel()
	t.Run("gives each process its own number", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		seen := make(map[int64]bool)
		for range 5 {
			seen[node(draw(t, leased(t, config(folder, 1)).IDs(), 1)[0])] = true
		}
		if len(seen) != 5 {
			t.Fatalf("5 processes share %d numbers", len(seen))
		}
	})
	t.Run("refuses one process too many", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		first := leased(t, config(folder, 1))
		onlyNode(t, first, node(draw(t, first.IDs(), 1)[0]))
		if err := open(t, config(folder, 1)).IDs().Acquire(t.Context()); err == nil {
			t.Fatal("a 65th process got a number")
		}
	})
	t.Run("takes a lapsed number over and starts above its last holder", func(t *testing.T) {
		t.Parallel()
		folder, clock := t.TempDir(), newSetClock()
		first := leased(t, clocked(folder, clock))
		before := draw(t, first.IDs(), 100)
		onlyNode(t, first, node(before[0]))
		lapse(t, first)
		edit(t, first, 0, "UPDATE nodes SET leased_until = ? WHERE holder = 'other'", time.Now().Add(time.Hour).UnixMilli())

		second := leased(t, clocked(folder, clock))
		after := draw(t, second.IDs(), 100)
		if node(after[0]) != node(before[0]) {
			t.Fatal("the number was not taken over")
		}
		distinct(t, before, after, draw(t, first.IDs(), 100)) // the first one does not know yet
	})
	t.Run("leases another number after losing one", func(t *testing.T) {
		t.Parallel()
		store := leased(t, config(t.TempDir(), 1))
		before := draw(t, store.IDs(), 10)
		edit(t, store, 0, "UPDATE nodes SET holder = 'thief', leased_until = ?", time.Now().Add(time.Hour).UnixMilli())
		if err := store.IDs().Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		after := draw(t, store.IDs(), 10)
		distinct(t, before, after)
		if node(after[0]) == node(before[0]) {
			t.Fatal("the lost number is still used")
		}
	})
}

func TestNodeRestarts(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*sqlstore.Store) error{
		"released": func(s *sqlstore.Store) error { return s.IDs().Release(context.Background()) },
		"killed":   func(*sqlstore.Store) error { return nil },
	} {
		t.Run("makes no id twice when "+name+" and restarted with the clock stepped back", func(t *testing.T) {
			t.Parallel()
			folder, clock := t.TempDir(), newSetClock()
			var all [][]seckill.ID
			for range 3 * seckill.NodesMax { // every number is used more than once
				c := clocked(folder, clock)
				c.Alone = true
				store := leased(t, c)
				all = append(all, draw(t, store.IDs(), 10))
				if err := errors.Join(end(store), store.Close()); err != nil {
					t.Fatal(err)
				}
				clock.step(-time.Second)
			}
			distinct(t, all...)
		})
	}
	t.Run("releases its number when it is stopped", func(t *testing.T) {
		t.Parallel()
		store := leased(t, config(t.TempDir(), 1))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := store.IDs().Run(ctx); err != nil {
			t.Fatal(err)
		}
		unavailable(t, store.IDs())
		var held int
		_, read, err := store.SQL(0)
		if err == nil {
			err = read.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM nodes WHERE leased_until > 0").Scan(&held)
		}
		if err != nil || held != 0 {
			t.Fatalf("%d numbers are still held, %v", held, err)
		}
	})
}
