package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/seckill-dev/seckill/loadtest/bench/load"
	"github.com/seckill-dev/seckill/loadtest/bench/report"
	"github.com/seckill-dev/seckill/loadtest/bench/stage"
)

const (
	sideCostFew  = "cost_few"
	sideCostMany = "cost_many"
	fewBuyers    = 1000
	// settled is added to the name of a side for the orders of what it has sold: they are no round of settle.
	settled = ", settled"
)

// growth compares what a queued answer costs where little is going on and where much is: two installations on the same
// servers, of which one runs at a time. All purchases are of one item on both sides; on the large one all others are live
// too, and that one has many buyers already.
func (b *bench) growth(ctx context.Context) error {
	return b.with(ctx, "few", nil, func(few *stage.Product) error {
		return b.with(ctx, "many", nil, func(many *stage.Product) error { return b.growthOf(ctx, few, many) })
	})
}

func (b *bench) growthOf(ctx context.Context, few, many *stage.Product) error {
	// Their own: no shopper buys twice of the large side's item.
	crowd, err := newShoppers(b.key, b.settings.crowdedBuyers+b.settings.shoppers, shopper)
	if err != nil {
		return err
	}
	sale, err := b.fill(ctx, many, crowd, b.settings.crowdedItems, b.settings.crowdedBuyers)
	if err != nil {
		return err
	}
	orders := b.settings.crowdedBuyers
	for range b.settings.rounds {
		small, err := b.fill(ctx, few, b.shoppers, 1, fewBuyers)
		if err != nil {
			return err
		}
		if _, err := b.cost(ctx, few, small, sideCostFew, b.shoppers, fewBuyers); err != nil {
			return err
		}
		bought, err := b.cost(ctx, many, sale, sideCostMany, crowd, orders)
		if err != nil {
			return err
		}
		orders += bought
	}
	return nil
}

// fill makes items of which the first one has buyers, and ends the processes. Whoever was live before is not any more.
func (b *bench) fill(ctx context.Context, p *stage.Product, s *shoppers, items int, buyers int64) (stage.Sale, error) {
	defer p.End(ctx, stage.API, stage.Worker, stage.Keeper)
	if err := p.Start(ctx, stage.Keeper, stage.API, stage.Worker); err != nil {
		return stage.Sale{}, err
	}
	begun := time.Now()
	sale, err := p.Sell(ctx, 1, units)
	if err != nil {
		return stage.Sale{}, err
	}
	if buyers > 0 {
		if err := b.buy(ctx, p, sale, newPurchase(s, sale.Item(), false), buyers); err != nil {
			return stage.Sale{}, err
		}
	}
	others, err := p.Sell(ctx, items-1, units)
	if err != nil {
		return stage.Sale{}, err
	}
	sale = stage.Sale{IDs: append(sale.IDs, others.IDs...), Items: append(sale.Items, others.Items...)}
	b.say("  %d items, %d buyers (%.0f s)", items, buyers, time.Since(begun).Seconds())
	return sale, nil
}

// cost measures what a queued answer costs, then has the orders made and holds the books against each other. It returns
// how many bought.
func (b *bench) cost(ctx context.Context, p *stage.Product, sale stage.Sale, side string, s *shoppers, before int64) (int64, error) {
	bought, err := b.costOf(ctx, p, sale, side, newPurchase(s, sale.Item(), false), before)
	if err != nil {
		return 0, err
	}
	if len(sale.Items) > 1 {
		return bought, nil // it is measured again
	}
	return bought, b.finishAnew(ctx, p, sale)
}

// costOf is cost of some purchases, which leaves the sale as it is. So many orders have been there before.
func (b *bench) costOf(
	ctx context.Context, p *stage.Product, sale stage.Sale, side string, purchases *purchase, before int64,
) (bought int64, err error) {
	defer p.End(ctx, stage.API, stage.Worker, stage.Keeper)
	if err := p.Start(ctx, stage.Keeper, stage.API); err != nil {
		return 0, err
	}
	if err := p.AwaitLive(ctx, sale); err != nil {
		return 0, err
	}
	if len(purchases.heads) == 1 {
		sale = sale.OnlyItem()
	}
	begun, err := stage.Spent()
	if err != nil {
		return 0, err
	}
	micros, bought, err := b.microsOf(ctx, p, purchases)
	if err != nil {
		return 0, err
	}
	b.report.Add(side, "µs of processor time per answer", micros)
	if err := b.spend(side, begun, bought); err != nil {
		return 0, err
	}
	if _, err := b.drain(ctx, p, side+settled, sale, before+bought); err != nil {
		return 0, err
	}
	return bought, p.Audit(ctx, sale)
}

// onlyBusy says that whoever was not queued was busy, as may happen to some where many items are live and the machine is full.
func onlyBusy(purchases *purchase, result load.Result) bool {
	for status := range result.Statuses {
		if status != http.StatusAccepted && status != http.StatusServiceUnavailable {
			return false
		}
	}
	return purchases.mayBeBusy && result.Answers(http.StatusAccepted) > 0
}

// microsOf is the processor time of api and Redis per queued answer, and how many there were.
func (b *bench) microsOf(ctx context.Context, p *stage.Product, purchases *purchase) (micros float64, bought int64, err error) {
	begun, err := b.used(ctx, p)
	if err != nil {
		return 0, 0, err
	}
	result, err := b.closed(ctx, "", p.Addr(), purchases, http.StatusAccepted)
	if err != nil && !onlyBusy(purchases, result) {
		return 0, 0, err
	}
	ended, err := b.used(ctx, p)
	if err != nil {
		return 0, 0, err
	}
	bought = result.Answers(http.StatusAccepted)
	busy := result.Answers(http.StatusServiceUnavailable)
	if busy > 0 {
		b.say("  %d of %d answers were busy", busy, bought+busy)
	}
	if items := len(purchases.heads); items > 1 {
		b.report.Add(report.At(spreadQueued, items), "%", 100*float64(bought)/float64(bought+busy))
	}
	return float64((ended - begun).Microseconds()) / float64(bought), bought, nil
}

// used is the processor time of api and Redis so far.
func (b *bench) used(ctx context.Context, p *stage.Product) (time.Duration, error) {
	api, err := p.CPU(stage.API)
	if err != nil {
		return 0, err
	}
	pid, err := b.stage.RedisPID(ctx)
	if err != nil {
		return 0, err
	}
	redis, err := stage.CPU(pid)
	if err != nil {
		return 0, fmt.Errorf("redis: %w", err)
	}
	return api + redis, nil
}
