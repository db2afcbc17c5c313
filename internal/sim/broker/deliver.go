package broker

import (
	"github.com/seckill-dev/seckill/internal/seckill"
)

// handOut hands on what there is room for, to whoever has the most.
func (b *Broker) handOut(q *queue) {
	if b.Manual || b.down || q.leaderless {
		return
	}
	for _, m := range q.ready() {
		to := q.roomiest()
		if to == nil {
			return
		}
		b.hand(q, m, to)
	}
}

// ready are the messages that could be handed on, in order.
func (q *queue) ready() []*message {
	var ready []*message
	for _, m := range q.messages {
		if m.ready() {
			ready = append(ready, m)
		}
	}
	return ready
}

func (q *queue) roomiest() *Subscription {
	var best *Subscription
	for _, s := range q.roomy() {
		if best == nil || s.room() > best.room() {
			best = s
		}
	}
	return best
}

// roomy are the consumers that could be given a message, the oldest first.
func (q *queue) roomy() []*Subscription {
	var roomy []*Subscription
	for _, s := range q.consumers {
		if s.room() > 0 {
			roomy = append(roomy, s)
		}
	}
	return roomy
}

func (b *Broker) hand(q *queue, m *message, to *Subscription) {
	m.tag = uint64(b.next()) //nolint:gosec // it counts from 1
	d := seckill.Delivery{Tag: m.tag, Message: m.name, Body: m.Body, Redelivered: m.redeliveries > 0}
	q.ages.delivered(m)
	if b.Mistakes.AutoAck {
		q.drop(m)
		b.gone(m)
	} else {
		m.holder = to
		to.leased++
	}
	to.deliveries <- d // there is room for the prefetch
}

// Offers is what Deliver may choose from: how many messages are ready, and how many consumers have room. It is asked after
// each step, so it only counts.
func (b *Broker) Offers(shard int) (messages, consumers int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q, err := b.queue(shard)
	if err != nil || q.leaderless {
		return 0, 0
	}
	for _, m := range q.messages {
		if m.ready() {
			messages++
		}
	}
	for _, s := range q.consumers {
		if s.room() > 0 {
			consumers++
		}
	}
	return messages, consumers
}

// Deliver hands the nth ready message to the nth consumer that has room, both counted from 0, and tells the message's name.
func (b *Broker) Deliver(shard, nth, consumer int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queues[shard]
	m := q.ready()[nth]
	b.hand(q, m, q.roomy()[consumer])
	return m.name
}
