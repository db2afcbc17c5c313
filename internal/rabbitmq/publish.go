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
			key: q.topology.orders(outgoing.Shard), mandatory: true, shard: outgoing.Shard, path: &q.paths[outgoing.Shard],
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
	chosen, err := q.pick(q.turn.Add(1))
	if err != nil {
		return err
	}
	p.MessageId = q.nextName()
	err = chosen.publish(ctx, p)
	if errors.Is(err, errUnroutable) {
		q.lose(p.shard, fmt.Sprintf("message %s to exchange %q, key %q: %v", p.MessageId, p.exchange, p.key, err))
	}
	return err
}

// nextName is unique, even for a batch that two callers publish at once: a returned message is recognised by it.
func (q *Queue) nextName() string { return fmt.Sprintf("%s.%d", q.namespace, q.names.Add(1)) }
