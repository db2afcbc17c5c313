package sqlstore

import (
	"context"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Seal implements seckill.Stocks.
func (s Stocks) Seal(ctx context.Context, request seckill.SealRequest) (bool, error) {
	var sealed bool
	_, _, err := s.change(ctx, request.Item, func(stock *seckill.Stock) (_ []seckill.Move, changed bool) {
		sealed, changed = sealStock(stock, request)
		return nil, changed
	})
	return sealed && err == nil, err
}

var _ seckill.Halts = Stocks{}

// Reopen implements seckill.Halts.
func (s Stocks) Reopen(ctx context.Context, item seckill.ID) (seckill.Stock, string, error) {
	var why string
	stock, _, err := s.change(ctx, item, func(stock *seckill.Stock) ([]seckill.Move, bool) {
		if why = stock.Halted; why == "" {
			return nil, false
		}
		stock.Halted = ""
		sealStock(stock, seckill.SealRequest{Item: item})
		return nil, true
	})
	if err != nil {
		return seckill.Stock{}, "", repeatable(err)
	}
	return stock, why, nil
}

// Rebuild implements seckill.Stocks.
func (s Stocks) Rebuild(ctx context.Context, rebuild seckill.Rebuild) (seckill.Stock, bool, error) {
	return s.change(ctx, rebuild.Item, func(stock *seckill.Stock) ([]seckill.Move, bool) {
		return rebuildStock(stock, rebuild)
	})
}

// Issue implements seckill.Stocks. It looks before it locks: most of the time there is nothing to lend.
func (s Stocks) Issue(ctx context.Context, item seckill.ID) (seckill.Move, bool, error) {
	var move seckill.Move
	stock, err := s.Get(ctx, item)
	if err != nil || !mayIssue(stock) {
		return move, false, err
	}
	_, issued, err := s.change(ctx, item, func(stock *seckill.Stock) ([]seckill.Move, bool) {
		if !mayIssue(*stock) {
			return nil, false
		}
		move = lendPool(stock)
		return []seckill.Move{move}, true
	})
	if err != nil || !issued {
		return seckill.Move{}, false, err
	}
	return move, true, nil
}

// ReleaseDoubt implements seckill.Stocks. It looks before it locks, as Issue does.
func (s Stocks) ReleaseDoubt(ctx context.Context, item seckill.ID) (int64, error) {
	var units int64
	stock, err := s.Get(ctx, item)
	if err != nil || !mayRelease(stock) {
		return 0, err
	}
	_, released, err := s.change(ctx, item, func(stock *seckill.Stock) ([]seckill.Move, bool) {
		if !mayRelease(*stock) {
			return nil, false
		}
		move := releaseDoubt(stock)
		units = move.Units
		return []seckill.Move{move}, true
	})
	if err != nil || !released {
		return 0, err
	}
	return units, nil
}
