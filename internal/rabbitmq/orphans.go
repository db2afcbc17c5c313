package rabbitmq

import (
	"context"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// mindEvery is the rhythm of looks at the queues that this process consumes.
	mindEvery = time.Second
	// forgottenLooks is how many looks in a row must find a subscription forgotten: a message may be on its way.
	forgottenLooks = 3
)

// mindSubscriptions ends subscriptions that the broker has forgotten. When a queue is deleted and declared again before the
// broker has told its consumers, it takes them along to the new queue without a word (seen in 3.10.8): there they are
// either not counted, or counted and never given anything.
func (q *Queue) mindSubscriptions(ctx context.Context) {
	for {
		select {
		case <-q.Clock.After(mindEvery):
		case <-ctx.Done():
			return
		}
		for shard, subscriptions := range q.consumed() {
			state, err := q.look(ctx, shard)
			if err != nil {
				continue // the connections know whether they have ended
			}
			for _, s := range subscriptions {
				s.mind(state)
			}
		}
	}
}

// consumed are the subscriptions by shard.
func (q *Queue) consumed() map[int][]*Subscription {
	q.mu.Lock()
	defer q.mu.Unlock()
	shards := map[int][]*Subscription{}
	for s := range q.subscriptions {
		shards[s.shard] = append(shards[s.shard], s)
	}
	return shards
}

// memory is what the looks at one subscription's queue have found; it belongs to the goroutine that looks.
type memory struct {
	forgotten int    // looks in a row
	delivered uint64 // before the last look
}

// mind ends a subscription that has nothing in hand and gets nothing, although there is something, or nobody to get it.
// That costs no redelivery.
func (s *Subscription) mind(state seckill.QueueState) {
	held, delivered := s.progress()
	isIdle := held == 0 && delivered == s.memory.delivered
	s.memory.delivered = delivered
	if !isIdle || (state.Ready == 0 && state.Consumers > 0) {
		s.memory.forgotten = 0
		return
	}
	if s.memory.forgotten++; s.memory.forgotten == forgottenLooks {
		s.queue.Log.Warn("rabbitmq has forgotten a subscription, which is made anew", "shard", s.shard, "ready", state.Ready)
		s.conn.socket.Close()
	}
}

// progress is how many messages are not acknowledged, and how many have ever been delivered.
func (s *Subscription) progress() (held int, delivered uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.bodies), s.delivered
}
