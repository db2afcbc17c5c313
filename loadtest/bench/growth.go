package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/seckill-dev/seckill/loadtest/bench/stage"
)

const (
	sideCostFew  = "cost_few"
	sideCostMany = "cost_many"
	fewBuyers    = 1000
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
	crowd, err := newShoppers(b.key, b.settings.crowdedBuyers+b.settings.shoppers)
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
	if err := b.buy(ctx, p, sale, newPurchase(s, sale.Item(), false), buyers); err != nil {
		return stage.Sale{}, err
	}
	others, err := p.Sell(ctx, items-1, units)
	if err != nil {
		return stage.Sale{}, err
	}
	sale = stage.Sale{IDs: append(sale.IDs, others.IDs...), Items: append(sale.Items, others.Items...)}
	b.say("  %d items, %d buyers (%.0f s)", items, buyers, time.Since(begun).Seconds())
	return sale, nil
}

// cost measures the processor time of api and Redis per queued answer, then has the orders made and holds the books
// against each other. It returns how many bought.
func (b *bench) cost(ctx context.Context, p *stage.Product, sale stage.Sale, side string, s *shoppers, before int64) (int64, error) {
	defer p.End(ctx, stage.API, stage.Worker, stage.Keeper)
	if err := p.Start(ctx, stage.Keeper, stage.API); err != nil {
		return 0, err
	}
	if err := p.AwaitLive(ctx, sale); err != nil {
		return 0, err
	}
	begun, err := b.used(ctx, p)
	if err != nil {
		return 0, err
	}
	result, err := b.closed(ctx, "", p.Addr(), newPurchase(s, sale.Item(), false), http.StatusAccepted)
	if err != nil {
		return 0, err
	}
	ended, err := b.used(ctx, p)
	if err != nil {
		return 0, err
	}
	bought := result.Answers(http.StatusAccepted)
	b.report.Add(side, "µs of processor time per answer", float64((ended-begun).Microseconds())/float64(bought))
	if _, err := b.drain(ctx, p, sale, before+bought); err != nil {
		return 0, err
	}
	if err := p.Audit(ctx, stage.Sale{IDs: sale.IDs[:1], Items: sale.Items[:1]}); err != nil {
		return 0, err
	}
	if len(sale.Items) > 1 {
		return bought, nil // it is measured again
	}
	return bought, p.Finish(ctx, sale)
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
