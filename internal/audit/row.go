package audit

import (
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// clockSlack is how far a database's clock may have been set back, by hand or because another server took over, without
// the times written before looking like the future.
const clockSlack = 5 * time.Second

// The columns of a stock row that hold no units: each may stop an item from being sold, or keep it on sale for too long.

// owedDecrease: what is owed is sealed for in the same transaction, and not lent before it is paid.
func owedDecrease(_ entry, f seckill.StockFacts) string {
	s := f.Stock
	if s.OwedDecrease > 0 && s.State != seckill.StockSealing && s.State != seckill.StockLoading {
		return fmt.Sprintf("owed_decrease is %d, but no item that is %s owes any", s.OwedDecrease, s.State)
	}
	return differ("owed_decrease", s.OwedDecrease, "the owe moves add up to", f.Moved[seckill.MoveOwe])
}

// oneTry is fixed before the first unit is sold.
func oneTry(e entry, f seckill.StockFacts) string {
	if !e.known || f.Stock.OneTry == e.item.OneTry {
		return ""
	}
	return fmt.Sprintf("one_try is %t, but the item's is %t", f.Stock.OneTry, e.item.OneTry)
}

// sealedEarly compares with a sale that was read after the row: a sale is ended first, always, and stays so.
func sealedEarly(e entry, f seckill.StockFacts) string {
	last := f.Stock.Final || f.Stock.State == seckill.StockClosed
	if !last || !e.known || e.state == seckill.SaleEnded {
		return ""
	}
	return fmt.Sprintf("the item is %s and final is %t, but its sale is %s", f.Stock.State, f.Stock.Final, e.state)
}

// stockOfDraft compares with a sale that was read after the row: a sale leaves draft before its items get rows.
func stockOfDraft(e entry, _ seckill.StockFacts) string {
	if !e.known || e.state != seckill.SaleDraft {
		return ""
	}
	return "the item has a row, but its sale is a draft"
}

func gateLength(_ entry, f seckill.StockFacts) string {
	if f.Stock.Gate >= seckill.GateDefault && f.Stock.Gate <= seckill.GateMax {
		return ""
	}
	return fmt.Sprintf("gate_ms is %d, but must be from %d to %d",
		f.Stock.Gate.Milliseconds(), seckill.GateDefault.Milliseconds(), seckill.GateMax.Milliseconds())
}

// halted is a finding though everything may add up: nobody can buy the item until somebody has looked.
func halted(_ entry, f seckill.StockFacts) string {
	if f.Stock.Halted == "" {
		return ""
	}
	return "the item is halted: " + f.Stock.Halted
}

// stockTimes: they decide when an epoch is closed, loaded anew, or its doubt released.
func stockTimes(_ entry, f seckill.StockFacts) string {
	s := f.Stock
	for _, at := range []struct {
		name string
		time time.Time
		set  bool
	}{
		{"since", s.Since, true},
		{"progress", s.Progress, s.Epoch > 0},
		{"claimed_at", s.ClaimedAt, s.Accounted > 0},
		{"sealed_at", s.SealedAt, !s.SealedAt.IsZero() || s.Doubt > 0},
	} {
		if at.time.IsZero() == at.set || at.time.After(s.ReadAt.Add(clockSlack)) {
			return fmt.Sprintf("%s is %d, in epoch %d with %d accounted for and %d in doubt, and the database's clock says %d",
				at.name, milli(at.time), s.Epoch, s.Accounted, s.Doubt, milli(s.ReadAt))
		}
	}
	return ""
}

// milli is a time as it is stored.
func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
