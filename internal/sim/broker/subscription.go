package broker

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Subscription is one consumer. It ends with Close, or when its connection is cut.
type Subscription struct {
	broker     *Broker
	shard      int
	queue      *queue
	deliveries chan seckill.Delivery
	leased     int
	ended      bool
}

// Subscribe implements seckill.Consumer.
func (b *Broker) Subscribe(ctx context.Context, shard int) (seckill.Subscription, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q, err := b.queue(shard)
	if err == nil && ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", seckill.ErrUnavailable, ctx.Err())
	}
	if err == nil && q.leaderless {
		err = fmt.Errorf("%w: the queue has no leader", seckill.ErrUnavailable)
	}
	if err != nil {
		return nil, fmt.Errorf("subscribe to shard %d: %w", shard, err)
	}
	s := &Subscription{broker: b, shard: shard, queue: q, deliveries: make(chan seckill.Delivery, b.Prefetch)}
	q.consumers = append(q.consumers, s)
	b.handOut(q)
	return s, nil
}

// Deliveries implements seckill.Subscription.
func (s *Subscription) Deliveries() <-chan seckill.Delivery { return s.deliveries }

// room counts what is in the channel, too: with AutoAck nothing is leased.
func (s *Subscription) room() int { return s.broker.Prefetch - max(s.leased, len(s.deliveries)) }

// Ack implements seckill.Subscription. A late one reaches nobody.
func (s *Subscription) Ack(_ context.Context, deliveries []seckill.Delivery) error {
	b := s.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range deliveries {
		s.ack(d.Tag)
	}
	b.handOut(s.queue)
	return nil
}

func (s *Subscription) ack(tag uint64) {
	at := slices.IndexFunc(s.queue.messages, func(m *message) bool { return m.tag == tag && m.holder == s })
	for n := range s.queue.messages {
		if m := s.queue.messages[n]; at < 0 && s.broker.Mistakes.AnyTag && m.holder != nil && m.holder != s && m.tag > tag {
			at = n
		}
	}
	if at < 0 {
		return
	}
	s.queue.messages[at].holder.leased--
	s.broker.gone(s.queue.messages[at])
	s.queue.messages = slices.Delete(s.queue.messages, at, at+1)
}

// DeadLetter implements seckill.Subscription: a letter first, then the acknowledgement, so that a crash in between leaves
// both.
func (s *Subscription) DeadLetter(ctx context.Context, delivery seckill.Delivery, cause string) error {
	whole, err := s.bury(ctx, delivery, cause)
	if err == nil && whole {
		if err = s.broker.between("dead letter"); err == nil {
			return s.Ack(ctx, []seckill.Delivery{delivery})
		}
	}
	if err != nil {
		return fmt.Errorf("dead-letter a message of shard %d: %w", s.shard, err)
	}
	return nil
}

// bury writes the letter and tells whether it is all of a message that is leased here.
func (s *Subscription) bury(ctx context.Context, delivery seckill.Delivery, cause string) (bool, error) {
	b := s.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("%w: %w", seckill.ErrUnavailable, err)
	}
	if _, err := b.open(s.shard); err != nil {
		return false, err
	}
	b.addLetter(s.shard, delivery.Body, cause)
	return slices.ContainsFunc(s.queue.messages, func(m *message) bool {
		return m.holder == s && m.tag == delivery.Tag && bytes.Equal(m.Body, delivery.Body)
	}), nil
}

// Close implements seckill.Subscription.
func (s *Subscription) Close() error {
	s.broker.mu.Lock()
	defer s.broker.mu.Unlock()
	s.end()
	s.broker.handOut(s.queue)
	return nil
}

// end gives back what is not acknowledged. What the consumer has not received yet it never will.
func (s *Subscription) end() {
	if s.ended {
		return
	}
	s.ended = true
	for len(s.deliveries) > 0 {
		<-s.deliveries
	}
	close(s.deliveries)
	s.queue.consumers = slices.DeleteFunc(s.queue.consumers, func(other *Subscription) bool { return other == s })
	for _, m := range slices.Clone(s.queue.messages) {
		if m.holder == s {
			s.broker.giveBack(s.queue, m)
		}
	}
}

// giveBack makes a leased message ready, or a dead letter if it came back too often.
func (b *Broker) giveBack(q *queue, m *message) {
	m.holder, m.tag = nil, 0
	m.redeliveries++
	if b.RedeliveriesMax > 0 && m.redeliveries > b.RedeliveriesMax {
		b.addLetter(m.Shard, m.Body, "dead-lettered by the broker: delivery_limit")
		q.drop(m)
	}
}

func (q *queue) drop(m *message) {
	q.messages = slices.DeleteFunc(q.messages, func(other *message) bool { return other == m })
}
