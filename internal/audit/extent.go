package audit

import "github.com/seckill-dev/seckill/internal/seckill"

// extent is how far a finding goes that closes a gate, apart from what else its item does. An item that an operator has
// reopened as it is goes on selling, so the figures of such a finding change all the time; its extent does not grow by
// that, because what moves units moves them on both sides. It is 0 for every other finding.
type extent struct {
	// epoch is that of figures which the next epoch begins anew, where the same rule tells of something else; 0 for others.
	epoch int64
	// units are by how many the two figures differ. Below 0 is another thing than above.
	units int64
}

// exceeds says that this is more than what was known, or something else.
func (e extent) exceeds(known extent) bool {
	switch {
	case e.epoch != known.epoch:
		return true
	case e.units < 0:
		return e.units < min(0, known.units)
	default:
		return e.units > max(0, known.units)
	}
}

// extentOf leaves negative_units at 0: which figure is below 0 decides what sales do to it, and one that sinks is seen by the
// rule that adds it up.
func extentOf(rule string, f seckill.StockFacts) extent {
	s := f.Stock
	switch rule {
	case "conservation":
		return extent{units: s.Pool + s.Lent + s.Doubt + s.Claimed - s.Allotted}
	case "claimed":
		return extent{units: s.Claimed - f.HeldUnits}
	case "allotment":
		return extent{units: s.Allotted - f.AdjustUnits}
	case ruleReturned:
		return extent{units: f.Moved[seckill.MoveReturn] - f.ReturnedUnits}
	case "doubt":
		return extent{units: doubtOff(f)}
	case "accounted":
		return extent{s.Epoch, s.Accounted - f.EpochUnits}
	case "lent":
		return extent{s.Epoch, s.Lent - leftOf(f)}
	case "lent_exceeded":
		return extent{s.Epoch, s.Accounted - f.EpochIssued}
	case "high_exceeded":
		return extent{s.Epoch, s.High - f.EpochIssued}
	default:
		return extent{}
	}
}

// doubtOff adds up what claims of ended epochs lack and how far doubt is from what it may be: a straggler changes both.
func doubtOff(f seckill.StockFacts) int64 {
	kept, _, late := keptInDoubt(f)
	least := kept - max(0, late)
	return max(0, -late) + max(0, f.Stock.Doubt-kept, least-f.Stock.Doubt)
}
