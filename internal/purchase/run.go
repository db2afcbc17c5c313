package purchase

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// queueEvery is the rhythm of looks at the backlog, listenAgain the rest after listening failed.
	queueEvery  = 500 * time.Millisecond
	listenAgain = time.Second
)

// job is one background task and its rhythm.
type job struct {
	name  string
	every time.Duration
	once  func(ctx context.Context) error
}

func (s *Service) jobs() []job {
	jobs := []job{
		{"catalog", catalogEvery, s.refreshCatalog},
		{"states", statesEvery, s.refreshStates},
		{"sent", sentEvery, s.flushSent},
		{"claims", pollEvery, s.poll},
		{"announcements", listenAgain, s.listen},
		{"announced claims", listenAgain, s.wakeAnnounced},
	}
	for _, home := range s.shards {
		jobs = append(jobs,
			job{fmt.Sprintf("heartbeat %d", home.number), seckill.BeatEvery, func(ctx context.Context) error { return s.beat(ctx, home, false) }},
			job{fmt.Sprintf("queue %d", home.number), queueEvery, func(ctx context.Context) error { return s.look(ctx, home) }},
		)
	}
	return jobs
}

// Run keeps local state fresh and heartbeats going until ctx is done; then it drains and returns. Shoppers hear busy for
// the moment it takes to read everything once.
func (s *Service) Run(ctx context.Context) error {
	// The jobs outlive ctx: what is in flight needs its heartbeat until it is answered.
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	var jobs sync.WaitGroup
	for _, job := range s.jobs() {
		jobs.Go(func() { s.repeat(working, job) })
	}
	<-ctx.Done()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.options.DrainWithin)
	defer cancel()
	err := s.Drain(drain)
	stop()
	jobs.Wait()
	if err == nil {
		err = s.depart(drain)
	}
	return errors.Join(err, s.lookups.empty(drain))
}

// repeat runs a job in its rhythm.
func (s *Service) repeat(ctx context.Context, job job) {
	failing := trouble{log: s.log.With("job", job.name)}
	for {
		err := job.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			s.ports.Metrics.failed(job.name)
		}
		failing.note(s.clock.Now(), err)
		select {
		case <-ctx.Done():
			return
		case <-s.clock.After(job.every):
		}
	}
}

// Drain stops admitting, ends the long polls and waits until nothing is in flight. Run does the same when its context
// ends, and then writes `left`; Drain alone is for whoever wants to stop earlier. It may be called again.
func (s *Service) Drain(ctx context.Context) error {
	s.drained.Do(func() { close(s.draining) })
	// First the requests, then what they started and did not wait for.
	if err := s.requests.empty(ctx); err != nil {
		return err
	}
	return s.tasks.empty(ctx)
}

// depart tells Redis what is on the queue and SQL that this process answers nobody any more. It must come after the last
// answer: a seal that reads `left` does not wait for us.
func (s *Service) depart(ctx context.Context) error {
	failure := s.flushSent(ctx)
	for _, home := range s.shards {
		if home.beaten.Load() != nil { // nobody waits for who was never there
			failure = errors.Join(failure, s.lastWord(ctx, home))
		}
	}
	return failure
}

// lastWordTries is how often a shard is told the last word. It is worth a few seconds: without it a seal waits 20 for us.
const lastWordTries = 3

func (s *Service) lastWord(ctx context.Context, home *shard) (err error) {
	for range lastWordTries {
		if err = s.beat(ctx, home, true); err == nil || ctx.Err() != nil {
			break
		}
	}
	return err
}
