package keeper

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// tellLines is how many batches of one endpoint are under way at once: while one is told and noted, the next one is leased.
	// On a busy database the waiting for its turn to write takes longer than the telling.
	tellLines = 2
	// tellAtOnce bounds what one batch has under way at its endpoint, tellTimeout each of these.
	tellAtOnce  = 16
	tellTimeout = 12 * time.Second
	// tellFor is how long a run begins another batch, triesFor how long another try: the last one ends within the run.
	tellFor  = 5 * time.Second
	triesFor = 17 * time.Second
	// tellRenewEvery is how often a batch's lease is renewed while it is told: twice in vain, and it is still held.
	tellRenewEvery = seckill.DispatchLease / 3
	// tellNoteTimeout bounds noting what was told, also while the keeper stops; tellNotesMax is how often that is tried.
	tellNoteTimeout = 5 * time.Second
	tellNotesMax    = 3
)

// Telling is what came of telling an endpoint one event.
type Telling string

// The outcomes.
const (
	TellingDone   Telling = "told"
	TellingFailed Telling = "failed"
	TellingDied   Telling = "died"
)

// Tell hands one endpoint what it is to be told. Each endpoint has a job of its own on each shard, so that one who is slow or
// away holds up nobody else. How much at a time is its pace's to say.
type Tell struct {
	ports    Ports
	endpoint seckill.Endpoint
	count    func(endpoint string, outcome Telling)
	pace     *pace
}

// NewTell returns the job. It counts from several goroutines.
func NewTell(ports Ports, endpoint seckill.Endpoint, count func(endpoint string, outcome Telling)) *Tell {
	return &Tell{ports: ports, endpoint: endpoint, count: count, pace: newPace(ports.Clock, ports.Log, endpoint.Name())}
}

// RunOnce tells what is due.
func (t *Tell) RunOnce(ctx context.Context) error {
	return t.ports.eachShard(ctx, "tell "+t.endpoint.Name(), t.tellShard)
}

// tellShard tells batch after batch. When nothing is due, more may be as soon as what is under way was noted: the next of
// their subjects.
func (t *Tell) tellShard(ctx context.Context, shard int) error {
	began := t.ports.Clock.Now()
	under := newLines()
	for ctx.Err() == nil && under.err == nil && t.ports.Clock.Now().Sub(began) <= tellFor {
		due, err := t.lease(ctx, shard)
		if err != nil {
			return errors.Join(err, under.end())
		}
		if len(due) > 0 {
			under.begin(func() error { return t.tellAll(ctx, shard, due, began.Add(triesFor)) })
		} else if !under.wait() {
			break
		}
	}
	return under.end()
}

// lease takes as much of what is due as the endpoint's pace allows.
func (t *Tell) lease(ctx context.Context, shard int) ([]seckill.Dispatch, error) {
	size := t.pace.next()
	if size == 0 {
		return nil, nil
	}
	due, err := t.ports.Events.Due(ctx, shard, t.endpoint.Name(), size)
	if err != nil || len(due) == 0 {
		t.pace.stepped()
	}
	return due, err
}

// errUntried is what came of a dispatch whose turn did not come.
var errUntried = errors.New("not tried")

// answeredTo says that an endpoint has answered a try for good: who wants none of it does not have to be spared.
func answeredTo(outcome error) bool { return outcome == nil || errors.Is(outcome, seckill.ErrUnwanted) }

// tellAll tells dispatches side by side, which are of different subjects, and notes what came of them. Nobody else is given
// them meanwhile, however long that takes. After too many refusals in a row, and after last, the others are left to their lease.
func (t *Tell) tellAll(ctx context.Context, shard int, due []seckill.Dispatch, last time.Time) error {
	defer t.hold(ctx, shard, due)()
	began := t.ports.Clock.Now()
	outcomes := make([]error, len(due))
	var refusals atomic.Int64 // in a row
	var tries errgroup.Group
	tries.SetLimit(tellAtOnce)
	for i, dispatch := range due {
		tries.Go(func() error {
			if refusals.Load() >= refusalsMax || t.ports.Clock.Now().After(last) {
				outcomes[i] = errUntried
				return nil
			}
			if outcomes[i] = t.try(ctx, dispatch.Event); answeredTo(outcomes[i]) {
				refusals.Store(0)
			} else {
				refusals.Add(1)
			}
			return nil
		})
	}
	_ = tries.Wait()
	took, stopped := t.ports.Clock.Now().Sub(began), ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellNoteTimeout)
	defer cancel()
	return t.note(ctx, shard, due, outcomes, took, stopped)
}

// hold renews the lease of dispatches until release is called. A renewal that fails is made again; should all of them fail,
// somebody else tells the endpoint as well.
func (t *Tell) hold(ctx context.Context, shard int, due []seckill.Dispatch) (release func()) {
	events := make([]seckill.ID, len(due))
	for i, dispatch := range due {
		events[i] = dispatch.ID
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var holding sync.WaitGroup
	holding.Go(func() {
		for {
			select {
			case <-t.ports.Clock.After(tellRenewEvery):
			case <-ctx.Done():
				return
			}
			if err := t.ports.Events.Renew(ctx, shard, t.endpoint.Name(), events); err != nil && ctx.Err() == nil {
				t.ports.Log.Info("a lease was not renewed", "endpoint", t.endpoint.Name(), "shard", shard, "error", err)
			}
		}
	})
	return func() {
		cancel()
		holding.Wait()
	}
}

// note writes down what came of a batch. A try that only ended because the keeper stops says nothing about the endpoint:
// its dispatch is left to its lease.
func (t *Tell) note(
	ctx context.Context, shard int, due []seckill.Dispatch, outcomes []error, took time.Duration, stopped bool,
) error {
	var told []seckill.ID
	var setbacks []seckill.Setback
	var refusal error
	answered := 0
	for i, dispatch := range due {
		if answeredTo(outcomes[i]) {
			answered++
		}
		switch {
		case outcomes[i] == nil:
			told = append(told, dispatch.ID)
		case answeredTo(outcomes[i]) || !stopped && !errors.Is(outcomes[i], errUntried):
			refusal = outcomes[i]
			setbacks = append(setbacks, setbackOf(dispatch, refusal))
		}
	}
	t.pace.took(answered, refusal, took)
	t.mourn(setbacks)
	return errors.Join(t.fail(ctx, shard, setbacks), t.done(ctx, shard, told))
}

func (t *Tell) try(ctx context.Context, event seckill.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	return t.endpoint.Tell(ctx, event)
}

// done deletes what was told. When that fails the endpoint is told again, as at least once allows.
func (t *Tell) done(ctx context.Context, shard int, told []seckill.ID) error {
	if len(told) == 0 {
		return nil
	}
	for range told {
		t.count(t.endpoint.Name(), TellingDone)
	}
	err := t.ports.Events.Told(ctx, shard, t.endpoint.Name(), told)
	for try := 1; try < tellNotesMax && errors.Is(err, seckill.ErrTransient); try++ {
		err = t.ports.Events.Told(ctx, shard, t.endpoint.Name(), told)
	}
	if err != nil {
		return fmt.Errorf("delete what was told: %w", err)
	}
	return nil
}

// setback is what a try that failed leads to.
func setbackOf(dispatch seckill.Dispatch, cause error) seckill.Setback {
	wait, over := tellAgain(dispatch.Tries + 1)
	dead := over || errors.Is(cause, seckill.ErrUnwanted)
	return seckill.Setback{Event: dispatch.ID, Wait: wait, Failure: cause.Error(), Dead: dead}
}

// mourn calls somebody once for all that died of a batch.
func (t *Tell) mourn(setbacks []seckill.Setback) {
	dead := slices.DeleteFunc(slices.Clone(setbacks), func(s seckill.Setback) bool { return !s.Dead })
	if len(dead) > 0 {
		t.ports.Log.Error("an endpoint was not told of events; an operator can have them tried again",
			"endpoint", t.endpoint.Name(), "events", len(dead), "first", dead[0].Event, "error", dead[0].Failure)
	}
}

func (t *Tell) fail(ctx context.Context, shard int, setbacks []seckill.Setback) error {
	if len(setbacks) == 0 {
		return nil
	}
	err := t.ports.Events.Failed(ctx, shard, t.endpoint.Name(), setbacks)
	for _, setback := range setbacks {
		outcome := TellingFailed
		if setback.Dead {
			outcome = TellingDied
		}
		t.count(t.endpoint.Name(), outcome)
	}
	if err != nil {
		return fmt.Errorf("note failures: %w", err)
	}
	return nil
}

// triesMax is how often an event is tried: for about a day after the first time.
const triesMax = 28

// tellAgain is how long to wait after so many tries that failed, a little less at random so that what failed together is not
// tried together; over says that there is no other.
func tellAgain(tries int64) (wait time.Duration, over bool) {
	switch tries {
	case 1:
		wait = 5 * time.Second
	case 2:
		wait = 30 * time.Second
	case 3:
		wait = 2 * time.Minute
	case 4:
		wait = 10 * time.Minute
	default:
		wait = time.Hour
	}
	return wait - rand.N(wait/10), tries >= triesMax
}
