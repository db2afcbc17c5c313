package audit

import (
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// The moves are written once and never changed, in the transactions that move units. What the stock row says of pool,
// lent and doubt follows from them and from the claims.

func allotment(_ entry, f seckill.StockFacts) string {
	return differ("allotted", f.Stock.Allotted, "the adjust moves add up to", f.AdjustUnits)
}

func issueNumber(_ entry, f seckill.StockFacts) string {
	return differ("issue", f.Stock.Issue, "the last issue move is", f.LastIssue)
}

// issueMissing: numbers are given one after the other and never again.
func issueMissing(_ entry, f seckill.StockFacts) string {
	return differ("the number of issue moves", f.Issues, "the last one is", f.LastIssue)
}

// issueEpoch relies on every epoch beginning with an issue, and on closing being the step to an epoch that has none.
func issueEpoch(_ entry, f seckill.StockFacts) string {
	should := f.LastIssueEpoch
	switch f.Stock.State {
	case seckill.StockNew:
		should = 0
	case seckill.StockClosed:
		should++
	default:
	}
	return differ("epoch", f.Stock.Epoch, fmt.Sprintf("by the last issue move of a %s item it is", f.Stock.State), should)
}

// lent is what was issued in this epoch and is not accounted for: settling takes every unit it accounts out of lent.
func lent(_ entry, f seckill.StockFacts) string {
	return differ("lent", f.Stock.Lent, fmt.Sprintf("%d were issued in epoch %d and %d are accounted for, which leaves",
		f.EpochIssued, f.Stock.Epoch, f.Stock.Accounted), leftOf(f))
}

func leftOf(f seckill.StockFacts) int64 { return max(0, f.EpochIssued-f.Stock.Accounted) }

// lentExceeded means that Redis has promised a unit twice. SQL has refused to sell it twice; somebody should look at Redis.
func lentExceeded(_ entry, f seckill.StockFacts) string {
	if f.Stock.Accounted <= f.EpochIssued {
		return ""
	}
	return fmt.Sprintf("%d units of epoch %d are accounted for, but only %d were issued", f.Stock.Accounted, f.Stock.Epoch, f.EpochIssued)
}

// doubt follows from the moves up to what came late, after its epoch was sealed. When an epoch ends, what was issued in it
// and is neither sealed nor put in doubt was accounted for; what its claims have beyond that came late. Only late
// reservations take units out of doubt without a move.
func doubt(_ entry, f seckill.StockFacts) string {
	kept, onTime, late := keptInDoubt(f)
	switch {
	case late < 0:
		return fmt.Sprintf("the claims of ended epochs add up to %d, but %d were accounted for when these were sealed",
			f.ClaimUnits-f.EpochUnits, onTime)
	case f.Stock.Doubt > kept || f.Stock.Doubt < kept-late:
		return fmt.Sprintf("doubt is %d, but the moves leave %d there, of which %d may have been settled", f.Stock.Doubt, kept, late)
	default:
		return ""
	}
}

// keptInDoubt is what the moves leave in doubt, what the ended epochs accounted for, and what their claims have beyond that.
func keptInDoubt(f seckill.StockFacts) (kept, onTime, late int64) {
	kept = f.Moved[seckill.MoveDoubt] - f.Moved[seckill.MoveSettle]
	endedIssued := f.Moved[seckill.MoveIssue] - f.EpochIssued
	onTime = endedIssued - f.Moved[seckill.MoveDoubt] - f.Moved[seckill.MoveSeal]
	return kept, onTime, f.ClaimUnits - f.EpochUnits - onTime
}

func returned(_ entry, f seckill.StockFacts) string {
	return differ("the sum of the return moves", f.Moved[seckill.MoveReturn], "the returned claims add up to", f.ReturnedUnits)
}
