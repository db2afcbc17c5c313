package rabbitmq

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Queue is the durable queue of every shard on RabbitMQ. Safe for concurrent use.
type Queue struct {
	Config
	topology topology
	dialer   *dialer
	lanes    []*link[lane]
	watch    *link[watch]
	ages     *ages

	turn      atomic.Uint64 // which lane is next
	names     atomic.Uint64 // how many messages have been given a name
	namespace string        // what all names of this queue begin with
	letters   letterIDs
	repairing atomic.Bool
	// hasDeclared says that this process has seen every queue.
	hasDeclared atomic.Bool
	// wasGone says that one of them was missing, and that nobody has been told yet.
	wasGone atomic.Bool
	// paths is what is known of each shard's queue without asking.
	paths []path

	running context.Context // ends with Close
	stop    context.CancelFunc
	working sync.WaitGroup

	mu            sync.Mutex
	subscriptions map[*Subscription]struct{}
	isClosed      bool
}

var (
	_ seckill.Publisher      = (*Queue)(nil)
	_ seckill.Consumer       = (*Queue)(nil)
	_ seckill.QueueWatch     = (*Queue)(nil)
	_ seckill.DeadLetterDesk = (*Queue)(nil)
	_ seckill.Subscription   = (*Subscription)(nil)
)

// Open begins to connect and returns at once: a broker that is away is waited for in the background, and meanwhile every
// call answers seckill.ErrUnavailable. Who needs it there says AwaitReady. Only settings that can never work are refused.
func Open(ctx context.Context, config Config) (*Queue, error) {
	config, err := config.complete()
	if err != nil {
		return nil, err
	}
	brokers, err := config.brokers()
	if err != nil {
		return nil, err
	}
	q := &Queue{
		Config:        config,
		topology:      topology{prefix: config.Prefix, shards: config.Shards, deliveryLimit: config.DeliveryLimit},
		dialer:        &dialer{Config: config, brokers: brokers},
		ages:          newAges(config.Shards),
		paths:         make([]path, config.Shards),
		namespace:     rand.Text(),
		subscriptions: map[*Subscription]struct{}{},
	}
	q.running, q.stop = context.WithCancel(context.WithoutCancel(ctx))
	q.watch = newLink(q.dialer, "watch", q.openWatch)
	q.lanes = make([]*link[lane], config.Lanes)
	for i := range q.lanes {
		q.lanes[i] = newLink(q.dialer, fmt.Sprintf("publisher %d", i), q.openLane)
	}
	q.start()
	return q, nil
}

func (q *Queue) start() {
	q.working.Go(func() { q.watch.run(q.running) })
	for _, l := range q.lanes {
		q.working.Go(func() { l.run(q.running) })
		q.working.Go(func() { q.probe(q.running, l) })
	}
	q.working.Go(func() { q.tellProgress(q.running) })
	q.working.Go(func() { q.mindSubscriptions(q.running) })
}

// openLane declares the topology before the first message: a broker that was replaced has none.
func (q *Queue) openLane(_ context.Context, conn *connection) (*lane, error) {
	if err := q.declare(conn); err != nil {
		return nil, err
	}
	return openLane(conn, q.InFlight)
}

// AwaitReady waits until every connection is up; when ctx ends first, it says what is in the way.
func (q *Queue) AwaitReady(ctx context.Context) error {
	if err := q.watch.await(ctx); err != nil {
		return err
	}
	for _, l := range q.lanes {
		if err := l.await(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close gives back what subscriptions have, ends every connection and returns when nothing of it is left. Afterwards
// every call answers seckill.ErrUnavailable.
func (q *Queue) Close() error {
	q.mu.Lock()
	q.isClosed = true
	open := make([]*Subscription, 0, len(q.subscriptions))
	for s := range q.subscriptions {
		open = append(open, s)
	}
	q.mu.Unlock()
	var closing sync.WaitGroup
	for _, s := range open {
		closing.Go(func() { _ = s.Close() }) // never fails
	}
	closing.Wait()
	q.stop()
	q.working.Wait()
	return nil
}

// checkOpen refuses what would open a connection of its own after Close.
func (q *Queue) checkOpen() error {
	if q.running.Err() != nil {
		return fmt.Errorf("%w: the queue is closed", seckill.ErrUnavailable)
	}
	return nil
}

// keep remembers an open subscription; false when the queue is closed.
func (q *Queue) keep(s *Subscription) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isClosed {
		return false
	}
	q.subscriptions[s] = struct{}{}
	return true
}

func (q *Queue) drop(s *Subscription) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.subscriptions, s)
}

// unacked is how many messages this process has of a shard.
func (q *Queue) unacked(shard int) int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	var sum int64
	for s := range q.subscriptions {
		if s.shard == shard {
			sum += s.unacked()
		}
	}
	return sum
}

func (q *Queue) checkShard(shard int) error {
	if shard < 0 || shard >= q.Shards {
		return fmt.Errorf("%w: there is no queue for shard %d", seckill.ErrUnavailable, shard)
	}
	return nil
}
