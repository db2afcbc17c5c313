package sim

import (
	"context"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
)

// What follows says whether a job has something to do. It only saves steps: a job that is wrongly thought idle runs a little
// later, as on a slow machine.

// anyStock says whether a stock row is like that.
func (w *world) anyStock(is func(stock seckill.Stock) bool) (found bool) {
	w.ledger.Look(func(v ledger.View) {
		for _, item := range w.items {
			if stock, exists := v.Stock(item.ID); exists && is(stock) {
				found = true
			}
		}
	})
	return found
}

// unbegun says that an item of a scheduled sale has not begun.
func unbegun(w *world) bool { return w.scheduled() && !w.begun() }

func selling(w *world) bool {
	return w.anyStock(func(s seckill.Stock) bool { return s.State == seckill.StockOpen })
}

func pooled(w *world) bool {
	return w.anyStock(func(s seckill.Stock) bool {
		return s.State == seckill.StockOpen && (s.Pool > 0 || w.lent.View(s.Item).Issue < s.Issue)
	})
}

func doubting(w *world) bool { return w.anyStock(func(s seckill.Stock) bool { return s.Doubt > 0 }) }

// unsettling says that an item is on its way from one epoch to the next, or should be.
func unsettling(w *world) bool {
	return w.anyStock(func(s seckill.Stock) bool {
		if s.State != seckill.StockOpen {
			return s.State != seckill.StockClosed
		}
		redis := w.lent.View(s.Item)
		return !redis.Live || redis.Epoch != s.Epoch || redis.Issue != s.Issue
	})
}

func unsent(w *world) bool {
	for _, item := range w.items {
		if v := w.lent.View(item.ID); v.Unsent+v.Unsettled > 0 {
			return true
		}
	}
	return false
}

func unordered(w *world) (found bool) {
	w.ledger.Look(func(v ledger.View) { found = v.Unordered() > 0 })
	return found
}

func owes(kind seckill.OwedKind) func(w *world) bool {
	return func(w *world) (found bool) {
		w.ledger.Look(func(v ledger.View) {
			for owed := range v.Owed() {
				found = found || owed.Kind == kind
			}
		})
		return found
	}
}

func overdue(w *world) (found bool) {
	now := everyones{}.Now()
	w.ledger.Look(func(v ledger.View) {
		for order := range v.Orders() {
			found = found || order.State == seckill.OrderUnpaid && order.PayBy.Before(now)
		}
	})
	return found
}

// refunding says that money has to go back; what may have to, is looked at as often.
func refunding(w *world) bool { return len(w.bank.Charges()) > 0 && w.owed() > 0 }

// owed counts the refunds that are not done.
func (w *world) owed() (count int64) {
	payments := ledger.Payments{Ledger: w.ledger}
	for shard := range w.plan.shards {
		n, _, err := payments.RefundsOwed(context.Background(), shard)
		if err != nil {
			return 1
		}
		count += n
	}
	return count
}

func telling(w *world) (found bool) {
	w.ledger.Look(func(v ledger.View) {
		for range v.Events() {
			found = true
			return
		}
	})
	return found
}

// turning says that the clock, or an operator, ends the sale.
func turning(w *world) (found bool) {
	now := everyones{}.Now()
	w.ledger.Look(func(v ledger.View) {
		for sale := range v.Sales() {
			found = found || sale.StateAt(now) != sale.State || sale.State == seckill.SaleEnded
		}
	})
	return found && w.anyStock(func(s seckill.Stock) bool { return s.State != seckill.StockClosed })
}
