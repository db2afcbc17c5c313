package sandbox

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// agenda hands out things when they are due. Any number may add, one takes.
type agenda[T any] struct {
	clock seckill.Clock

	mu    sync.Mutex
	items []appointment[T] // the earliest first
	added chan struct{}    // room for one: that there is something new is said once
}

type appointment[T any] struct {
	at   time.Time
	what T
}

func newAgenda[T any](clock seckill.Clock) *agenda[T] {
	return &agenda[T]{clock: clock, added: make(chan struct{}, 1)}
}

func (a *agenda[T]) add(at time.Time, what T) {
	a.mu.Lock()
	defer a.mu.Unlock()
	place, _ := slices.BinarySearchFunc(a.items, at, func(i appointment[T], at time.Time) int {
		if i.at.After(at) {
			return 1
		}
		return -1
	})
	a.items = slices.Insert(a.items, place, appointment[T]{at, what})
	select {
	case a.added <- struct{}{}:
	default:
	}
}

// take waits for the next one that is due, and returns false when ctx ends.
func (a *agenda[T]) take(ctx context.Context) (what T, ok bool) {
	for ctx.Err() == nil {
		next, due, wait := a.look()
		if due {
			return next, true
		}
		select {
		case <-wait:
		case <-a.added:
		case <-ctx.Done():
		}
	}
	return what, false
}

// look takes what is due, or says how to wait for it: for ever when there is nothing.
func (a *agenda[T]) look() (what T, due bool, wait <-chan time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.items) == 0 {
		return what, false, nil
	}
	first := a.items[0]
	if left := first.at.Sub(a.clock.Now()); left > 0 {
		return what, false, a.clock.After(left)
	}
	a.items = a.items[1:]
	return first.what, true, nil
}
