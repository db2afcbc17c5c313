package rabbitmq

import (
	"context"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Cut ends a subscription's connection without a farewell, as a lost network does.
func Cut(subscription seckill.Subscription) {
	subscription.(*Subscription).conn.socket.Close()
}

// Crash ends the queue as the end of its process does: no connection says farewell.
func (q *Queue) Crash() {
	q.stop()
	q.mu.Lock()
	for s := range q.subscriptions {
		s.conn.socket.Close()
	}
	q.mu.Unlock()
	for _, l := range q.lanes {
		if live := l.current.Load(); live != nil {
			live.conn.socket.Close()
		}
	}
	if live := q.watch.current.Load(); live != nil {
		live.conn.socket.Close()
	}
	_ = q.Close()
}

// OrdersQueue is the name of a shard's queue.
func (q *Queue) OrdersQueue(shard int) string { return q.topology.orders(shard) }

// TellAnew says what a process says that has declared a lost queue again.
func (q *Queue) TellAnew(ctx context.Context) error {
	live, err := q.watch.liveSoon(ctx)
	if err != nil {
		return err
	}
	return q.topology.tell(live.conn.Connection, news{Shard: everyShard, Anew: true})
}
