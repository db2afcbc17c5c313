package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
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
			edit(t, store, 0, "INSERT INTO nodes (node, holder, leased_until, last_ms) VALUES (?, 'other', ?, 0)",
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
	t.Run("refuses one process too many, and says what to do", refusesOneTooMany)
	t.Run("takes a lapsed number over and starts above its last holder", func(t *testing.T) {
		t.Parallel()
		folder, clock := t.TempDir(), newSetClock()
		first := leased(t, clocked(folder, clock))
		before := draw(t, first.IDs(), 100)
		onlyNode(t, first, node(before[0]))
		lapse(t, first)
		edit(t, first, 0, "UPDATE nodes SET leased_until = ? WHERE holder = 'other'", time.Now().Add(time.Hour).UnixMilli())

		second := leased(t, clocked(folder, clock))
		after := draw(t, second.IDs(), seckill.SequencesMax)
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

func refusesOneTooMany(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	first := leased(t, config(folder, 1))
	onlyNode(t, first, node(draw(t, first.IDs(), 1)[0]))
	err := open(t, config(folder, 1)).IDs().Acquire(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "all 64 node numbers are leased") || !strings.Contains(err.Error(), "the next one is free in ") {
		t.Fatalf("said %v", err)
	}
}

func TestNodeRestarts(t *testing.T) {
	t.Parallel()
	ends := map[string]func(*sqlstore.Store) error{
		"released": func(s *sqlstore.Store) error { return s.IDs().Release(context.Background()) },
		"killed":   func(*sqlstore.Store) error { return nil },
	}
	steps := map[string]time.Duration{"stepped back": -time.Second, "standing still": 0}
	for ending, end := range ends {
		for stepping, step := range steps {
			t.Run("makes no id twice when "+ending+" and restarted with the clock "+stepping, func(t *testing.T) {
				t.Parallel()
				distinct(t, drawOverRestarts(t, end, step)...)
			})
		}
	}
}

// drawOverRestarts draws ids from one process after the other, until each of three numbers was used several times. The
// others were used until a time that is still to come, which makes them the last choice.
func drawOverRestarts(t *testing.T, end func(*sqlstore.Store) error, step time.Duration) [][]seckill.ID {
	t.Helper()
	clock := newSetClock()
	c := clocked(t.TempDir(), clock)
	c.Alone = true
	first := leased(t, c)
	for number := range seckill.NodesMax - 3 {
		edit(t, first, 0, "INSERT INTO nodes (node, holder, leased_until, last_ms) VALUES (?, 'late', 1, ?)"+
			" ON CONFLICT (node) DO UPDATE SET last_ms = excluded.last_ms", number, clock.Now().Add(time.Hour*24).UnixMilli())
	}
	var all [][]seckill.ID
	for range 12 {
		store := leased(t, c)
		all = append(all, draw(t, store.IDs(), 10))
		if err := errors.Join(end(store), store.Close()); err != nil {
			t.Fatal(err)
		}
		clock.step(step)
	}
	return all
}

// The last free number, never used or lapsed, goes to one of several processes that start together.
func TestNodeRace(t *testing.T) {
	t.Parallel()
	for _, used := range []bool{false, true} {
		t.Run(fmt.Sprintf("gives the last number to one process, used before %t", used), func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			first := open(t, config(folder, 1))
			if err := first.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			onlyNode(t, first, 5)
			if used {
				edit(t, first, 0, "INSERT INTO nodes (node, holder, leased_until, last_ms) VALUES (5, 'dead', 1, 1)")
			}
			if won := acquireTogether(t, folder, 8); won != 1 {
				t.Fatalf("%d processes have the number", won)
			}
		})
	}
}

func acquireTogether(t *testing.T, folder string, processes int) int64 {
	t.Helper()
	var (
		start = make(chan struct{})
		wait  sync.WaitGroup
		won   atomic.Int64
	)
	for range processes {
		ids := open(t, config(folder, 1)).IDs()
		wait.Go(func() {
			<-start
			if ids.Acquire(context.Background()) == nil {
				won.Add(1)
			}
		})
	}
	close(start)
	wait.Wait()
	return won.Load()
}
