package broker

import (
	"github.com/seckill-dev/seckill/internal/seckill"
)

// Cut takes a subscription's connection away: it ends, and what it had goes to others.
func (b *Broker) Cut(s seckill.Subscription) {
	if s, ours := s.(*Subscription); ours {
		_ = s.Close() // it cannot fail
	}
}

// Restart ends every connection. What was confirmed is still there.
func (b *Broker) Restart() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.endAll()
}

func (b *Broker) endAll() {
	for _, q := range b.queues {
		for len(q.consumers) > 0 {
			q.consumers[0].end()
		}
	}
}

// Wipe is the loss of the broker: it starts again without a message, or a dead letter.
func (b *Broker) Wipe() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.endAll()
	b.letters = nil
	for _, q := range b.queues {
		q.messages, q.leaderless, q.overdue = nil, false, false
	}
}

// Down ends every connection and answers nobody, or everybody again.
func (b *Broker) Down(down bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = down
	if down {
		b.endAll()
	}
}

// Block takes no messages (an alarm), or takes them again.
func (b *Broker) Block(blocked bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.blocked = blocked
}

// Leaderless takes a queue's leader away, or gives it one. Without, it takes messages and confirms none, looks empty, and
// lets no consumer in.
func (b *Broker) Leaderless(shard int, leaderless bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queues[shard]
	q.leaderless, q.overdue = leaderless, false
	for leaderless && len(q.consumers) > 0 {
		q.consumers[0].end()
	}
	b.handOut(q)
}

// Duplicate adds another message with the bytes of the nth ready one.
func (b *Broker) Duplicate(shard, nth int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queues[shard]
	b.add(q, q.ready()[nth].Outgoing)
	b.handOut(q)
}

// Late takes a message of whose confirm nobody hears: it is held until it arrives or is forgotten.
func (b *Broker) Late(outgoing seckill.Outgoing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.add(b.queues[outgoing.Shard], outgoing)
	m.held, m.unconfirmed = true, true
}

// Delay holds the nth ready message.
func (b *Broker) Delay(shard, nth int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queues[shard].ready()[nth].held = true
}

// Held is how many messages Arrive and Forget may choose from.
func (b *Broker) Held(shard int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.queues[shard].held())
}

// Arrive makes the nth held message ready.
func (b *Broker) Arrive(shard, nth int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queues[shard]
	q.held()[nth].held = false
	b.handOut(q)
}

// Forget loses the nth held message, and tells whether it did: what was confirmed is never lost.
func (b *Broker) Forget(shard, nth int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queues[shard]
	m := q.held()[nth]
	if m.unconfirmed {
		q.drop(m)
	}
	return m.unconfirmed
}

func (q *queue) held() []*message {
	var held []*message
	for _, m := range q.messages {
		if m.held {
			held = append(held, m)
		}
	}
	return held
}
