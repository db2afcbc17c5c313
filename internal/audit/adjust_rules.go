package audit

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	nameAllotment = "allotment"
	nameOwed      = "owed:"
)

// adjustment is the kind of change that an adjust or owe move belongs to.
type adjustment int

const (
	otherChange adjustment = iota
	// firstAllotment is how an item begins.
	firstAllotment
	// byOperator is named after an op; its owe move says what the pool lacked.
	byOperator
	// byRebuild takes what is owed from the pool that an epoch begins with; its owe move says how much that was.
	byRebuild
)

// adjustName is what a move is called within its item.
func adjustName(m seckill.Move) string {
	return strings.TrimPrefix(m.ID, fmt.Sprintf("%s:%s:", m.Kind, m.Item))
}

func adjustmentOf(m seckill.Move) adjustment {
	if m.Kind != seckill.MoveAdjust && m.Kind != seckill.MoveOwe {
		return otherChange
	}
	name := adjustName(m)
	switch {
	case name == nameAllotment:
		return firstAllotment
	case strings.HasPrefix(name, nameOwed):
		return byRebuild
	default:
		return byOperator
	}
}

// adjustID is what an adjust or owe move should be called.
func adjustID(m seckill.Move) string {
	name := adjustName(m)
	switch adjustmentOf(m) {
	case firstAllotment:
		if m.Kind == seckill.MoveOwe {
			name = "<op>"
		}
	case byRebuild:
		name = nameOwed + strconv.FormatInt(m.Epoch, 10)
	default:
		if (seckill.Adjustment{Op: name, Delta: 1}).Validate() != nil {
			name = "<op>"
		}
	}
	return fmt.Sprintf("%s:%s:%s", m.Kind, m.Item, name)
}

// adjustUnits says whether an adjust or owe move may be of so many units. An operator's may be of none, if all is owed.
func adjustUnits(m seckill.Move) bool {
	owes := m.Kind == seckill.MoveOwe
	switch adjustmentOf(m) {
	case firstAllotment:
		return m.Units >= 0
	case byRebuild:
		return m.Units < 0
	default:
		return !owes || m.Units > 0
	}
}

// adjusted are the moves of one change, by its name; nil where there is none.
type adjusted struct{ adjust, owe *seckill.Move }

func (l *ledger) addAdjust(m seckill.Move) {
	name := adjustName(m)
	change := l.changes[name]
	if m.Kind == seckill.MoveOwe {
		change.owe = &m
	} else {
		change.adjust = &m
	}
	l.changes[name] = change
	e := l.at(m.Epoch)
	switch by := adjustmentOf(m); {
	case by == byOperator && m.Kind == seckill.MoveOwe:
		e.owed += m.Units
	case by == byRebuild && m.Kind == seckill.MoveOwe:
		e.settled -= m.Units
	case by == byRebuild:
		e.paid -= m.Units
	default:
	}
}

// judgeAllotment: every item begins with what the catalog says, whatever operators add or take later.
func (l *ledger) judgeAllotment() []Finding {
	first := l.changes[nameAllotment].adjust
	if first == nil {
		return []Finding{l.missing(nameAllotment, "the item has a row, but was never given any units")}
	}
	if !l.entry.known {
		return nil
	}
	if detail := differ("the first allotment", first.Units, "the catalog's is", l.entry.item.Allotment); detail != "" {
		return []Finding{stockFinding("allotment_catalog", l.stock.Item, detail)}
	}
	return nil
}

// judgeAdjusts holds the two moves of each change against each other.
func (l *ledger) judgeAdjusts() []Finding {
	var findings []Finding
	for _, name := range slices.Sorted(maps.Keys(l.changes)) {
		switch change := l.changes[name]; {
		case change.adjust == nil && !strings.HasPrefix(name, nameOwed):
			findings = append(findings, l.missing(name, fmt.Sprintf("%d units are owed to an adjustment that there is not", change.owe.Units)))
		case change.owe == nil && strings.HasPrefix(name, nameOwed):
			findings = append(findings, moveFinding("move_units", *change.adjust, "units were taken that nobody was owed"))
		case change.owe == nil && change.adjust.Units == 0 && name != nameAllotment:
			findings = append(findings, moveFinding("move_units", *change.adjust, "it is of no units, and none are owed"))
		case change.owe != nil && change.adjust != nil && change.adjust.Units > 0:
			findings = append(findings, moveFinding("move_units", *change.adjust,
				fmt.Sprintf("%d units were added, but %d are owed", change.adjust.Units, change.owe.Units)))
		}
	}
	return findings
}

func (l *ledger) missing(name, detail string) Finding {
	return moveFinding("move_missing", seckill.Move{Item: l.stock.Item, ID: fmt.Sprintf("%s:%s:%s", seckill.MoveAdjust, l.stock.Item, name)}, detail)
}

// judgeOwed: what operators are owed in an epoch is settled by the step to the next one, and paid as far as the pool goes
// that the next one began with.
func (l *ledger) judgeOwed(number int64, e, next *epoch) []Finding {
	if number >= l.stock.Epoch {
		return nil // the stock row says what is owed now
	}
	var findings []Finding
	owed := l.owedMove(seckill.MoveOwe, number+1, next)
	if detail := differ("the units settled", next.settled, fmt.Sprintf("in epoch %d there were owed", number), e.owed); detail != "" {
		findings = append(findings, moveFinding("move_owed", owed, detail))
	}
	switch left := next.first.Units; {
	case next.paid > next.settled:
		findings = append(findings, moveFinding("move_owed", l.owedMove(seckill.MoveAdjust, number+1, next),
			fmt.Sprintf("%d units were taken, but only %d were owed", next.paid, next.settled)))
	case next.paid < next.settled && left > 0:
		findings = append(findings, moveFinding("move_owed", owed,
			fmt.Sprintf("%d units were owed and %d taken, but epoch %d began with %d", next.settled, next.paid, number+1, left)))
	}
	return findings
}

// owedMove names a move of a Rebuild, which may not exist.
func (l *ledger) owedMove(kind seckill.MoveKind, number int64, e *epoch) seckill.Move {
	return seckill.Move{
		ID: fmt.Sprintf("%s:%s:%s%d", kind, l.stock.Item, nameOwed, number), Item: l.stock.Item, Kind: kind, Epoch: number, Units: e.settled,
	}
}
