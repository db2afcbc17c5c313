package sim

import (
	"context"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/broker"
)

// queuePort is the queue as a process reaches it.
type queuePort struct {
	*broker.Broker

	p *process
}

// Publish implements seckill.Publisher.
func (x queuePort) Publish(ctx context.Context, message seckill.Outgoing) error {
	a := about{shard: message.Shard, item: message.Item, id: message.Batch, says: []any{string(message.Body)}}
	if x.p.skips(noPublish, apiRole) {
		return nil
	}
	if x.p.skips(fullBuffer, apiRole) {
		if x.p.publishing > 0 {
			return nil
		}
		x.p.publishing++
		defer func() { x.p.publishing-- }()
	}
	if x.p.skips(noConfirm, apiRole) {
		_ = tell(ctx, x.p, queuePublish, a, func(ctx context.Context) error {
			err := x.Broker.Publish(ctx, message)
			if err == nil {
				x.p.book.confirmed(message)
			}
			return err
		})
		return nil
	}
	return tell(ctx, x.p, queuePublish, a, func(ctx context.Context) error {
		err := x.Broker.Publish(ctx, message)
		if err == nil {
			x.p.book.confirmed(message)
		}
		x.p.loop.arrive(&event{at: x.p.loop.now(), rank: "-6", name: int64(message.Batch), do: func() { x.p.straggle(message.Shard) }})
		return err
	})
}

// Look implements seckill.QueueWatch.
func (x queuePort) Look(ctx context.Context, shard int) (seckill.QueueState, error) {
	return ask(ctx, x.p, queueLook, about{shard: shard}, func(ctx context.Context) (seckill.QueueState, error) {
		return x.Broker.Look(ctx, shard)
	})
}

// Subscribe implements seckill.Consumer. A consumer nobody knows of, because the answer was lost or the process has died, is
// one until the broker notices.
func (x queuePort) Subscribe(ctx context.Context, shard int) (seckill.Subscription, error) {
	return ask(ctx, x.p, queueSubscribe, about{shard: shard}, func(ctx context.Context) (seckill.Subscription, error) {
		s, err := x.Broker.Subscribe(ctx, shard)
		if err != nil {
			return nil, err
		}
		x.p.subscribed(s, x.p.loop.current)
		return subscription{s, x.p, shard}, nil
	})
}

// subscription is one that a process has.
type subscription struct {
	seckill.Subscription

	p     *process
	shard int
}

// Ack implements seckill.Subscription.
func (x subscription) Ack(ctx context.Context, deliveries []seckill.Delivery) error {
	return tell(ctx, x.p, queueAck, about{shard: x.shard, says: []any{messages(deliveries)}}, func(ctx context.Context) error {
		return x.Subscription.Ack(ctx, deliveries)
	})
}

func messages(deliveries []seckill.Delivery) []string {
	names := make([]string, len(deliveries))
	for i, d := range deliveries {
		names[i] = d.Message
	}
	return names
}

// DeadLetter implements seckill.Subscription.
func (x subscription) DeadLetter(ctx context.Context, delivery seckill.Delivery, cause string) error {
	a := about{shard: x.shard, says: []any{delivery.Message, string(delivery.Body), cause}}
	return tell(ctx, x.p, queueDeadLetter, a, func(ctx context.Context) error {
		x.p.buried = true
		return x.Subscription.DeadLetter(ctx, delivery, cause)
	})
}

// Close implements seckill.Subscription. A dead process closes nothing.
func (x subscription) Close() error {
	if x.p.dead.Load() {
		return errDead
	}
	return x.Subscription.Close()
}
