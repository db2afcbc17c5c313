package keeper

import "context"

const expireBatch = 500

// Expire cancels the orders whose deadline has passed. A payment that arrives at the same moment and locks the order first
// has paid it.
type Expire struct{ ports Ports }

// NewExpire returns the job.
func NewExpire(ports Ports) *Expire { return &Expire{ports} }

// RunOnce cancels what is overdue on every shard.
func (e *Expire) RunOnce(ctx context.Context) error {
	return e.ports.eachShard(ctx, "overdue orders", e.expireShard)
}

func (e *Expire) expireShard(ctx context.Context, shard int) error {
	for {
		cancelled, err := e.ports.Payments.CancelOverdue(ctx, shard, expireBatch)
		if cancelled > 0 {
			e.ports.Log.Info("orders were not paid in time and are cancelled", "shard", shard, "orders", cancelled)
		}
		if err != nil || cancelled < expireBatch {
			return err
		}
	}
}
