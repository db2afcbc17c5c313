package sqlqueue

import (
	"context"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Subscription is one consumer of one shard.
type Subscription struct {
	queue *Queue
	lane  *lane
	// deliveries has room for the prefetch; the lane's lock guards its sending side and what follows.
	deliveries chan seckill.Delivery
	leased     int
	// handed counts the deliveries ever sent.
	handed int64
}

// Subscribe implements seckill.Consumer. ctx is not kept: Close ends the subscription, so that a consumer told to stop
// can still acknowledge what it has settled.
func (q *Queue) Subscribe(_ context.Context, shard int) (seckill.Subscription, error) {
	l, err := q.lane(shard)
	if err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	s, err := l.subscribe()
	if err != nil {
		return nil, fmt.Errorf("subscribe to shard %d: %w", shard, err)
	}
	s.queue = q
	return s, nil
}

// Deliveries implements seckill.Subscription.
func (s *Subscription) Deliveries() <-chan seckill.Delivery { return s.deliveries }

// Ack implements seckill.Subscription. It deletes the rows whoever has leased them by now, after Close too: to
// acknowledge says that the message is settled, and to hand it out once more would only repeat that. Tags are never
// used again, so no other message can be meant.
func (s *Subscription) Ack(ctx context.Context, deliveries []seckill.Delivery) error {
	if len(deliveries) == 0 {
		return nil
	}
	tags := make([]uint64, len(deliveries))
	for i, d := range deliveries {
		tags[i] = d.Tag
	}
	w := &write{acked: tags, then: func() { s.lane.forget(tags) }}
	if err := s.queue.committer.do(ctx, w); err != nil {
		return fmt.Errorf("acknowledge %d messages: %w", len(deliveries), err)
	}
	return nil
}

// DeadLetter implements seckill.Subscription, in one transaction. A repeat after an unknown outcome may write the dead
// letter twice: twice is better than never.
func (s *Subscription) DeadLetter(ctx context.Context, delivery seckill.Delivery, cause string) error {
	return s.queue.deadLetter(ctx, s.lane, delivery, cause)
}

// Close implements seckill.Subscription: what is not acknowledged is ready for others at once. Deliveries that the
// consumer has not received yet are taken out of the channel.
func (s *Subscription) Close() error {
	s.lane.unsubscribe(s)
	return nil
}

// room is how many more messages it may have. The channel counts too: after a lease ran out the message may still be
// in it.
func (s *Subscription) room() int { return s.lane.prefetch - max(s.leased, len(s.deliveries)) }

// received says whether the consumer has taken a delivery out of the channel: all but the last ones sent.
func (s *Subscription) received(serial int64) bool {
	return serial <= s.handed-int64(len(s.deliveries))
}

func (s *Subscription) discard() {
	for {
		select {
		case <-s.deliveries:
		default:
			return
		}
	}
}
