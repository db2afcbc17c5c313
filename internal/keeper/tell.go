package keeper

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	tellBatch = 32
	// tellAtOnce bounds what one job has under way at its endpoint, tellTimeout each of these. A whole batch fits into one
	// run of the job.
	tellAtOnce  = 16
	tellTimeout = 12 * time.Second
	// tellFor is how long a run begins another batch.
	tellFor = 5 * time.Second
	// tellRenewEvery is how often a batch's lease is renewed while it is told: twice in vain, and it is still held.
	tellRenewEvery = seckill.DispatchLease / 3
	// tellNoteTimeout bounds noting what was told, also while the keeper stops; tellNotesMax is how often that is tried.
	tellNoteTimeout = 5 * time.Second
	tellNotesMax    = 3

	// restFirst is how long an endpoint is left alone after nothing of a batch was taken; it doubles up to restMost.
	restFirst = time.Second
	restMost  = 30 * time.Second
	// restsWarned is how many rests in a row are worth a call.
	restsWarned = 3
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
// away holds up nobody else. One who takes nothing is left alone for a while, and then tried with a single event: what
// waits for him is not used up by tries that cannot succeed.
type Tell struct {
	ports    Ports
	endpoint seckill.Endpoint
	count    func(endpoint string, outcome Telling)

	rests int // in a row
	until time.Time
}

// NewTell returns the job.
func NewTell(ports Ports, endpoint seckill.Endpoint, count func(endpoint string, outcome Telling)) *Tell {
	return &Tell{ports: ports, endpoint: endpoint, count: count}
}

// RunOnce tells what is due.
func (t *Tell) RunOnce(ctx context.Context) error {
	return t.ports.eachShard(ctx, "tell "+t.endpoint.Name(), t.tellShard)
}

func (t *Tell) tellShard(ctx context.Context, shard int) error {
	for began := t.ports.Clock.Now(); ctx.Err() == nil; {
		now := t.ports.Clock.Now()
		if now.Before(t.until) || now.Sub(began) > tellFor {
			return nil
		}
		batch := tellBatch
		if t.rests > 0 {
			batch = 1
		}
		due, err := t.ports.Events.Due(ctx, shard, t.endpoint.Name(), batch)
		if err != nil || len(due) == 0 {
			return err
		}
		if err := t.tellAll(ctx, shard, due); err != nil {
			return err
		}
	}
	return nil
}

// tellAll tells dispatches side by side, which are of different subjects, and notes what came of them. Nobody else is given
// them meanwhile, however long that takes.
func (t *Tell) tellAll(ctx context.Context, shard int, due []seckill.Dispatch) error {
	defer t.hold(ctx, shard, due)()
	outcomes := make([]error, len(due))
	var tries errgroup.Group
	tries.SetLimit(tellAtOnce)
	for i, dispatch := range due {
		tries.Go(func() error {
			outcomes[i] = t.try(ctx, dispatch.Event)
			return nil
		})
	}
	_ = tries.Wait()
	stopped := ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellNoteTimeout)
	defer cancel()
	return t.note(ctx, shard, due, outcomes, stopped)
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
func (t *Tell) note(ctx context.Context, shard int, due []seckill.Dispatch, outcomes []error, stopped bool) error {
	var told []seckill.ID
	var failures []error
	var refusal error
	for i, dispatch := range due {
		switch {
		case outcomes[i] == nil:
			told = append(told, dispatch.ID)
		case !stopped:
			refusal = outcomes[i]
			failures = append(failures, t.fail(ctx, shard, dispatch, refusal))
		}
	}
	if len(told) > 0 {
		failures = append(failures, t.done(ctx, shard, told))
	}
	t.rest(len(told), refusal)
	return errors.Join(failures...)
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

func (t *Tell) fail(ctx context.Context, shard int, dispatch seckill.Dispatch, cause error) error {
	tries := dispatch.Tries + 1
	wait, over := tellAgain(tries)
	outcome := TellingFailed
	if dead := over || errors.Is(cause, seckill.ErrPoison); dead {
		outcome = TellingDied
		t.ports.Log.Error("an endpoint was not told of an event; an operator can have it tried again",
			"endpoint", t.endpoint.Name(), "event", dispatch.ID, "type", dispatch.Type, "tries", tries, "error", cause)
	}
	err := t.ports.Events.Failed(ctx, shard, t.endpoint.Name(), dispatch.ID, wait, cause.Error(), outcome == TellingDied)
	t.count(t.endpoint.Name(), outcome)
	if err != nil {
		return fmt.Errorf("note a failure: %w", err)
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

// rest leaves an endpoint alone that took nothing of a batch, longer each time.
func (t *Tell) rest(told int, refusal error) {
	switch {
	case told > 0:
		if t.rests >= restsWarned {
			t.ports.Log.Info("an endpoint takes events again", "endpoint", t.endpoint.Name())
		}
		t.rests = 0
	case refusal != nil:
		wait := min(restFirst<<min(t.rests, 10), restMost)
		t.until = t.ports.Clock.Now().Add(wait)
		if t.rests++; t.rests == restsWarned {
			t.ports.Log.Warn("an endpoint takes no events", "endpoint", t.endpoint.Name(), "error", refusal)
		}
	}
}
