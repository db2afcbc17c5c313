package sqlqueue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// What a Config leaves out.
const (
	// LeaseDefault is far longer than settling takes, and shorter than DoubtFor.
	LeaseDefault = 30 * time.Second
	// PrefetchDefault lets a worker gather a full transaction of single reservations.
	PrefetchDefault = 512
	// RedeliveriesMaxDefault is high, because a dead letter needs a person: with one lease each it takes over eight hours.
	RedeliveriesMaxDefault = 1000
)

// pollEvery is how often a shard looks for expired leases and for rows that nobody announced.
const pollEvery = time.Second

// Config is what a queue is made of.
type Config struct {
	// Path is the file, which is made if it is not there.
	Path string
	// Before is the file where older versions kept the queue; what is there is taken over. "" is none.
	Before string
	// Shards is the number of shards; each has a queue of its own.
	Shards int
	IDs    seckill.IDs
	Clock  seckill.Clock
	Log    *slog.Logger
	// Lease is how long a subscription may keep a message before others get it too.
	Lease time.Duration
	// Prefetch is the most messages one subscription has leased at once.
	Prefetch int
	// RedeliveriesMax is how many counted redeliveries a message survives.
	RedeliveriesMax int
}

// Queue is the durable queue of every shard. Safe for concurrent use.
type Queue struct {
	Config
	file      file
	committer *committer
	lanes     []*lane

	stop     context.CancelFunc
	dispatch sync.WaitGroup
	closing  sync.Once
}

var (
	_ seckill.Publisher      = (*Queue)(nil)
	_ seckill.Consumer       = (*Queue)(nil)
	_ seckill.QueueWatch     = (*Queue)(nil)
	_ seckill.DeadLetterDesk = (*Queue)(nil)
	_ seckill.Drain          = (*Queue)(nil)
	_ seckill.Subscription   = (*Subscription)(nil)
)

// Open starts the queue on a file that no other process may have open: what was leased there is ready again. ctx bounds
// the opening; Close ends the queue.
func Open(ctx context.Context, config Config) (*Queue, error) {
	config, err := config.complete()
	if err != nil {
		return nil, err
	}
	q := &Queue{Config: config}
	if q.file, err = openFile(ctx, config.Path); err != nil {
		return nil, fmt.Errorf("open the queue %s: %w", config.Path, err)
	}
	if err := q.findOld(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the queue %s: %w", config.Path, err), q.file.close())
	}
	q.start(ctx)
	return q, nil
}

// findOld notes what earlier processes have left.
func (q *Queue) findOld(ctx context.Context) error {
	if q.Before != "" {
		if err := takeOver(ctx, q.file.write, q.Before); err != nil {
			return fmt.Errorf("take over what an older version has left: %w", err)
		}
	}
	for shard := range q.Shards {
		survivors, err := highestTag(ctx, q.file.write, shard)
		if err != nil {
			return fmt.Errorf("look for what is left of shard %d: %w", shard, err)
		}
		q.lanes = append(q.lanes, newLane(shard, q.Prefetch, survivors))
	}
	return nil
}

func (q *Queue) start(ctx context.Context) {
	ctx, q.stop = context.WithCancel(context.WithoutCancel(ctx))
	q.committer = startCommitter(ctx, q.file.write)
	for _, l := range q.lanes {
		q.dispatch.Go(func() { q.serve(ctx, l) })
	}
}

func (c Config) complete() (Config, error) {
	if c.Path == "" || c.IDs == nil || c.Clock == nil || c.Log == nil || c.Shards < 1 {
		return Config{}, errors.New("open the queue: path, ids, clock, log and shards are needed")
	}
	if c.Lease < 0 || c.Prefetch < 0 || c.RedeliveriesMax < 0 {
		return Config{}, errors.New("open the queue: lease, prefetch and redeliveries must not be negative")
	}
	if c.Lease == 0 {
		c.Lease = LeaseDefault
	}
	if c.Prefetch == 0 {
		c.Prefetch = PrefetchDefault
	}
	if c.RedeliveriesMax == 0 {
		c.RedeliveriesMax = RedeliveriesMaxDefault
	}
	return c, nil
}

// Close ends every subscription, commits what was handed in before, and closes the file. Afterwards every call answers
// seckill.ErrUnavailable.
func (q *Queue) Close() (err error) {
	q.closing.Do(func() {
		q.stop()
		q.dispatch.Wait()
		for _, l := range q.lanes {
			l.close()
		}
		q.committer.close()
		err = q.file.close()
	})
	return err
}

func (q *Queue) lane(shard int) (*lane, error) {
	if shard < 0 || shard >= len(q.lanes) {
		return nil, fmt.Errorf("%w: there is no queue for shard %d", seckill.ErrUnavailable, shard)
	}
	return q.lanes[shard], nil
}
