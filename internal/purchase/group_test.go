package purchase

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
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
