package rabbitmq

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Subscription is one consumer on a connection of its own. It never reconnects: its numbers mean nothing elsewhere, so
// a lost connection ends it, what it had goes to others, and its late acknowledgements reach nobody.
type Subscription struct {
	queue   *Queue
	shard   int
	conn    *connection
	channel *amqp.Channel
	out     chan seckill.Delivery
	over    chan struct{} // closed by Close
	pumping sync.WaitGroup
	memory  memory
	closing sync.Once

	mu        sync.Mutex
	bodies    map[uint64][]byte // what is not acknowledged
	floor     uint64            // everything up to here is
	delivered uint64            // how many messages there have been
	ended     bool
}

// Subscribe implements seckill.Consumer. What only takes a moment it waits for, DialTimeout at most: a broker that is being
// started, and a queue that somebody else has just declared. Workers thus go on as soon as the broker is back, and say
// nothing while everything starts. Who called tries again, with backoff.
func (q *Queue) Subscribe(ctx context.Context, shard int) (seckill.Subscription, error) {
	ctx, cancel := context.WithTimeout(ctx, q.DialTimeout)
	defer cancel()
	defer context.AfterFunc(q.running, cancel)() //nolint:contextcheck // Close ends it, too
	err := q.checkShard(shard)
	if err == nil {
		err = q.watch.await(ctx)
	}
	for wait := firstBackoff; err == nil; wait = min(2*wait, longestBackoff) {
		var s *Subscription
		if s, err = q.subscribe(ctx, shard); err == nil {
			return s, nil
		}
		if isStarting(err) {
			select {
			case <-q.Clock.After(wait):
				err = nil
			case <-ctx.Done():
			}
		}
	}
	return nil, fmt.Errorf("subscribe to shard %d: %w", shard, err)
}

// isStarting recognises a quorum queue that is declared and does not run yet: the broker's own process stumbles over it
// and takes the connection along.
func isStarting(err error) bool {
	var refused *amqp.Error
	return errors.As(err, &refused) && refused.Code == amqp.InternalError
}

// subscribe tries every broker once.
func (q *Queue) subscribe(ctx context.Context, shard int) (*Subscription, error) {
	if err := q.checkOpen(); err != nil {
		return nil, err
	}
	conn, err := q.dialer.dial(ctx, fmt.Sprintf("consumer of shard %d", shard))
	if err != nil {
		return nil, err
	}
	s := &Subscription{
		queue: q, shard: shard, conn: conn,
		out: make(chan seckill.Delivery, q.Prefetch), over: make(chan struct{}), bodies: map[uint64][]byte{},
	}
	deliveries, err := s.begin(ctx)
	if err == nil && !q.keep(s) {
		err = errors.New("closed")
	}
	if err != nil {
		conn.end()
		return nil, fmt.Errorf("%w: %w", seckill.ErrUnavailable, err)
	}
	s.pumping.Go(func() { s.pump(deliveries) })
	return s, nil
}

// begin asks for messages, on queues that are there even if this process is the first.
func (s *Subscription) begin(ctx context.Context) (<-chan amqp.Delivery, error) {
	defer context.AfterFunc(ctx, func() { s.conn.socket.Close() })()
	deliveries, err := s.consume()
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, fmt.Errorf("rabbitmq did not begin to deliver within %v; if this does not end by itself, the queue %s has no leader: "+
			"see rabbitmq-queues quorum_status", s.queue.DialTimeout, s.queue.topology.orders(s.shard))
	}
	return deliveries, err
}

func (s *Subscription) consume() (<-chan amqp.Delivery, error) {
	if err := s.queue.declare(s.conn); err != nil {
		return nil, err
	}
	var err error
	if s.channel, err = s.conn.Channel(); err != nil {
		return nil, err
	}
	if err := s.channel.Qos(s.queue.Prefetch, 0, false); err != nil {
		return nil, err
	}
	return s.channel.Consume(s.queue.topology.orders(s.shard), "", false, false, false, false, nil)
}

// pump hands messages on until the broker or Close ends it. There is room for all of them: the broker sends no more
// than the prefetch.
func (s *Subscription) pump(deliveries <-chan amqp.Delivery) {
	defer s.finish()
	for d := range deliveries {
		s.note(d)
		select {
		case s.out <- seckill.Delivery{Tag: d.DeliveryTag, Message: d.MessageId, Body: d.Body, Redelivered: d.Redelivered}:
		case <-s.over:
			return
		}
	}
}

func (s *Subscription) note(d amqp.Delivery) {
	s.mu.Lock()
	s.bodies[d.DeliveryTag] = d.Body
	s.delivered++
	s.mu.Unlock()
	if count, known := d.Headers["x-delivery-count"].(int64); known && count >= int64(s.queue.DeliveryLimit) {
		s.queue.Log.Error("rabbitmq delivers a message for the last time: if it comes back once more, it is a dead letter",
			"shard", s.shard, "message", d.MessageId, "deliveries", count+1)
	}
	if at, known := d.Headers[atHeader].(int64); known && !d.Redelivered {
		s.queue.ages.delivered(s.shard, s.queue.published(at))
	}
}

// finish ends the subscription from inside: also when the broker cancelled it, because its queue is gone.
func (s *Subscription) finish() {
	s.mu.Lock()
	s.ended = true
	clear(s.bodies)
	s.mu.Unlock()
	s.queue.drop(s)
	s.conn.end()
	for {
		select {
		case <-s.out: // given back: whoever gets it next shall be the only one
		default:
			close(s.out)
			return
		}
	}
}

// Deliveries implements seckill.Subscription.
func (s *Subscription) Deliveries() <-chan seckill.Delivery { return s.out }

// Ack implements seckill.Subscription. AMQP does not confirm an acknowledgement: one that is lost with its connection
// costs a redelivery.
func (s *Subscription) Ack(_ context.Context, deliveries []seckill.Delivery) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil // late: the messages are with somebody else
	}
	together, single := s.settle(deliveries)
	var err error
	if together > 0 {
		err = s.channel.Ack(together, true)
	}
	for _, tag := range single {
		err = errors.Join(err, s.channel.Ack(tag, false))
	}
	if err != nil && !errors.Is(err, amqp.ErrClosed) {
		return fmt.Errorf("acknowledge %d messages of shard %d: %w", len(deliveries), s.shard, err)
	}
	return nil
}

// settle forgets what is acknowledged and says what to tell the broker: one number up to which everything is, and the
// single ones above. The caller holds mu.
func (s *Subscription) settle(deliveries []seckill.Delivery) (together uint64, single []uint64) {
	for _, d := range deliveries {
		if _, held := s.bodies[d.Tag]; held {
			delete(s.bodies, d.Tag)
			single = append(single, d.Tag)
		}
	}
	slices.Sort(single)
	// Numbers are given out without gaps. Those of earlier calls may lie between ours, but the number we send must be ours.
	for len(single) > 0 && s.allSettled(single[0]) {
		together = single[0]
		s.floor = together
		single = single[1:]
	}
	return together, single
}

func (s *Subscription) allSettled(tag uint64) bool {
	for t := s.floor + 1; t < tag; t++ {
		if _, held := s.bodies[t]; held {
			return false
		}
	}
	return true
}

// Close implements seckill.Subscription.
func (s *Subscription) Close() error {
	s.closing.Do(func() {
		close(s.over)
		s.conn.end()
	})
	s.pumping.Wait()
	return nil
}

func (s *Subscription) unacked() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.bodies))
}

// isWhole says whether the bytes are those of the delivery.
func (s *Subscription) isWhole(d seckill.Delivery) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, held := s.bodies[d.Tag]
	return held && bytes.Equal(body, d.Body)
}
