package guard

import (
	"context"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Letters guards the dead letters. One breaker: whoever reads them reads those of all shards, on a connection of his own.
type Letters struct {
	next    seckill.DeadLetterDesk
	breaker *Breaker
}

var _ seckill.DeadLetterDesk = Letters{}

// NewLetters returns next behind the breaker.
func NewLetters(next seckill.DeadLetterDesk, breaker *Breaker) Letters { return Letters{next, breaker} }

// List implements seckill.DeadLetters.
func (l Letters) List(ctx context.Context, after seckill.ID, limit int) ([]seckill.DeadLetter, error) {
	return call(ctx, l.breaker, func(ctx context.Context) ([]seckill.DeadLetter, error) { return l.next.List(ctx, after, limit) })
}

// Letter implements seckill.DeadLetterDesk.
func (l Letters) Letter(ctx context.Context, id seckill.ID) (seckill.DeadLetter, error) {
	return call(ctx, l.breaker, func(ctx context.Context) (seckill.DeadLetter, error) { return l.next.Letter(ctx, id) })
}

// Replay implements seckill.DeadLetterDesk.
func (l Letters) Replay(ctx context.Context, id seckill.ID) error {
	return run(ctx, l.breaker, func(ctx context.Context) error { return l.next.Replay(ctx, id) })
}

// Discard implements seckill.DeadLetterDesk.
func (l Letters) Discard(ctx context.Context, id seckill.ID) error {
	return run(ctx, l.breaker, func(ctx context.Context) error { return l.next.Discard(ctx, id) })
}
