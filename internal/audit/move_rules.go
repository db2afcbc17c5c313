package audit

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// moved is one move with the stock row it belongs to.
type moved struct {
	move  seckill.Move
	stock seckill.Stock
}

type moveRule struct {
	id     string
	broken func(moved) string
}

func moveRules() []moveRule {
	return []moveRule{
		{"move_kind", moveKind},
		{"move_id", moveID},
		{"move_units", moveUnits},
		{"move_epoch", moveEpoch},
		{"move_at", moveAt},
	}
}

func isMoveKind(kind seckill.MoveKind) bool {
	switch kind {
	case seckill.MoveAdjust, seckill.MoveOwe, seckill.MoveIssue, seckill.MoveSeal, seckill.MoveDoubt, seckill.MoveSettle,
		seckill.MoveReturn:
		return true
	default:
		return false
	}
}

func moveKind(m moved) string {
	if isMoveKind(m.move.Kind) {
		return ""
	}
	return fmt.Sprintf("the kind %q does not exist", m.move.Kind)
}

// moveID: a move is named for what it does, so that it cannot be made twice; under another name it could.
func moveID(m moved) string {
	if !isMoveKind(m.move.Kind) || m.move.ID == moveName(m.move) {
		return ""
	}
	return fmt.Sprintf("it should be called %s", moveName(m.move))
}

// moveName is what a move must be called.
func moveName(m seckill.Move) string {
	name := strconv.FormatInt(m.Epoch, 10)
	switch m.Kind {
	case seckill.MoveReturn:
		return returnName(m.ID)
	case seckill.MoveAdjust, seckill.MoveOwe:
		return adjustID(m)
	case seckill.MoveIssue:
		name = strconv.FormatInt(m.Issue, 10)
	default:
	}
	return fmt.Sprintf("%s:%s:%s", m.Kind, m.Item, name)
}

// returnName: a return is called after its claim, whichever that is.
func returnName(id string) string {
	if claim, err := seckill.ParseID(strings.TrimPrefix(id, returnPrefix)); err == nil && claim != 0 {
		return returnPrefix + claim.String()
	}
	return returnPrefix + "<claim>"
}

// moveUnits knows which way units flow. Only the first issue of an epoch may be of an empty pool.
func moveUnits(m moved) string {
	possible := m.move.Units > 0
	switch m.move.Kind {
	case seckill.MoveIssue:
		possible = m.move.Units >= 0
	case seckill.MoveAdjust, seckill.MoveOwe:
		possible = adjustUnits(m.move)
	default:
	}
	if possible {
		return ""
	}
	return fmt.Sprintf("no move of kind %s in epoch %d can be of %d units", m.move.Kind, m.move.Epoch, m.move.Units)
}

// moveEpoch: an item begins before its first epoch, and may be adjusted then; an epoch is sealed by the step to the next
// one, and doubt is settled in a later one than it came from.
func moveEpoch(m moved) string {
	first, last := int64(1), m.stock.Epoch
	switch m.move.Kind {
	case seckill.MoveAdjust:
		first = 0
		if adjustmentOf(m.move) == firstAllotment {
			last = 0
		}
	case seckill.MoveSeal, seckill.MoveDoubt:
		last--
	case seckill.MoveSettle:
		first++
	default:
	}
	numbered := m.move.Kind == seckill.MoveIssue
	switch {
	case m.move.Epoch < first || m.move.Epoch > last:
		return fmt.Sprintf("epoch is %d, but the item is in epoch %d, so it must be from %d to %d", m.move.Epoch, m.stock.Epoch, first, last)
	case numbered != (m.move.Issue >= 1):
		return fmt.Sprintf("issue is %d, but the kind is %s", m.move.Issue, m.move.Kind)
	default:
		return ""
	}
}

func moveAt(m moved) string {
	if m.move.At.IsZero() || m.move.At.After(m.stock.ReadAt.Add(clockSlack)) {
		return fmt.Sprintf("at is %d, but the database's clock says %d", milli(m.move.At), milli(m.stock.ReadAt))
	}
	return ""
}
