package audit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// liveMax is how many open items a turn compares with Redis, confirmsMax how many that look wrong it reads again.
	liveMax     = 250
	confirmsMax = 5
)

// liveLook holds every item that is on sale against what is cheap to read: its row, the issues of its epoch, Redis.
type liveLook struct {
	watch *Watch
	// open are the items that were open at the last turn, after the last one that was compared with Redis, issued what has
	// been read of their moves: these are only ever added to.
	open   []seckill.ID
	after  seckill.ID
	issued map[seckill.ID]issued
	number int64
}

// issued is what the issues of an epoch add up to.
type issued struct {
	epoch, last, units int64
}

// shown is what Redis shows of some items.
type shown map[seckill.ID]seckill.LentState

// look reads Redis, the rows, and Redis again. The row of an item is one moment of its units by itself.
func (l *liveLook) look(ctx context.Context) error {
	chosen := l.choose()
	before := l.redis(ctx, chosen)
	stocks, err := l.watch.ports.Stocks.List(ctx, l.watch.shard, seckill.StockLoading, seckill.StockOpen, seckill.StockSealing)
	if err != nil {
		return fmt.Errorf("list stock: %w", err)
	}
	after := l.redis(ctx, chosen)
	l.number++
	l.note(stocks)
	confirms := 0
	var failures []error
	for _, stock := range stocks {
		findings, err := l.judge(ctx, sides{before[stock.Item], after[stock.Item], stock})
		if err == nil && !l.watch.notes.knows(findings) {
			if confirms++; confirms > confirmsMax {
				continue // in the next turn
			}
			findings, err = l.confirm(ctx, stock.Item, findings)
		}
		failures = append(failures, err)
		if err == nil {
			l.watch.write(lookOf(stock.Item), l.number, findings)
			l.watch.notes.wipe(lookOf(stock.Item), l.number)
		}
	}
	return errors.Join(failures...)
}

func lookOf(item seckill.ID) string { return "live item " + item.String() }

// choose says which items are compared in this turn, those that have waited longest.
func (l *liveLook) choose() []seckill.ID {
	from, found := slices.BinarySearch(l.open, l.after)
	if found {
		from++
	}
	chosen := slices.Concat(l.open[from:], l.open[:from])
	chosen = chosen[:min(liveMax, len(chosen))]
	if len(chosen) > 0 {
		l.after = chosen[len(chosen)-1]
	}
	return chosen
}

// note keeps which items are open, and forgets what is known of those that are gone.
func (l *liveLook) note(stocks []seckill.Stock) {
	l.open = l.open[:0]
	live := make(map[seckill.ID]bool, len(stocks))
	for _, stock := range stocks {
		live[stock.Item] = true
		if stock.State == seckill.StockOpen {
			l.open = append(l.open, stock.Item)
		}
	}
	slices.Sort(l.open)
	for item := range maps.Clone(l.issued) {
		if !live[item] {
			delete(l.issued, item)
			l.watch.notes.wipe(lookOf(item), l.number+1)
		}
	}
}

// redis reads items in Redis; those that it does not show cannot be compared, and their keepers say why.
func (l *liveLook) redis(ctx context.Context, items []seckill.ID) shown {
	if l.watch.ports.Lent == nil || len(items) == 0 {
		return nil
	}
	states, _ := l.watch.ports.Lent.States(ctx, items)
	known := make(shown, len(states))
	for _, state := range states {
		known[state.Item] = state
	}
	return known
}

// judge holds one reading against the rules that need nothing else. The issues are read after the row: of those that the
// row knows none is missing, and later ones are left out.
func (l *liveLook) judge(ctx context.Context, s sides) ([]Finding, error) {
	sum, err := l.issuedBy(ctx, s.stock)
	if err != nil {
		return nil, err
	}
	facts := seckill.StockFacts{Stock: s.stock, EpochIssued: sum.units, LastIssue: sum.last}
	var findings []Finding
	for _, rule := range liveRules() {
		if detail := rule.broken(entry{}, facts); detail != "" {
			findings = append(findings, brokenBy(rule.id, s.stock.Item, facts, detail))
		}
	}
	if s.stock.State == seckill.StockOpen && s.incomparable() == "" {
		findings = append(findings, judgeRedis(entry{item: seckill.Item{ID: s.stock.Item}}, s)...)
	}
	return findings, nil
}

// liveRules are those about the row itself, and what its epoch was issued.
func liveRules() []stockRule {
	return []stockRule{
		{"conservation", conservation},
		{"negative_units", negativeUnits},
		{"high", high},
		{"issue", issueNumber},
		{"lent", lent},
		{"lent_exceeded", lentExceeded},
		{"high_exceeded", highExceeded},
		{"stock_state", stockState},
		{"gate", gateLength},
		{ruleHalted, halted},
	}
}

// issuedBy adds up the issues of the epoch up to the row's, reading only those that are new.
func (l *liveLook) issuedBy(ctx context.Context, stock seckill.Stock) (issued, error) {
	sum := l.issued[stock.Item]
	if sum.epoch != stock.Epoch || sum.last > stock.Issue {
		sum = issued{epoch: stock.Epoch}
	}
	if sum.last < stock.Issue {
		moves, err := l.watch.ports.Stocks.Moves(ctx, stock.Item, stock.Epoch, sum.last)
		if err != nil {
			return issued{}, fmt.Errorf("read issues of item %s: %w", stock.Item, err)
		}
		for _, move := range moves {
			if move.Issue <= stock.Issue {
				sum.last, sum.units = move.Issue, sum.units+move.Units
			}
		}
	}
	l.issued[stock.Item] = sum
	return sum, nil
}

// confirm reads an item that looks wrong again, twice, and returns what stays wrong.
func (l *liveLook) confirm(ctx context.Context, item seckill.ID, found []Finding) ([]Finding, error) {
	r, first := l.watch.look(), true
	err := r.confirm(ctx, func(ctx context.Context) ([]Finding, error) {
		if first {
			first = false
			return found, nil
		}
		delete(l.issued, item)
		only := []seckill.ID{item}
		before := l.redis(ctx, only)
		stock, err := l.watch.ports.Stocks.Get(ctx, item)
		if errors.Is(err, seckill.ErrNotFound) {
			return nil, nil // only by hand; the way through everything says so
		}
		if err != nil {
			return nil, err
		}
		return l.judge(ctx, sides{before[item], l.redis(ctx, only)[item], stock})
	})
	return r.findings, err
}
