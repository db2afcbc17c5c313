package main

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/seckill-dev/seckill/loadtest/bench/report"
	"github.com/seckill-dev/seckill/loadtest/bench/stage"
)

// The names of figures that have a size, and of the sides that others are made of.
const (
	acceptOver    = "accept_per_s"
	acceptAPI     = "accept_api_us"
	acceptP99     = "accept_closed_p99_ms"
	apiMemory     = "api_mib"
	perConnection = "api_kib_per_connection"
	itemsCost     = "items_us"
	spreadCost    = "spread_us"
	spreadQueued  = "spread_queued_percent"
	buyersCost    = "buyers_us"
	buyersWeight  = "redis_bytes"
	mebibyte      = 1 << 20
	kibibyte      = 1 << 10
	leftOut       = "left out"
	scaleName     = "scale" // of installations
)

// stepsOfScale are the parts of a run to the limits. The full tables come last: nothing else has to live beside them.
func (b *bench) stepsOfScale() []step {
	all := func(names ...string) (figures []string) {
		for _, f := range report.Scale() {
			for _, name := range names {
				if f.Name == name || strings.HasPrefix(f.Name, name+"_at_") {
					figures = append(figures, f.Name)
				}
			}
		}
		return figures
	}
	return []step{
		{"connections", all(acceptOver, acceptAPI, acceptP99, apiMemory, perConnection), b.scaleConnections},
		{"live items", all(itemsCost, spreadCost, spreadQueued), b.scaleItems},
		{"buyers", all(buyersCost, buyersWeight), b.scaleBuyers},
		{"full tables", all("full_orders", "fill_s", "full_gb", "settle_empty_per_s", "settle_full_per_s",
			"settle_empty_mariadbd_us", "settle_full_mariadbd_us", "full_get_order_p99_ms", "full_list_orders_p99_ms"), b.scaleTables},
	}
}

// concludeScale makes figures of the sides: most are called the same.
func (b *bench) concludeScale() {
	r, sizes := b.report, report.Scales().Connections
	for _, f := range report.Scale() {
		r.Set(f.Name, f.Name)
	}
	for _, n := range sizes {
		r.SetValue(report.At(acceptAPI, n), r.SpentOn(report.At(acceptOver, n), stage.API))
	}
	few, many := sizes[0], sizes[len(sizes)-1]
	if most := r.Median(report.At(apiMemory, many)); most > 0 {
		more := (most - r.Median(report.At(apiMemory, few))) * mebibyte / kibibyte
		r.SetValue(perConnection, more/float64(many-few))
	}
	for _, tables := range []string{sideEmpty, sideFull} {
		r.Set(tables+"_per_s", tables)
		r.SetValue(tables+"_mariadbd_us", r.SpentOn(tables, "mariadbd"))
	}
}

// scaleConnections accepts over few and over many connections, each time by fresh processes.
func (b *bench) scaleConnections(ctx context.Context) error {
	for range b.settings.rounds {
		for _, n := range report.Scales().Connections {
			if err := stage.AllowConnections(n); errors.Is(err, stage.ErrNoRoom) {
				b.say("  %v", err)
				b.report.Setting(leftOut, err.Error())
				continue
			} else if err != nil {
				return err
			}
			err := b.with(ctx, scaleName, accepting(), func(p *stage.Product) error { return b.acceptOver(ctx, p, n) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bench) acceptOver(ctx context.Context, p *stage.Product, connections int) error {
	sale, err := p.Sell(ctx, 1, units)
	if err != nil {
		return err
	}
	side := report.At(acceptOver, connections)
	result, err := b.closedOver(ctx, connections, side, p.Addr(), newPurchase(b.shoppers, sale.Item(), false), http.StatusAccepted)
	if err != nil {
		return err
	}
	bytes, err := p.PeakMemory(stage.API)
	if err != nil {
		return err
	}
	b.report.Add(report.At(acceptP99, connections), "ms", millis(result.Latency.ValueAtQuantile(99)))
	b.report.Add(report.At(apiMemory, connections), "MiB", float64(bytes)/mebibyte)
	b.say("  %d connections: %.0f/s", connections, result.PerSecond())
	if _, err := b.drain(ctx, p, side+settled, sale, result.Answers(http.StatusAccepted)); err != nil {
		return err
	}
	return b.finish(ctx, p, sale)
}

// scaleItems has more and more items live. Purchases are of one of them first, then of all in turn.
func (b *bench) scaleItems(ctx context.Context) error {
	return b.with(ctx, scaleName, nil, func(p *stage.Product) error {
		for _, n := range report.Scales().Items {
			if n > b.settings.crowdedItems {
				break
			}
			if err := b.costOfItems(ctx, p, n); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *bench) costOfItems(ctx context.Context, p *stage.Product, n int) error {
	sale, err := b.fill(ctx, p, b.shoppers, n, 0)
	if err != nil {
		return err
	}
	one := newPurchase(b.shoppers, sale.Item(), false)
	one.mayBeBusy = n > 1
	bought, err := b.costOf(ctx, p, sale, report.At(itemsCost, n), one, 0)
	if err != nil {
		return err
	}
	if n > 1 {
		spread := newSpread(b.shoppers, sale.Items)
		if _, err := b.costOf(ctx, p, sale, report.At(spreadCost, n), spread, bought); err != nil {
			return err
		}
	}
	return b.finishAnew(ctx, p, sale)
}

// finishAnew ends a sale whose processes have ended.
func (*bench) finishAnew(ctx context.Context, p *stage.Product, sale stage.Sale) error {
	defer p.End(ctx, stage.API, stage.Keeper)
	if err := p.Start(ctx, stage.Keeper, stage.API); err != nil {
		return err
	}
	return p.Finish(ctx, sale)
}

// scaleBuyers sells an item to more and more shoppers, each size an item of its own, and then measures what one more costs.
func (b *bench) scaleBuyers(ctx context.Context) error {
	return b.with(ctx, scaleName, nil, func(p *stage.Product) error {
		client := b.stage.OpenRedis(p.Config.Redis.Database)
		defer client.Close() //nolint:errcheck // it has only read
		for _, n := range report.Scales().Buyers {
			if n > b.settings.crowdedBuyers {
				break
			}
			if err := b.costOfBuyers(ctx, p, shelf{client}, n); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *bench) costOfBuyers(ctx context.Context, p *stage.Product, redis shelf, n int64) error {
	sale, err := b.weigh(ctx, p, redis, n)
	if err != nil {
		return err
	}
	purchases := newPurchase(b.shoppers, sale.Item(), false)
	if _, err := b.costOf(ctx, p, sale, report.At(buyersCost, n), purchases, n); err != nil {
		return err
	}
	return b.finishAnew(ctx, p, sale)
}

// weigh has so many shoppers buy, and notes what each takes of Redis' memory.
func (b *bench) weigh(ctx context.Context, p *stage.Product, redis shelf, n int64) (stage.Sale, error) {
	defer p.End(ctx, everything()...)
	if err := p.Start(ctx, everything()...); err != nil {
		return stage.Sale{}, err
	}
	return b.crowd(ctx, p, redis, report.At(buyersWeight, n), n)
}
