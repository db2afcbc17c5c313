package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// confirmMax bounds a publish whose caller set no deadline.
	confirmMax = 5 * time.Second
	// atHeader holds when a message was published, in Unix milliseconds.
	atHeader = "at"
)

// Publish implements seckill.Publisher.
func (q *Queue) Publish(ctx context.Context, outgoing seckill.Outgoing) error {
	err := q.checkShard(outgoing.Shard)
	if err == nil {
		err = q.send(ctx, parcel{
			key: q.topology.orders(outgoing.Shard), mandatory: true,
			Publishing: amqp.Publishing{
				ContentType: "application/json", DeliveryMode: amqp.Persistent,
				Headers: amqp.Table{atHeader: q.Clock.Now().UnixMilli()}, Body: outgoing.Body,
			},
		})
	}
	if err != nil {
		return fmt.Errorf("publish batch %s: %w", outgoing.Batch, err)
	}
	return nil
}

// send publishes one message on the next lane that can and awaits its confirm.
func (q *Queue) send(ctx context.Context, p parcel) error {
	ctx, cancel := context.WithTimeout(ctx, confirmMax)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", seckill.ErrUnavailable, err)
	}
	chosen, err := q.pick()
	if err != nil {
		return err
	}
	// Unique, even for a batch that two callers publish at once: a returned message is recognised by it.
	p.MessageId = fmt.Sprintf("%s.%d", q.namespace, q.names.Add(1))
	err = chosen.publish(ctx, p)
	if errors.Is(err, errUnroutable) {
		q.Log.Error("rabbitmq has lost a queue; what is published to it is refused until it is declared again",
			"exchange", p.exchange, "queue", p.key)
		q.repair()
	}
	return err
}

// pick takes the lanes in turn, those with room first. A broker that blocks one connection blocks them all, but tells
// each only when it publishes.
func (q *Queue) pick() (*lane, error) {
	var free, full *lane
	var failure error
	first := q.turn.Add(1)
	for try := range uint64(len(q.lanes)) {
		live, err := q.lanes[(first+try)%uint64(len(q.lanes))].live()
		switch {
		case err != nil:
			failure = err
		case live.blocked.Load():
			return nil, fmt.Errorf("%w: rabbitmq blocks publishers", seckill.ErrUnavailable)
		case live.own.isOver():
			failure = errGone
		case live.own.isFull():
			full = live.own
		case free == nil:
			free = live.own
		}
	}
	switch {
	case free != nil:
		return free, nil
	case full != nil:
		return full, nil // its caller waits for a slot
	default:
		return nil, failure
	}
}

// repair declares the topology again in the background, one at a time.
func (q *Queue) repair() {
	if !q.repairing.CompareAndSwap(false, true) {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isClosed {
		return
	}
	q.working.Go(func() {
		defer q.repairing.Store(false)
		live, err := q.watch.live()
		if err == nil {
			err = q.topology.declare(live.conn.Connection)
		}
		if err != nil {
			q.Log.Error("rabbitmq's queues could not be declared again", "error", err)
			return
		}
		q.Log.Info("rabbitmq's queues are declared again")
	})
}
