package purchase

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// doubling answers each number with its double, and records the batches.
func doubling(most int) (g *group[int, int], batches func() []int) {
	var mu sync.Mutex
	var sizes []int
	g = &group[int, int]{max: most, waitingMax: 1 << 20, tasks: newTurnstile()}
	g.run = func(_ context.Context, calls []*call[int, int]) {
		mu.Lock()
		sizes = append(sizes, len(calls))
		mu.Unlock()
		for _, c := range calls {
			c.reply(2*c.question, nil)
		}
	}
	return g, func() []int {
		mu.Lock()
		defer mu.Unlock()
		return sizes
	}
}

func TestGroupGivesEverybodyTheirOwnAnswerInBatchesWithinTheBound(t *testing.T) {
	t.Parallel()
	g, batches := doubling(7)
	var all sync.WaitGroup
	for i := range 2000 {
		all.Go(func() {
			if answer, err := g.do(t.Context(), i); err != nil || answer != 2*i {
				t.Errorf("%d: %d %v", i, answer, err)
			}
		})
	}
	all.Wait()
	sum := 0
	for _, size := range batches() {
		if size > 7 {
			t.Errorf("a batch of %d", size)
		}
		sum += size
	}
	if sum != 2000 {
		t.Fatalf("%d asked", sum)
	}
	if err := g.tasks.empty(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestGroupNeverMixesAnswersUpWhenCallersComeAndGo(t *testing.T) {
	t.Parallel()
	g, _ := doubling(16)
	var all sync.WaitGroup
	for i := range 2000 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%5)*20*time.Microsecond)
			defer cancel()
			answer, err := g.do(ctx, i)
			if err == nil && answer != 2*i {
				t.Errorf("%d: %d", i, answer)
			}
			if err != nil && !errors.Is(err, errWithdrawn) && !errors.Is(err, errAbandoned) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := g.tasks.empty(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestGroupRefusesWhoWouldWaitBeyondTheBound(t *testing.T) {
	t.Parallel()
	g, _ := doubling(16)
	g.waitingMax = 0
	if _, err := g.do(t.Context(), 1); !errors.Is(err, errFull) {
		t.Fatal(err)
	}
}

func TestRates(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 20, 10, 0, 0, 0, time.UTC)
	t.Run("remembers a bounded number of users", func(t *testing.T) {
		t.Parallel()
		const usersMax = 1600
		r := newRates(1, 1, usersMax)
		for i := range 100_000 {
			r.take(seckill.UserID(fmt.Sprintf("user-%d", i)), now)
		}
		kept := 0
		for i := range r.parts {
			kept += len(r.parts[i].young) + len(r.parts[i].old)
		}
		if kept > usersMax {
			t.Fatalf("%d users", kept)
		}
	})
	t.Run("remembers who comes again while others come and go", func(t *testing.T) {
		t.Parallel()
		r := newRates(1, 1, 1600)
		r.take("ann", now)
		for i := range 1000 {
			r.take(seckill.UserID(fmt.Sprintf("user-%d", i)), now)
		}
		if wait := r.take("ann", now); wait != time.Second {
			t.Fatalf("wait %s", wait)
		}
	})
	t.Run("gives a token back in time, never more than the burst", func(t *testing.T) {
		t.Parallel()
		r := newRates(10, 2, 1600)
		for _, step := range []struct {
			at, wait time.Duration
		}{{0, 0}, {0, 0}, {0, 100 * time.Millisecond}, {100 * time.Millisecond, 0}, {time.Hour, 0}, {time.Hour, 0}, {time.Hour, 100 * time.Millisecond}} {
			if wait := r.take("ann", now.Add(step.at)); wait != step.wait {
				t.Fatalf("after %s: %s, not %s", step.at, wait, step.wait)
			}
		}
	})
	t.Run("is off with a negative rate", func(t *testing.T) {
		t.Parallel()
		r := newRates(-1, 1, 16)
		for range 100 {
			if r.take("ann", now) > 0 {
				t.Fatal("refused")
			}
		}
	})
}
