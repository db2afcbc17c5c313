package keeper

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// fakeEvents is an outbox of dispatches in memory, which leases and puts off by the clock.
type fakeEvents struct {
	seckill.Events
	clock *handclock.Clock

	mu   sync.Mutex
	rows []*fakeDispatch
	died []seckill.Dispatch
	// unspread is how many events have no dispatches yet.
	unspread int
	spreads  []int
	renewals int
}

type fakeDispatch struct {
	seckill.Dispatch
	next time.Time
}

// newFakeEvents has some versions of some subjects to tell some endpoints of; an event's id is 100 * subject + version.
func newFakeEvents(clock *handclock.Clock, subjects, versions int, endpoints ...string) *fakeEvents {
	f := &fakeEvents{clock: clock}
	for subject := range seckill.ID(subjects) {
		for version := range int64(versions) {
			for _, endpoint := range endpoints {
				event := seckill.Event{ID: (subject+1)*100 + seckill.ID(version+1), Subject: subject + 1, Version: version + 1}
				f.rows = append(f.rows, &fakeDispatch{
					Dispatch: seckill.Dispatch{Event: event, Endpoint: endpoint, Since: clock.Now()}, next: clock.Now(),
				})
			}
		}
	}
	return f
}

func (f *fakeEvents) Spread(_ context.Context, _ int, _ []string, limit int) (int, error) {
	n := min(f.unspread, limit)
	f.unspread -= n
	f.spreads = append(f.spreads, n)
	return n, nil
}

func (f *fakeEvents) Due(_ context.Context, _ int, endpoint string, limit int) ([]seckill.Dispatch, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var due []seckill.Dispatch
	for _, row := range f.rows {
		if row.Endpoint != endpoint || row.next.After(f.clock.Now()) || len(due) == limit || f.follows(row) {
			continue
		}
		row.next = f.clock.Now().Add(seckill.DispatchLease)
		due = append(due, row.Dispatch)
	}
	return due, nil
}

func (f *fakeEvents) Renew(_ context.Context, _ int, endpoint string, events []seckill.ID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, row := range f.rows {
		if row.Endpoint == endpoint && slices.Contains(events, row.ID) && row.next.After(f.clock.Now()) {
			row.next = f.clock.Now().Add(seckill.DispatchLease)
		}
	}
	f.renewals++
	return nil
}

func (f *fakeEvents) renewed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.renewals
}

// follows says that an earlier one of the same subject is still to be told.
func (f *fakeEvents) follows(row *fakeDispatch) bool {
	return slices.ContainsFunc(f.rows, func(other *fakeDispatch) bool {
		return other.Endpoint == row.Endpoint && other.Subject == row.Subject && other.Version < row.Version
	})
}

func (f *fakeEvents) Told(_ context.Context, _ int, endpoint string, events []seckill.ID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rows = slices.DeleteFunc(f.rows, func(row *fakeDispatch) bool {
		return row.Endpoint == endpoint && slices.Contains(events, row.ID)
	})
	return nil
}

func (f *fakeEvents) Failed(_ context.Context, _ int, endpoint string, setbacks []seckill.Setback) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, setback := range setbacks {
		f.rows = slices.DeleteFunc(f.rows, func(row *fakeDispatch) bool {
			if row.Endpoint != endpoint || row.ID != setback.Event {
				return false
			}
			row.Tries++
			row.Failure, row.Dead, row.next = setback.Failure, setback.Dead, f.clock.Now().Add(setback.Wait)
			if row.Dead {
				f.died = append(f.died, row.Dispatch)
			}
			return row.Dead
		})
	}
	return nil
}

func (f *fakeEvents) Waiting(_ context.Context, _ int, endpoint string) (int64, time.Duration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var count int64
	for _, row := range f.rows {
		if row.Endpoint == endpoint {
			count++
		}
	}
	return count, time.Minute, nil
}

func (f *fakeEvents) left(endpoint string) int {
	count, _, _ := f.Waiting(context.Background(), 0, endpoint)
	return int(count)
}

// fakeEndpoint notes what it takes, and asks answer whether it does.
type fakeEndpoint struct {
	name   string
	answer func(ctx context.Context, event seckill.Event) error

	mu         sync.Mutex
	told       []seckill.Event
	tries      int
	under, top int // tries under way, and the most of them
}

func (e *fakeEndpoint) Name() string { return e.name }

func (e *fakeEndpoint) Tell(ctx context.Context, event seckill.Event) error {
	e.mu.Lock()
	e.tries++
	e.under++
	e.top = max(e.top, e.under)
	e.mu.Unlock()
	err := e.answer(ctx, event)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.under--
	if err == nil {
		e.told = append(e.told, event)
	}
	return err
}

// inOrder says that each subject's versions were told one after the other.
func (e *fakeEndpoint) inOrder() bool {
	last := make(map[seckill.ID]int64)
	for _, event := range e.told {
		if event.Version != last[event.Subject]+1 {
			return false
		}
		last[event.Subject]++
	}
	return true
}
