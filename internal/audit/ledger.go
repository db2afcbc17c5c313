package audit

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const tableMoves = "stock_moves"

// ledger is what an item's moves say of its epochs: one step ends an epoch and begins the next, so what is sealed or put
// in doubt has its counterpart. It is small, however many issues there were.
type ledger struct {
	entry  entry
	stock  seckill.Stock
	epochs map[int64]*epoch
	// empty are the issues of no units.
	empty []seckill.Move
	// changes are the adjustments by their names.
	changes map[string]adjusted
}

// epoch is what the moves say of one.
type epoch struct {
	first, last seckill.Move // issues; no ID when there is none
	ends        []seckill.Move
	// owed is what operators were owed in it; settled and paid what the step to it made of what the last one owed.
	owed, settled, paid int64
}

// judgeMoves goes through an item's moves, which were written before the stock row is what it is, or after it was read.
func (r *run) judgeMoves(ctx context.Context, e entry, stock seckill.Stock) ([]Finding, error) {
	l := ledger{entry: e, stock: stock, epochs: make(map[int64]*epoch), changes: make(map[string]adjusted)}
	var findings []Finding
	after := ""
	for {
		page, err := r.ports.Books.MovesAfter(ctx, stock.Item, after, pageSize)
		if err != nil {
			return nil, fmt.Errorf("read moves after %q: %w", after, err)
		}
		if len(page) == 0 {
			return append(findings, l.judge()...), nil
		}
		for _, move := range page {
			findings = append(findings, judgeMove(moved{move, stock})...)
			l.add(move)
		}
		returns, err := r.judgeReturns(ctx, stock.Item, page)
		if err != nil {
			return nil, err
		}
		findings = append(findings, returns...)
		after = page[len(page)-1].ID
	}
}

func judgeMove(m moved) []Finding {
	var findings []Finding
	for _, rule := range moveRules() {
		if detail := rule.broken(m); detail != "" {
			findings = append(findings, moveFinding(rule.id, m.move, detail))
		}
	}
	return findings
}

func moveFinding(id string, m seckill.Move, detail string) Finding {
	return Finding{ID: id, Item: m.Item, Table: tableMoves, Key: m.ID, Detail: detail}
}

func (l *ledger) at(number int64) *epoch {
	e, known := l.epochs[number]
	if !known {
		e = &epoch{}
		l.epochs[number] = e
	}
	return e
}

func (l *ledger) add(m seckill.Move) {
	e := l.at(m.Epoch)
	switch m.Kind {
	case seckill.MoveIssue:
		e.issued(m)
		if m.Units == 0 {
			l.empty = append(l.empty, m)
		}
	case seckill.MoveSeal, seckill.MoveDoubt:
		e.ends = append(e.ends, m)
	case seckill.MoveAdjust, seckill.MoveOwe:
		l.addAdjust(m)
	default:
	}
}

func (e *epoch) issued(m seckill.Move) {
	if e.first.ID == "" || m.Issue < e.first.Issue {
		e.first = m
	}
	if e.last.ID == "" || m.Issue > e.last.Issue {
		e.last = m
	}
}

func (l *ledger) judge() []Finding {
	var findings []Finding
	for _, m := range l.empty {
		if first := l.epochs[m.Epoch].first; first.ID != m.ID {
			findings = append(findings, moveFinding("move_units", m,
				fmt.Sprintf("it is of no units, but epoch %d began with issue %d", m.Epoch, first.Issue)))
		}
	}
	for _, number := range slices.Sorted(maps.Keys(l.epochs)) {
		e := l.epochs[number]
		next := l.epochs[number+1]
		if next == nil {
			next = &epoch{}
		}
		if e.last.ID != "" && next.first.ID != "" && e.last.Issue > next.first.Issue {
			findings = append(findings, moveFinding("move_epoch", e.last,
				fmt.Sprintf("it is of epoch %d, but epoch %d began with issue %d", number, number+1, next.first.Issue)))
		}
		for _, end := range e.ends {
			findings = append(findings, l.judgeEnd(end, next)...)
		}
		findings = append(findings, l.judgeOwed(number, e, next)...)
	}
	return slices.Concat(findings, l.judgeAllotment(), l.judgeAdjusts())
}

// judgeEnd compares what ended an epoch with what began the next one, in the same transaction and by the same clock: an
// issue of the whole pool, or, on closing, the last change of the item's state.
func (l *ledger) judgeEnd(end seckill.Move, next *epoch) []Finding {
	closing := l.stock.State == seckill.StockClosed && end.Epoch == l.stock.Epoch-1
	began := next.first.At
	if closing {
		began = l.stock.Since
	}
	if !end.At.Equal(began) {
		return []Finding{moveFinding("move_at", end, fmt.Sprintf("at is %d, but the next epoch began at %d", milli(end.At), milli(began)))}
	}
	if pool := next.first.Units + next.paid; end.Kind == seckill.MoveSeal && !closing && end.Units > pool {
		return []Finding{moveFinding("move_units", end,
			fmt.Sprintf("%d units were sealed, but the next epoch began with %d", end.Units, pool))}
	}
	return nil
}
