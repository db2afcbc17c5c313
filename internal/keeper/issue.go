package keeper

import (
	"context"
	"errors"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Issue lends what has come back to the pool, and brings Redis the issues it has not heard of.
type Issue struct{ ports Ports }

// NewIssue returns the job.
func NewIssue(ports Ports) *Issue { return &Issue{ports} }

// RunOnce issues for every open item; on a closed one nothing may be lent (trap 33).
func (i *Issue) RunOnce(ctx context.Context) error {
	return i.ports.eachStock(ctx, i.issue, seckill.StockOpen)
}

func (i *Issue) issue(ctx context.Context, stock seckill.Stock) error {
	if stock.Pool > 0 && stock.Halted == "" {
		if _, _, err := i.ports.Stocks.Issue(ctx, stock.Item); err != nil {
			return fmt.Errorf("issue pool: %w", err)
		}
	}
	states, err := i.ports.Lent.States(ctx, []seckill.ID{stock.Item})
	if err != nil {
		return fmt.Errorf("read item in redis: %w", err)
	}
	if !states[0].Known || states[0].Epoch != stock.Epoch {
		return nil
	}
	return i.ports.sendIssues(ctx, stock.Item, stock.Epoch, states[0].Issue)
}

// sendIssues sends every issue of the epoch above the number Redis has, in order. Sending one twice is a no-op.
func (p Ports) sendIssues(ctx context.Context, item seckill.ID, epoch, after int64) error {
	moves, err := p.Stocks.Moves(ctx, item, epoch, after)
	if err != nil {
		return fmt.Errorf("read issues: %w", err)
	}
	for _, move := range moves {
		err := p.Lent.Issue(ctx, move)
		if errors.Is(err, seckill.ErrNotLive) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("send issue %d: %w", move.Issue, err)
		}
		p.Log.Info("issued", "item", item, "epoch", epoch, "issue", move.Issue, "units", move.Units)
	}
	return nil
}
