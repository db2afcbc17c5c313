package audit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// openItems are a round through each item that is not closed.
func (w *Watch) openItems(ctx context.Context) ([]round, error) {
	items, err := w.notClosed(ctx)
	return w.rounds(items), err
}

// everythingElse is what is not by item, and the items of sales that are over. Whatever is called neither open nor closed is
// among these: nobody else would look at it.
func (w *Watch) everythingElse(ctx context.Context) ([]round, error) {
	others, err := w.notClosed(ctx)
	if err != nil {
		return nil, err
	}
	items, err := w.ports.Books.StockItems(ctx, w.shard)
	if err != nil {
		return nil, fmt.Errorf("list items: %w", err)
	}
	items = slices.DeleteFunc(items, func(item seckill.ID) bool {
		_, open := slices.BinarySearch(others, item)
		return open
	})
	return append([]round{&orderRound{w, ""}, &owedRound{w, 0}, &eventRound{w, 0}, &moveRound{w, ""}}, w.rounds(items)...), nil
}

func (w *Watch) notClosed(ctx context.Context) ([]seckill.ID, error) {
	stocks, err := w.ports.Stocks.List(ctx, w.shard,
		seckill.StockNew, seckill.StockLoading, seckill.StockOpen, seckill.StockSealing)
	if err != nil {
		return nil, fmt.Errorf("list stock: %w", err)
	}
	items := make([]seckill.ID, len(stocks))
	for i, stock := range stocks {
		items[i] = stock.Item
	}
	slices.Sort(items)
	return items, nil
}

func (w *Watch) rounds(items []seckill.ID) []round {
	rounds := make([]round, len(items))
	for i, item := range items {
		rounds[i] = &itemRound{watch: w, item: item}
	}
	return rounds
}

// orderRound goes through the shard's orders, with their money and their claims.
type orderRound struct {
	watch  *Watch
	cursor string
}

func (o *orderRound) name() string { return "orders" }

func (o *orderRound) next(ctx context.Context, r *run) (rows int, last bool, err error) {
	o.cursor, err = r.readOrderPage(ctx, o.watch.shard, nil, o.cursor)
	return int(r.checked.Orders), o.cursor == "", err
}

// owedRound goes through the shard's outbox, with its claims and orders.
type owedRound struct {
	watch *Watch
	after seckill.ID
}

func (o *owedRound) name() string { return "outbox" }

func (o *owedRound) next(ctx context.Context, r *run) (rows int, last bool, err error) {
	after, more, err := r.readOwedPage(ctx, o.watch.shard, o.after)
	o.after = after
	return pageSize, !more, err
}

// eventRound goes through what the shop is still to be told of.
type eventRound struct {
	watch *Watch
	after seckill.ID
}

func (e *eventRound) name() string { return "events" }

func (e *eventRound) next(ctx context.Context, r *run) (rows int, last bool, err error) {
	after, more, err := r.readEventPage(ctx, e.watch.shard, e.after, make(map[string]untold))
	e.after = after
	return pageSize, !more, err
}

// moveRound goes through the shard's moves, whatever they are called, and the claims of returns.
type moveRound struct {
	watch *Watch
	after string
}

func (m *moveRound) name() string { return "moves" }

func (m *moveRound) next(ctx context.Context, r *run) (rows int, last bool, err error) {
	after := m.after
	err = r.confirm(ctx, func(ctx context.Context) ([]Finding, error) {
		page, err := m.watch.ports.Books.MovesBetween(ctx, m.watch.shard, after, idsEnd, turnRows)
		if err != nil {
			return nil, fmt.Errorf("read moves: %w", err)
		}
		if rows = len(page); rows > 0 {
			m.after = page[rows-1].ID
		}
		return m.judge(ctx, r, page)
	})
	return rows, rows < turnRows, err
}

// judge reads the stock rows of moves after them; what has none is an orphan, which a whole audit names.
func (m *moveRound) judge(ctx context.Context, r *run, page []seckill.Move) ([]Finding, error) {
	byItem := make(map[seckill.ID][]seckill.Move)
	for _, move := range page {
		byItem[move.Item] = append(byItem[move.Item], move)
	}
	var findings []Finding
	for _, item := range slices.Sorted(maps.Keys(byItem)) {
		moves := byItem[item]
		stock, err := m.watch.ports.Stocks.Get(ctx, item)
		if errors.Is(err, seckill.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read stock of item %s: %w", item, err)
		}
		for _, move := range moves {
			findings = append(findings, judgeMove(moved{move, stock})...)
		}
		returns, err := r.judgeReturns(ctx, item, moves)
		if err != nil {
			return nil, err
		}
		findings = append(findings, returns...)
	}
	return findings, nil
}
