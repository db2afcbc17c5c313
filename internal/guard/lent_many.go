package guard

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// The calls for many items. Each server is asked for its own, all at once: one that is away delays no other.

// States implements seckill.Lent.
func (l Lent) States(ctx context.Context, items []seckill.ID) ([]seckill.LentState, error) {
	var mu sync.Mutex
	var failures []error
	known := make(map[seckill.ID]seckill.LentState, len(items))
	l.each(ctx, len(items), func(n int) seckill.ID { return items[n] }, func(b *Breaker, some []int) {
		states, err := readStates(ctx, b, l.next, pick(items, some))
		mu.Lock()
		defer mu.Unlock()
		failures = append(failures, err)
		for _, state := range states {
			known[state.Item] = state
		}
	})
	states := make([]seckill.LentState, 0, len(items))
	for _, item := range items {
		if state, answered := known[item]; answered {
			states = append(states, state)
		}
	}
	return states, errors.Join(failures...)
}

// readStates counts as a failure of the server only when nothing came.
func readStates(ctx context.Context, b *Breaker, next seckill.Lent, items []seckill.ID) (states []seckill.LentState, err error) {
	var partly error
	err = run(ctx, b, func(ctx context.Context) (err error) {
		if states, err = next.States(ctx, items); len(states) > 0 {
			err, partly = nil, err
		}
		return err
	})
	return states, errors.Join(partly, err)
}

// RenewAll implements seckill.Lent.
func (l Lent) RenewAll(ctx context.Context, renewals []seckill.Renewal) []error {
	failures := make([]error, len(renewals))
	l.each(ctx, len(renewals), func(n int) seckill.ID { return renewals[n].Item }, func(b *Breaker, some []int) {
		for i, err := range renewSome(ctx, b, l.next, pick(renewals, some)) {
			failures[some[i]] = err
		}
	})
	return failures
}

// renewSome counts as one call: when one could not be renewed for want of an answer, it failed.
func renewSome(ctx context.Context, b *Breaker, next seckill.Lent, renewals []seckill.Renewal) []error {
	var failures []error
	err := run(ctx, b, func(ctx context.Context) error {
		failures = next.RenewAll(ctx, renewals)
		if first := slices.IndexFunc(failures, func(err error) bool { return !answered(err) }); first >= 0 {
			return failures[first]
		}
		return nil
	})
	if failures == nil {
		return slices.Repeat([]error{err}, len(renewals))
	}
	return failures
}

// each calls do for every server's share of n things, side by side, and returns when all are done.
func (l Lent) each(ctx context.Context, n int, itemOf func(n int) seckill.ID, do func(b *Breaker, some []int)) {
	shares := make(map[*Breaker][]int)
	for i := range n {
		b := l.breakers.of(ctx, itemOf(i))
		shares[b] = append(shares[b], i)
	}
	var servers sync.WaitGroup
	for b, some := range shares {
		servers.Go(func() { do(b, some) })
	}
	servers.Wait()
}

func pick[T any](all []T, some []int) []T {
	picked := make([]T, len(some))
	for i, n := range some {
		picked[i] = all[n]
	}
	return picked
}
