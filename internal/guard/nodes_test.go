package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// halfDead is two servers, of the odd items and of the even ones. The odd one does not answer.
type halfDead struct {
	seckill.Lent
	mu    sync.Mutex
	asked int // how often the odd one was
}

func (h *halfDead) States(_ context.Context, items []seckill.ID) (states []seckill.LentState, err error) {
	for _, item := range items {
		if item%2 == 0 {
			states = append(states, seckill.LentState{Item: item, Known: true})
		} else {
			err = h.dead()
		}
	}
	return states, err
}

func (h *halfDead) RenewAll(_ context.Context, renewals []seckill.Renewal) []error {
	failures := make([]error, len(renewals))
	for n, renewal := range renewals {
		if renewal.Item%2 != 0 {
			failures[n] = h.dead()
		}
	}
	return failures
}

func (h *halfDead) Server(_ context.Context, item seckill.ID) (seckill.Server, error) {
	if item%2 != 0 {
		return seckill.Server{}, h.dead()
	}
	return seckill.Server{RunID: "even"}, nil
}

func (h *halfDead) dead() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
	return errBroken
}

// guarded has a breaker per node that opens at the first failure and stays open.
func guarded(next seckill.Lent, nodeOf func(context.Context, seckill.ID) string) Lent {
	return NewLent(next, NewNodes(nodeOf, func(node string) *Breaker { return NewBreaker(node, Options{FailuresMax: 1, Rest: RestDefault * 60}) }))
}

func parity(_ context.Context, item seckill.ID) string { return fmt.Sprint(item % 2) }

func someItems() []seckill.ID { return []seckill.ID{4, 1, 2, 3, 4, 5} }

func TestLentOfSeveralNodes(t *testing.T) {
	t.Parallel()
	t.Run("leaves a dead node alone and asks the others", leavesDeadNodeAlone)
	t.Run("renews what it can", renewsWhatItCan)
	t.Run("counts an answer in part as an answer", func(t *testing.T) {
		t.Parallel()
		lent := guarded(&halfDead{}, func(context.Context, seckill.ID) string { return "both" })
		for range 3 {
			if states, err := lent.States(t.Context(), someItems()); err == nil || len(states) != 3 {
				t.Fatalf("%d states, error %v", len(states), err)
			}
		}
	})
}

func leavesDeadNodeAlone(t *testing.T) {
	t.Parallel()
	next := &halfDead{}
	lent := guarded(next, parity)
	for range 3 {
		states, err := lent.States(t.Context(), someItems())
		var known []seckill.ID
		for _, state := range states {
			known = append(known, state.Item)
		}
		if err == nil || !slices.Equal(known, []seckill.ID{4, 2, 4}) {
			t.Fatalf("states of %v, error %v", known, err)
		}
		if _, err := lent.Server(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		if _, err := lent.Server(t.Context(), 1); !errors.Is(err, seckill.ErrUnavailable) {
			t.Fatalf("a breaker that should be open says %v", err)
		}
	}
	if next.asked != 3 { // for its three items, once
		t.Errorf("the dead node was asked %d times", next.asked)
	}
}

func renewsWhatItCan(t *testing.T) {
	t.Parallel()
	lent := guarded(&halfDead{}, parity)
	items := someItems()
	renewals := make([]seckill.Renewal, len(items))
	for n, item := range items {
		renewals[n].Item = item
	}
	for range 2 {
		for n, err := range lent.RenewAll(t.Context(), renewals) {
			if dead := items[n]%2 != 0; dead != (err != nil) {
				t.Errorf("item %d: %v", items[n], err)
			}
		}
	}
}
