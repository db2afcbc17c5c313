package keeper

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Issue lends what has come back to the pool, and brings Redis the issues it has not heard of.
type Issue struct{ ports Ports }

// NewIssue returns the job.
func NewIssue(ports Ports) *Issue { return &Issue{ports} }

// RunOnce issues for every open item; on a closed one nothing may be lent (trap 33).
func (i *Issue) RunOnce(ctx context.Context) error {
	// An older picture only sends what Redis has taken meanwhile once more.
	redis, looking := i.ports.look(ctx, time.Second)
	var resales []resale
	err := errors.Join(looking, i.ports.eachStock(ctx, func(ctx context.Context, stock seckill.Stock) error {
		state, answered := redis.states[stock.Item]
		if !answered {
			return nil
		}
		sent, err := i.issue(ctx, stock, state)
		resales = append(resales, sent...)
		return err
	}, seckill.StockOpen))
	i.ports.measure(ctx, resales...)
	return err
}

func (i *Issue) issue(ctx context.Context, stock seckill.Stock, redis seckill.LentState) ([]resale, error) {
	if stock.Pool > 0 && stock.Halted == "" {
		move, _, err := i.ports.Stocks.Issue(ctx, stock.Item)
		if err != nil {
			return nil, fmt.Errorf("issue pool: %w", err)
		}
		stock.Issue = max(stock.Issue, move.Issue)
	}
	if !redis.Known || redis.Epoch != stock.Epoch || redis.Issue >= stock.Issue {
		return nil, nil
	}
	return i.ports.sendIssues(ctx, stock.Item, stock.Epoch, redis.Issue)
}

// sendIssues sends every issue of the epoch above the number Redis has, in order, and returns those that it did not have by
// then. Sending one twice is a no-op.
func (p Ports) sendIssues(ctx context.Context, item seckill.ID, epoch, after int64) ([]resale, error) {
	moves, err := p.Stocks.Moves(ctx, item, epoch, after)
	if err != nil {
		return nil, fmt.Errorf("read issues: %w", err)
	}
	var resales []resale
	for _, move := range moves {
		applied, err := p.Lent.Issue(ctx, move)
		if errors.Is(err, seckill.ErrNotLive) {
			return resales, nil
		}
		if err != nil {
			return resales, fmt.Errorf("send issue %d: %w", move.Issue, err)
		}
		if applied {
			resales = append(resales, resale{item, epoch, move.Issue, p.Clock.Now()})
			p.Log.Info("issued", "item", item, "epoch", epoch, "issue", move.Issue, "units", move.Units)
		}
	}
	return resales, nil
}
