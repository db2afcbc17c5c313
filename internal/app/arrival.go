package app

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/guard"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

const (
	// arriveWithin bounds the first look at a shard: connecting to one that is there takes milliseconds.
	arriveWithin = 5 * time.Second

	// A shard that does not answer is left alone soon and asked again soon: callers with a deadline of a second must not
	// each find out for themselves, and it should sell again when it is back.
	shardFailuresMax = 3
	shardRest        = 500 * time.Millisecond
	// shardTimeout is for none but the longest calls: sqlstore, which knows them, has shorter deadlines of its own.
	shardTimeout = 30 * time.Second
)

// arrival is a shard that must be looked at before anything is written to it: at the start, or, when it is away then, as
// soon as it answers. Until it has arrived its guard lets nothing through.
type arrival struct {
	shard   int
	profile Profile
	log     *slog.Logger
	store   *sqlstore.Store
	guard   *guard.Breaker

	arrived bool
	// said is what was last logged of it.
	said string
}

func newArrival(shard int, profile Profile, log *slog.Logger) *arrival {
	a := &arrival{shard: shard, profile: profile, log: log}
	a.guard = guard.NewBreaker(fmt.Sprintf("shard %d", shard), guard.Options{
		Timeout: shardTimeout, FailuresMax: shardFailuresMax, Rest: shardRest, Log: log, Probe: a.probe,
	})
	return a
}

// probe asks a shard that was left alone whether it is back. The guard makes one probe at a time.
func (a *arrival) probe(ctx context.Context) error {
	if a.arrived {
		return a.store.Ping(ctx, a.shard)
	}
	err := a.arrive(ctx)
	if err != nil && !sqlstore.Away(err) && err.Error() != a.said {
		a.said = err.Error()
		a.log.Error("a shard is back and cannot be used", "shard", a.shard, "error", err)
	}
	return err
}

// arrive refuses a shard of another system or with another schema, and in production one that does not keep what a sale
// relies on.
func (a *arrival) arrive(ctx context.Context) error {
	if err := a.store.VerifyShard(ctx, a.shard); err != nil {
		if sqlstore.Away(err) {
			return err
		}
		return keyed(a.shard, err)
	}
	warnings, err := a.store.Check(ctx, a.shard)
	if err != nil {
		return keyed(a.shard, err)
	}
	for _, warning := range warnings {
		if a.profile == ProfileProduction {
			return fmt.Errorf("shards[%d]: %s (refused by profile: production)", a.shard, warning.Text)
		}
		a.log.Warn("profile: production would refuse this", "shard", a.shard, "setting", warning.Text)
	}
	a.arrived = true
	return nil
}

// keyed names the setting that a server's refusal is about.
func keyed(shard int, err error) error {
	switch sqlstore.RefusalOf(err) {
	case sqlstore.LoginRefused:
		return fmt.Errorf("shards[%d].login: the server refuses it: %w", shard, err)
	case sqlstore.DatabaseUnknown:
		return fmt.Errorf("shards[%d].database: the server has no such database; create it, then run `seckill migrate up`: %w", shard, err)
	default:
		return fmt.Errorf("shards: %w", err)
	}
}

// admitShards opens the shards and looks at all of them at once. One that answers must be as it should be. Of those that
// do not answer one is enough to go on: what needs the others is busy until they are back. With none there is nothing to
// do, and most likely the addresses are wrong.
func (b *Backend) admitShards(
	ctx context.Context, config Config, doors []entrance, log *slog.Logger,
) (*sqlstore.Store, error) {
	arrivals := make([]*arrival, len(config.Shards))
	guards := make([]sqlstore.Guard, len(config.Shards))
	for i := range arrivals {
		arrivals[i] = newArrival(i, config.Profile, log)
		guards[i] = arrivals[i].guard
	}
	store, err := b.openShards(ctx, config, doors, guards, log)
	if err != nil {
		return nil, err
	}
	failures := lookAtAll(ctx, arrivals, store)
	away := 0
	for i, err := range failures {
		switch {
		case err == nil:
		case sqlstore.Away(err):
			away++
		default:
			return nil, failures[i]
		}
	}
	if away == len(arrivals) {
		return nil, fmt.Errorf("shards: none of them answers: %w", failures[0])
	}
	for i, err := range failures {
		if err != nil {
			log.Warn("a shard is away; what needs it is busy until it is back", "shard", i, "error", err)
			arrivals[i].guard.Trip(seckill.ErrUnavailable)
		}
	}
	return store, nil
}

// lookAtAll gives every shard its chance and returns what kept each from arriving.
func lookAtAll(ctx context.Context, arrivals []*arrival, store *sqlstore.Store) []error {
	ctx, cancel := context.WithTimeout(ctx, arriveWithin)
	defer cancel()
	failures := make([]error, len(arrivals))
	var all sync.WaitGroup
	for i, a := range arrivals {
		a.store = store
		all.Go(func() { failures[i] = a.arrive(ctx) })
	}
	all.Wait()
	return failures
}
