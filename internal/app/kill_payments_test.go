package app_test

import (
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/sandbox"
)

const (
	tillUnits = 12
	// tillPayWithin is how many seconds its orders may stay unpaid, tillLate how much later some are paid all the same.
	tillPayWithin = 2
	tillLate      = 2
)

// TestKillAtTheTill kills the whole process at one named point between an order and its end, and lets it go on: who has
// paid has his order and nobody else's money stays, every other unit comes back exactly once and is sold again.
func TestKillAtTheTill(t *testing.T) {
	t.Parallel()
	for _, point := range tillPoints() {
		t.Run("loses no unit and no money when it dies "+point, func(t *testing.T) {
			t.Parallel()
			v := newVictim(t)
			v.payWithin = tillPayWithin
			v.start(point + "#1")
			watch(t, v.config)
			v.create(tillUnits)
			if err := v.preload(); err != nil {
				t.Fatal(err)
			}
			done := make(chan []*payer, 1)
			go func() { done <- v.payers(tillUnits, 0) }()
			v.awaitDeath()
			v.start(never)
			v.judgeTill(<-done)
		})
	}
}

// payers are a quarter each who pay, who pay too late, who cancel what they have begun to pay, and who do nothing. One after
// the other they come.
func (v *victim) payers(many int, every time.Duration) []*payer {
	late := time.Duration(v.payWithin+tillLate) * time.Second
	payers := make([]*payer, many)
	var all sync.WaitGroup
	for n := range payers {
		all.Go(func() {
			p := v.newPayer(user(n))
			payers[n] = p
			switch n % 4 {
			case 0:
				p.pay(sandbox.BehavePay, 0)
			case 1:
				p.pay(sandbox.BehaveLate, late)
			case 2:
				p.pay(sandbox.BehavePay, late) // he has cancelled by then
				p.cancel()
			}
		})
		<-time.After(every)
	}
	all.Wait()
	return payers
}

// judgeTill holds orders, bank and stock against one another when all is over. There was a unit for each payer.
func (v *victim) judgeTill(payers []*payer) {
	v.t.Helper()
	kept, late := map[string]int64{}, 0
	for _, p := range payers {
		if order := p.final(); order.Status == api.OrderStatusPaid {
			kept[order.Payment.ID] = order.AmountMinor
		}
		if p.comes {
			late++
		}
	}
	v.await("the bank keeps what was paid for, and nothing that came too late", func() bool {
		standing, back := v.bank().standing()
		return maps.Equal(standing, kept) && back >= late
	})
	v.await("every other unit is for sale again", func() bool { return v.forSale() == int64(len(payers)-len(kept)) })
	v.newPayer("who-comes-later")
	var report api.AuditReport
	if err := v.operate(http.MethodGet, "/admin/v1/audit", struct{}{}, &report); err != nil {
		v.t.Fatal(err)
	}
	for _, finding := range report.Findings {
		v.t.Errorf("audit: %+v", finding)
	}
}

// forSale is how many units Redis sells, -1 while SQL says something else.
func (v *victim) forSale() int64 {
	var stats api.SaleStats
	if v.operate(http.MethodGet, "/admin/v1/sales/"+v.sale.ID+"/stats", struct{}{}, &stats) != nil {
		return -1
	}
	item := stats.Items[0]
	if item.Redis == nil || item.Redis.Available == nil || *item.Redis.Available != item.Lent {
		return -1
	}
	return item.Lent
}
