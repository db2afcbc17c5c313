package sim

import (
	"context"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
)

// stocksPort is seckill.Stocks, Returns and Adjustments as a process reaches them.
type stocksPort struct {
	ledger.Stocks

	p *process
}

// Create implements its port.
func (x stocksPort) Create(ctx context.Context, item seckill.Item, gate time.Duration) error {
	if x.p.skips(preloadLeft, keeperRole) {
		return errSkipped
	}
	return tell(ctx, x.p, stocksCreate, about{item: item.ID}, func(ctx context.Context) error {
		return x.Stocks.Create(ctx, item, gate)
	})
}

// Get implements its port.
func (x stocksPort) Get(ctx context.Context, item seckill.ID) (seckill.Stock, error) {
	return ask(ctx, x.p, stocksGet, about{item: item}, func(ctx context.Context) (seckill.Stock, error) {
		stock, err := x.Stocks.Get(ctx, item)
		if x.p.skips(owedForEver, keeperRole) && stock.State == seckill.StockClosed {
			stock.State = seckill.StockSealing
		}
		return stock, err
	})
}

// RaiseHigh implements its port.
func (x stocksPort) RaiseHigh(ctx context.Context, item seckill.ID, epoch, sold int64) error {
	if x.p.skips(highKept) {
		return nil
	}
	return tell(ctx, x.p, stocksRaiseHigh, about{item: item, says: []any{epoch, sold}}, func(ctx context.Context) error {
		return x.Stocks.RaiseHigh(ctx, item, epoch, sold)
	})
}

// Seal implements its port.
func (x stocksPort) Seal(ctx context.Context, request seckill.SealRequest) (bool, error) {
	if x.p.skips(noLoss, keeperRole) && !request.Final {
		return false, nil
	}
	request.PastClose = request.PastClose || x.p.skips(closeAtOnce)
	if x.p.skips(buyersEarly) {
		x.p.keepBuyers(ctx, request.Item)
	}
	return ask(ctx, x.p, stocksSeal, about{item: request.Item, says: []any{request}}, func(ctx context.Context) (bool, error) {
		sealed, err := x.Stocks.Seal(ctx, request)
		if sealed && !request.Final && err == nil {
			x.p.checkLost(request.Item)
		}
		return sealed, err
	})
}

// Progress implements its port.
func (x stocksPort) Progress(ctx context.Context, item seckill.ID, epoch int64, attempt seckill.ID) (bool, error) {
	return ask(ctx, x.p, stocksProgress, about{item: item, id: attempt, says: []any{epoch}}, func(ctx context.Context) (bool, error) {
		return x.Stocks.Progress(ctx, item, epoch, attempt)
	})
}

// Open implements its port.
func (x stocksPort) Open(ctx context.Context, item seckill.ID, epoch int64, attempt seckill.ID) (bool, error) {
	opened, err := ask(ctx, x.p, stocksOpen, about{item: item, id: attempt, says: []any{epoch}}, func(ctx context.Context) (bool, error) {
		return x.Stocks.Open(ctx, item, epoch, attempt)
	})
	if err != nil && x.p.skips(openUnsure) {
		return true, nil
	}
	return opened, err
}

// Moves implements its port.
func (x stocksPort) Moves(ctx context.Context, item seckill.ID, epoch, after int64) ([]seckill.Move, error) {
	return ask(ctx, x.p, stocksMoves, about{item: item, says: []any{epoch, after}}, func(ctx context.Context) ([]seckill.Move, error) {
		return x.Stocks.Moves(ctx, item, epoch, after)
	})
}

// ReleaseDoubt implements its port.
func (x stocksPort) ReleaseDoubt(ctx context.Context, item seckill.ID) (int64, error) {
	return ask(ctx, x.p, stocksReleaseDoubt, about{item: item}, func(ctx context.Context) (int64, error) {
		return x.Stocks.ReleaseDoubt(ctx, item)
	})
}

// RaiseCeiling implements its port.
func (x stocksPort) RaiseCeiling(ctx context.Context, item seckill.ID, limit int64) error {
	return tell(ctx, x.p, stocksRaiseCeiling, about{item: item, says: []any{limit}}, func(ctx context.Context) error {
		return x.Stocks.RaiseCeiling(ctx, item, limit)
	})
}

// Halt implements its port.
func (x stocksPort) Halt(ctx context.Context, item seckill.ID, reason string) error {
	return tell(ctx, x.p, stocksHalt, about{item: item, says: []any{reason}}, func(ctx context.Context) error {
		return x.Stocks.Halt(ctx, item, reason)
	})
}

// Adjust implements its port.
func (x stocksPort) Adjust(ctx context.Context, adjustment seckill.Adjustment) (seckill.Adjusted, error) {
	return ask(ctx, x.p, stocksAdjust, about{item: adjustment.Item, says: []any{adjustment}}, func(ctx context.Context) (seckill.Adjusted, error) {
		return x.Stocks.Adjust(ctx, adjustment)
	})
}

// Return implements its port.
func (x stocksPort) Return(ctx context.Context, item seckill.ID, returns []seckill.Return) (int64, error) {
	if x.p.skips(returnEarly) {
		units, _ := ask(ctx, x.p, stocksReturn, about{item: item, says: []any{returns}}, func(ctx context.Context) (int64, error) {
			return x.Stocks.Return(ctx, item, returns)
		})
		return units, nil
	}
	return ask(ctx, x.p, stocksReturn, about{item: item, says: []any{returns}}, func(ctx context.Context) (int64, error) {
		return x.Stocks.Return(ctx, item, returns)
	})
}

// LentAgain implements its port.
func (x stocksPort) LentAgain(ctx context.Context, item seckill.ID, epoch, issue int64, limit int) ([]seckill.ID, error) {
	return ask(ctx, x.p, stocksLentAgain, about{item: item}, func(ctx context.Context) ([]seckill.ID, error) {
		return x.Stocks.LentAgain(ctx, item, epoch, issue, limit)
	})
}

// List implements seckill.Stocks.
func (x stocksPort) List(ctx context.Context, shard int, states ...seckill.StockState) ([]seckill.Stock, error) {
	return ask(ctx, x.p, stocksList, about{shard: shard}, func(ctx context.Context) ([]seckill.Stock, error) {
		stocks, err := x.Stocks.List(ctx, shard, states...)
		for i := range stocks {
			if x.p.skips(doubtForgets) {
				stocks[i].SealedAt = time.Time{}
			}
		}
		return stocks, err
	})
}

// rebuilt is the answer of Rebuild, issued that of Issue.
type rebuilt struct {
	stock seckill.Stock
	done  bool
}

type issued struct {
	move seckill.Move
	done bool
}

// Rebuild implements seckill.Stocks.
func (x stocksPort) Rebuild(ctx context.Context, rebuild seckill.Rebuild) (seckill.Stock, bool, error) {
	a := about{item: rebuild.Item, id: rebuild.NextAttempt, says: []any{rebuild}}
	answer, err := ask(ctx, x.p, stocksRebuild, a, func(ctx context.Context) (r rebuilt, err error) {
		r.stock, r.done, err = x.Stocks.Rebuild(ctx, rebuild)
		return r, err
	})
	return answer.stock, answer.done, err
}

// Issue implements seckill.Stocks.
func (x stocksPort) Issue(ctx context.Context, item seckill.ID) (seckill.Move, bool, error) {
	answer, err := ask(ctx, x.p, stocksIssue, about{item: item}, func(ctx context.Context) (i issued, err error) {
		i.move, i.done, err = x.Stocks.Issue(ctx, item)
		return i, err
	})
	return answer.move, answer.done, err
}
