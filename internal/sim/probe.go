package sim

import (
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
)

// prober buys when everything is over, to see that what is for sale can be bought.
const prober seckill.UserID = "prober"

// probe has somebody new buy one unit of each item that should be for sale.
func (w *world) probe() {
	w.probed = true
	now := everyones{}.Now()
	var open []seckill.ID
	w.ledger.Look(func(v ledger.View) {
		for sale := range v.Sales() {
			if sale.StateAt(now) != seckill.SaleLive || sale.EndsAt.Sub(now) < time.Minute {
				return
			}
		}
		for _, item := range w.items {
			if stock, exists := v.Stock(item.ID); exists && stock.State == seckill.StockOpen && stock.Lent > 0 {
				open = append(open, item.ID)
			}
		}
	})
	for _, item := range open {
		w.probing++
		s := &shopper{world: w, user: prober, having: map[seckill.ID]bool{}}
		x := &wish{shopper: s, item: item, quantity: 1, key: "probe-" + item.String()}
		x.try()
	}
}

// try buys until it succeeds, or an operator's last call stops the sale or takes the last unit.
func (x *wish) try() {
	if x.over || x.violation != nil {
		return
	}
	if x.got || x.saleIs(seckill.SaleEnded, seckill.SalePaused) || x.isGone() {
		x.probing--
		return
	}
	x.tries = 1 // it comes again by itself
	x.buy()
	x.loop.after(700*time.Millisecond, nil, x.try)
}

// isGone says that no unit is left to buy, and that it was not he who bought the last.
func (x *wish) isGone() (gone bool) {
	x.ledger.Look(func(v ledger.View) {
		stock, exists := v.Stock(x.item)
		gone = exists && stock.Allotted == stock.Claimed
		for claim := range v.ClaimsOf(x.item) {
			gone = gone && claim.User != prober
		}
	})
	return gone
}
