package sim

import (
	"context"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
)

// eventsPort is seckill.Events as a process reaches it.
type eventsPort struct {
	ledger.Events

	p *process
}

// Spread implements seckill.Events.
func (x eventsPort) Spread(ctx context.Context, shard int, endpoints []string, limit int) (int, error) {
	return ask(ctx, x.p, eventsSpread, about{shard: shard}, func(ctx context.Context) (int, error) {
		return x.Events.Spread(ctx, shard, endpoints, limit)
	})
}

// Due implements seckill.Events.
func (x eventsPort) Due(ctx context.Context, shard int, endpoint string, limit int) ([]seckill.Dispatch, error) {
	return ask(ctx, x.p, eventsDue, about{shard: shard}, func(ctx context.Context) ([]seckill.Dispatch, error) {
		return x.Events.Due(ctx, shard, endpoint, limit)
	})
}

// Renew implements seckill.Events.
func (x eventsPort) Renew(ctx context.Context, shard int, endpoint string, events []seckill.ID) error {
	return tell(ctx, x.p, eventsRenew, about{shard: shard}, func(ctx context.Context) error {
		return x.Events.Renew(ctx, shard, endpoint, events)
	})
}

// Told implements seckill.Events.
func (x eventsPort) Told(ctx context.Context, shard int, endpoint string, events []seckill.ID) error {
	return tell(ctx, x.p, eventsTold, about{shard: shard, says: []any{events}}, func(ctx context.Context) error {
		return x.Events.Told(ctx, shard, endpoint, events)
	})
}

// Retire implements seckill.Events.
func (x eventsPort) Retire(ctx context.Context, shard int, endpoints []string, limit int) (int, error) {
	return ask(ctx, x.p, eventsRetire, about{shard: shard}, func(ctx context.Context) (int, error) {
		return x.Events.Retire(ctx, shard, endpoints, limit)
	})
}

// Failed implements seckill.Events.
func (x eventsPort) Failed(ctx context.Context, shard int, endpoint string, setbacks []seckill.Setback) error {
	setbacks = slices.Clone(setbacks)
	for i := range setbacks {
		setbacks[i].Wait = steady(setbacks[i].Wait)
	}
	return tell(ctx, x.p, eventsFailed, about{shard: shard, says: []any{setbacks}}, func(ctx context.Context) error {
		return x.Events.Failed(ctx, shard, endpoint, setbacks)
	})
}
