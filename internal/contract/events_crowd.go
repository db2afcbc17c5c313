package contract

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	crowdCallers  = 4
	crowdSubjects = 12
	crowdVersions = 4
)

// crowdEvents are some versions of some subjects, with ids in no order.
func crowdEvents() []seckill.Event {
	ids := rand.Perm(crowdSubjects * crowdVersions)
	var events []seckill.Event
	for subject := range seckill.ID(crowdSubjects) {
		for version := range int64(crowdVersions) {
			events = append(events, event(seckill.ID(ids[len(events)]+1), subject+1, version+1))
		}
	}
	return events
}

func givesToOne(e eventsTest) {
	var events []seckill.Event
	for id := range seckill.ID(40) {
		events = append(events, event(id+1, id+1, 1))
	}
	e.told([]string{shopA}, events...)
	var mu sync.Mutex
	given := make(map[seckill.ID]int)
	race(e.T, crowdCallers, func(int) (bool, error) {
		for range len(events) {
			due, err := e.Events.Due(e.Context(), e.shard, shopA, 7)
			if err != nil {
				return false, err
			}
			mu.Lock()
			for _, dispatch := range due {
				given[dispatch.ID]++
			}
			mu.Unlock()
		}
		return true, nil
	})
	for _, event := range events {
		if given[event.ID] != 1 {
			e.Fatalf("event %d was given %d times", event.ID, given[event.ID])
		}
	}
}

func spreadsOnce(e eventsTest) {
	events := crowdEvents()
	e.Tell(e.T, e.shard, events...)
	race(e.T, crowdCallers, func(int) (bool, error) {
		_, err := e.Events.Spread(e.Context(), e.shard, []string{shopA, shopB}, 5)
		return true, err
	})
	for left := 1; left > 0; {
		var err error
		left, err = e.Events.Spread(e.Context(), e.shard, []string{shopA, shopB}, 5)
		must(e.T, err)
	}
	e.wantLeft(len(events), 2*len(events))
}

func forgetsTogether(e eventsTest) {
	endpoints := []string{shopA, shopB}
	for id := range seckill.ID(20) {
		e.told(endpoints, event(id+1, id+1, 1))
		race(e.T, len(endpoints), func(caller int) (bool, error) {
			return true, e.Events.Told(e.Context(), e.shard, endpoints[caller], []seckill.ID{id + 1})
		})
		e.wantLeft(0, 0)
	}
}

// tellsInACrowd has several callers spread, tell and fail at random until nothing is left, and wants what an endpoint has
// heard to be in order: the first time it hears of a version, it has heard of the ones before.
func tellsInACrowd(e eventsTest) {
	events := crowdEvents()
	e.Tell(e.T, e.shard, events...)
	heard := &hearing{last: make(map[seckill.ID]int64)}
	ctx, cancel := context.WithTimeout(e.Context(), 2*patience)
	defer cancel()
	race(e.T, crowdCallers, func(int) (bool, error) {
		for heard.count() < len(events) {
			if err := e.tellSome(ctx, heard); err != nil && !errors.Is(err, seckill.ErrTransient) {
				return false, err
			}
		}
		return true, nil
	})
	if heard.wrong != "" {
		e.Fatal(heard.wrong)
	}
	eventually(e.T, "nothing is left", func() bool {
		left, dispatches := e.Left(e.T, e.shard)
		return left == 0 && dispatches == 0
	})
}

func (e eventsTest) tellSome(ctx context.Context, heard *hearing) error {
	if _, err := e.Events.Spread(ctx, e.shard, []string{shopA}, 3); err != nil {
		return err
	}
	due, err := e.Events.Due(ctx, e.shard, shopA, 5)
	if err != nil {
		return err
	}
	for _, dispatch := range due {
		if rand.IntN(3) == 0 {
			err = e.insist(ctx, func() error {
				return e.Events.Failed(ctx, e.shard, shopA, []seckill.Setback{{Event: dispatch.ID, Wait: time.Millisecond, Failure: "by chance"}})
			})
		} else {
			heard.hear(dispatch.Event)
			err = e.insist(ctx, func() error { return e.Events.Told(ctx, e.shard, shopA, []seckill.ID{dispatch.ID}) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// insist repeats what failed for a passing reason: the lease is too long to be waited for.
func (e eventsTest) insist(ctx context.Context, do func() error) error {
	err := do()
	for errors.Is(err, seckill.ErrTransient) && ctx.Err() == nil {
		err = do()
	}
	return err
}

// hearing is what an endpoint has heard.
type hearing struct {
	mu    sync.Mutex
	last  map[seckill.ID]int64
	first int
	wrong string
}

func (h *hearing) hear(event seckill.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch last := h.last[event.Subject]; {
	case event.Version == last+1:
		h.last[event.Subject]++
		h.first++
	case event.Version > last:
		h.wrong = "heard of a version before the one before"
	}
}

func (h *hearing) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.first
}
