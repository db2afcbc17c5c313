package guard

import (
	"context"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Publisher guards the queue, one breaker for each home shard.
type Publisher struct {
	next     seckill.Publisher
	breakers []*Breaker
}

var _ seckill.Publisher = Publisher{}

// NewPublisher returns next behind the breakers, which are numbered as shards are.
func NewPublisher(next seckill.Publisher, breakers []*Breaker) Publisher {
	return Publisher{next, breakers}
}

// Publish implements seckill.Publisher.
func (p Publisher) Publish(ctx context.Context, message seckill.Outgoing) error {
	return run(ctx, p.breakers[message.Shard], func(ctx context.Context) error { return p.next.Publish(ctx, message) })
}

// Available implements seckill.Publisher.
func (p Publisher) Available(shard int) error {
	if err := p.breakers[shard].resting(); err != nil {
		return err
	}
	return p.next.Available(shard)
}
