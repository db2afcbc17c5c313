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
	items, listing := i.ports.openItems(ctx)
	states, reading := i.ports.statesOf(ctx, items)
	return errors.Join(listing, reading, i.ports.eachStock(ctx, func(ctx context.Context, stock seckill.Stock) error {
		state, answered := states[stock.Item]
		if !answered {
			return nil
		}
		return i.issue(ctx, stock, state)
	}, seckill.StockOpen))
}

func (i *Issue) issue(ctx context.Context, stock seckill.Stock, redis seckill.LentState) error {
	if stock.Pool > 0 && stock.Halted == "" {
		move, _, err := i.ports.Stocks.Issue(ctx, stock.Item)
		if err != nil {
			return fmt.Errorf("issue pool: %w", err)
		}
		stock.Issue = max(stock.Issue, move.Issue)
	}
	if !redis.Known || redis.Epoch != stock.Epoch || redis.Issue >= stock.Issue {
		return nil
	}
	return i.ports.sendIssues(ctx, stock.Item, stock.Epoch, redis.Issue)
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
