package keeper

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	spreadBatch     = 500
	spreadRoundsMax = 64
)

// Spread addresses the events of each shard to every endpoint.
type Spread struct {
	ports     Ports
	endpoints []string
}

// NewSpread returns the job. Without endpoints it drops what was written when there were some.
func NewSpread(ports Ports, endpoints []string) *Spread { return &Spread{ports, endpoints} }

// RunOnce spreads what is new.
func (s *Spread) RunOnce(ctx context.Context) error {
	return s.ports.eachShard(ctx, "events", s.spreadShard)
}

func (s *Spread) spreadShard(ctx context.Context, shard int) error {
	for range spreadRoundsMax {
		spread, err := s.ports.Events.Spread(ctx, shard, s.endpoints, spreadBatch)
		if err != nil {
			return fmt.Errorf("spread: %w", err)
		}
		if spread < spreadBatch {
			return nil
		}
	}
	return nil
}

// Retire gives up what nobody is told any more, because the configuration names its endpoint no longer: an operator finds it
// among the dead.
type Retire struct {
	ports     Ports
	endpoints []string
}

// NewRetire returns the job.
func NewRetire(ports Ports, endpoints []string) *Retire { return &Retire{ports, endpoints} }

// RunOnce retires some of it.
func (r *Retire) RunOnce(ctx context.Context) error {
	return r.ports.eachShard(ctx, "events", r.retireShard)
}

func (r *Retire) retireShard(ctx context.Context, shard int) error {
	retired, err := r.ports.Events.Retire(ctx, shard, r.endpoints, spreadBatch)
	if retired > 0 {
		r.ports.Log.Error("events wait for endpoints that nobody tells any more; an operator can discard them, or name the endpoint again",
			"shard", shard, "events", retired)
	}
	return err
}

// Backlog is what waits for one endpoint on one shard.
type Backlog struct {
	Endpoint string
	Shard    int
	Events   int64
	// Age is how long the oldest has waited.
	Age time.Duration
}

// Backlogs counts what waits for the endpoints.
type Backlogs struct {
	ports     Ports
	endpoints []string
	report    func(Backlog)
}

// NewBacklogs returns the job.
func NewBacklogs(ports Ports, endpoints []string, report func(Backlog)) *Backlogs {
	return &Backlogs{ports, endpoints, report}
}

// RunOnce reports every backlog that can be read.
func (b *Backlogs) RunOnce(ctx context.Context) error {
	var failures []error
	for _, shard := range b.ports.shards() {
		for _, endpoint := range b.endpoints {
			events, age, err := b.ports.Events.Waiting(ctx, shard, endpoint)
			if err != nil {
				failures = append(failures, fmt.Errorf("count what waits: %w", err))
				break
			}
			b.report(Backlog{Endpoint: endpoint, Shard: shard, Events: events, Age: age})
		}
	}
	return errors.Join(failures...)
}
