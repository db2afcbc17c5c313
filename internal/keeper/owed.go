package keeper

import (
	"context"
	"errors"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// owedBatch is how many entries are applied before it is noted that they were: what a run whose time is over has not noted is
// done again by the next one. On a machine with too much to do that was all of it, again and again.
const owedBatch = 64

// Owed applies the buyers' entries that settling owes to Redis. An entry stays owed until it was applied at an open epoch
// that is at least the one seen when it was written (trap 12); on a closed item it is done (trap 33).
type Owed struct{ ports Ports }

// NewOwed returns the job.
func NewOwed(ports Ports) *Owed { return &Owed{ports} }

// RunOnce works through the outbox of every shard.
func (o *Owed) RunOnce(ctx context.Context) error {
	return o.ports.eachShard(ctx, "owed entries", o.applyShard)
}

func (o *Owed) applyShard(ctx context.Context, shard int) error {
	var after seckill.ID
	for {
		rows, err := o.ports.Owing.Owed(ctx, shard, seckill.OwedBuyer, after, owedBatch)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		if err := o.applyRows(ctx, shard, rows); err != nil {
			return err
		}
		if len(rows) < owedBatch {
			return nil
		}
		after = rows[len(rows)-1].ID
	}
}

func (o *Owed) applyRows(ctx context.Context, shard int, rows []seckill.Owed) error {
	closed := make(map[seckill.ID]bool)
	var done []seckill.ID
	var failure error
	for _, row := range rows {
		finished, err := o.apply(ctx, row, closed)
		if err != nil {
			failure = err
			break
		}
		if finished {
			done = append(done, row.ID)
		}
	}
	if len(done) == 0 {
		return failure
	}
	if err := o.ports.Owing.Done(ctx, shard, done); err != nil {
		failure = errors.Join(failure, fmt.Errorf("delete: %w", err))
	}
	return failure
}

func (o *Owed) apply(ctx context.Context, row seckill.Owed, closed map[seckill.ID]bool) (bool, error) {
	outcome, err := o.ports.Lent.SetBuyer(ctx, row.Item, row.Epoch, row.User, row.Entry)
	if err != nil {
		return false, fmt.Errorf("set buyer of item %s: %w", row.Item, err)
	}
	if outcome == seckill.BuyerApplied {
		return true, nil
	}
	if known, ok := closed[row.Item]; ok {
		return known, nil
	}
	stock, err := o.ports.Stocks.Get(ctx, row.Item)
	if err != nil {
		return false, fmt.Errorf("read stock of item %s: %w", row.Item, err)
	}
	closed[row.Item] = stock.State == seckill.StockClosed
	return closed[row.Item], nil
}
