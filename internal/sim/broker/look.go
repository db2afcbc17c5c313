package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Look implements seckill.QueueWatch. A queue without a leader looks empty and without consumers.
func (b *Broker) Look(ctx context.Context, shard int) (seckill.QueueState, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q, err := b.queue(shard)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return seckill.QueueState{}, fmt.Errorf("look at the queue of shard %d: %w", shard, err)
	}
	state := q.count()
	for _, letter := range b.letters {
		if letter.Shard == shard {
			state.Dead++
		}
	}
	state.Age = q.ages.look(state, b.clock.Now())
	return state, nil
}

func (q *queue) count() (state seckill.QueueState) {
	if q.leaderless {
		return state
	}
	state.Consumers = len(q.consumers)
	for _, m := range q.messages {
		switch {
		case m.holder != nil:
			state.Unacked++
		case !m.held:
			state.Ready++
		}
	}
	return state
}

// ages concludes how old the oldest ready message may be, as internal/rabbitmq does: AMQP does not tell. All processes know
// the same at once.
type ages struct {
	fresh time.Time // everything ready is younger than this
	ready bool      // the last look that can be believed found something
}

func (a *ages) delivered(m *message) {
	if m.redeliveries == 0 && m.at.After(a.fresh) {
		a.fresh = m.at
	}
}

func (a *ages) look(state seckill.QueueState, now time.Time) time.Duration {
	ready := state.Ready > 0
	if !ready && state.Consumers == 0 && a.ready {
		return 0
	}
	a.ready = ready
	if (!ready || a.fresh.IsZero()) && now.After(a.fresh) {
		a.fresh = now
	}
	if !ready {
		return 0
	}
	return max(0, now.Sub(a.fresh))
}

// Drained implements seckill.Drain as the embedded queue does: done when no message of the item and epoch is left.
func (b *Broker) Drained(_ context.Context, stock seckill.Stock) (seckill.Drained, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, q := range b.queues {
		for _, m := range q.messages {
			if m.Item == stock.Item && m.Epoch == stock.Epoch {
				return seckill.Drained{}, nil
			}
		}
	}
	return seckill.Drained{Done: true}, nil
}
