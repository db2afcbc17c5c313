package guard

import (
	"context"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Provider guards a payment provider, one breaker for each of its calls: a refund that it will never make must not keep
// shoppers from paying.
type Provider struct {
	next                seckill.Provider
	open, shut, refunds *Breaker
}

var _ seckill.Provider = Provider{}

// NewProvider returns next behind breakers of these bounds.
func NewProvider(next seckill.Provider, options Options) Provider {
	breaker := func(call string) *Breaker { return NewBreaker("payment provider "+next.Name()+", "+call, options) }
	return Provider{next: next, open: breaker("open"), shut: breaker("close"), refunds: breaker("refund")}
}

// Name implements seckill.Provider.
func (p Provider) Name() string { return p.next.Name() }

// Lives implements seckill.Provider. It asks nobody.
func (p Provider) Lives() time.Duration { return p.next.Lives() }

// Open implements seckill.Provider.
func (p Provider) Open(ctx context.Context, payment seckill.Payment, title string) (session, url string, err error) {
	err = run(ctx, p.open, func(ctx context.Context) (err error) {
		session, url, err = p.next.Open(ctx, payment, title)
		return err
	})
	return session, url, err
}

// Close implements seckill.Provider.
func (p Provider) Close(ctx context.Context, payment seckill.Payment) ([]seckill.Charge, error) {
	return call(ctx, p.shut, func(ctx context.Context) ([]seckill.Charge, error) { return p.next.Close(ctx, payment) })
}

// Refund implements seckill.Provider.
func (p Provider) Refund(ctx context.Context, refund seckill.Refund) error {
	return run(ctx, p.refunds, func(ctx context.Context) error { return p.next.Refund(ctx, refund) })
}

// Read implements seckill.Provider. It asks nobody.
func (p Provider) Read(notice seckill.Notice) ([]seckill.Charge, error) { return p.next.Read(notice) }
