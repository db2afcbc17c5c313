package broker

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Available implements seckill.Publisher.
func (b *Broker) Available(shard int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	q, err := b.open(shard)
	if err == nil && q.overdue {
		return fmt.Errorf("%w: the queue does not confirm what it was sent", seckill.ErrUnavailable)
	}
	return err
}

// open finds a queue that takes messages.
func (b *Broker) open(shard int) (*queue, error) {
	q, err := b.queue(shard)
	if err == nil && b.blocked {
		return nil, fmt.Errorf("%w: the broker blocks publishers", seckill.ErrUnavailable)
	}
	return q, err
}

// Publish implements seckill.Publisher. A queue without a leader takes the message and confirms nothing: it is held, and
// may arrive later.
func (b *Broker) Publish(ctx context.Context, outgoing seckill.Outgoing) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.publish(ctx, outgoing); err != nil {
		return fmt.Errorf("publish batch %s: %w", outgoing.Batch, err)
	}
	return nil
}

func (b *Broker) publish(ctx context.Context, outgoing seckill.Outgoing) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", seckill.ErrUnavailable, err)
	}
	q, err := b.open(outgoing.Shard)
	if err != nil {
		return err
	}
	if b.Mistakes.Unroutable {
		return nil
	}
	m := b.add(q, outgoing)
	if q.leaderless {
		m.held, m.unconfirmed, q.overdue = true, true, true
		return errors.New("no confirm in time")
	}
	b.handOut(q)
	return nil
}

func (b *Broker) add(q *queue, outgoing seckill.Outgoing) *message {
	outgoing.Body = bytes.Clone(outgoing.Body)
	m := &message{Outgoing: outgoing, name: fmt.Sprintf("m%d", b.next()), at: b.clock.Now()}
	q.messages = append(q.messages, m)
	return m
}
