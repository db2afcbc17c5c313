package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/seckill-dev/seckill/loadtest/bench/load"
	"github.com/seckill-dev/seckill/loadtest/bench/stage"
)

const (
	sideEmpty = "settle_empty"
	sideFull  = "settle_full"

	// What an order of the past takes on the disk, with its claim, its events and the logs that they go through, and what everything
	// else takes.
	bytesPerOrder = 700
	bytesBeside   = 3_000_000_000

	// drainedOrders are few enough to be drained in time where each waits for a disk.
	drainedOrders = 100_000

	readers  = 64
	readRate = 1000 // requests per second, of both kinds
)

// scaleTables settles into empty tables, fills them, and settles again. The buyers are scattered among the users of the past, as
// regular customers are.
func (b *bench) scaleTables(ctx context.Context) error {
	orders := b.settings.pastOrders
	if err := b.stage.NeedDisk(orders*bytesPerOrder + bytesBeside); err != nil {
		return err
	}
	return b.with(ctx, scaleName, accepting(), func(p *stage.Product) error {
		if err := b.settleInto(ctx, p, sideEmpty); err != nil {
			return err
		}
		if err := b.fillTables(ctx, p, orders); err != nil {
			return err
		}
		if err := b.settleInto(ctx, p, sideFull); err != nil {
			return err
		}
		return b.readTables(ctx, p)
	})
}

// settleInto fills the queue and times the drain.
func (b *bench) settleInto(ctx context.Context, p *stage.Product, side string) error {
	p.End(ctx, stage.Worker)
	sale, err := p.Sell(ctx, 1, units)
	if err != nil {
		return err
	}
	result, err := b.send(ctx, load.Plan{
		Addr: p.Addr(), Connections: connections, Most: drainedOrders, Status: http.StatusAccepted, Duration: buyWithin,
	}, newPurchase(b.shoppers, sale.Item(), false))
	if err != nil {
		return err
	}
	drained, err := b.drain(ctx, p, side, sale, result.Answers(http.StatusAccepted))
	if err != nil {
		return err
	}
	b.report.Add(side, "orders/s", drained.PerSecond())
	b.say("  %s: %d orders, %.0f/s", side, drained.Orders, drained.PerSecond())
	return b.finish(ctx, p, sale)
}

func (b *bench) fillTables(ctx context.Context, p *stage.Product, orders int64) error {
	before, err := b.stage.SQLBytes()
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := p.FillPast(ctx, orders); err != nil {
		return err
	}
	took := time.Since(begun)
	if err := b.stage.Rest(ctx, p.SQL); err != nil {
		return err
	}
	if err := p.Warm(ctx); err != nil {
		return err
	}
	after, err := b.stage.SQLBytes()
	if err != nil {
		return err
	}
	b.say("  %d orders of the past in %.0f s, written and warm after %.0f s", orders, took.Seconds(), time.Since(begun).Seconds())
	b.report.Add("full_orders", "orders", float64(orders))
	b.report.Add("fill_s", "s", took.Seconds())
	b.report.Add("full_gb", "GB", float64(after-before)/1e9)
	return nil
}

// readTables has users of the past look at their orders.
func (b *bench) readTables(ctx context.Context, p *stage.Product) error {
	var past []int64 // shoppers who have an order of the past
	for n := int64(0); n < b.shoppers.count && int64(len(past)) < b.settings.readsMost(); n++ {
		if scatter(n) < b.settings.pastOrders {
			past = append(past, n)
		}
	}
	for _, read := range []struct {
		side string
		path func(n int64) string
	}{
		{"full_get_order_p99_ms", func(n int64) string { return "/v1/orders/" + stage.PastOrder(scatter(n)).String() }},
		{"full_list_orders_p99_ms", func(int64) string { return "/v1/orders?limit=20" }},
	} {
		result, err := load.Run(ctx, load.Plan{
			Addr: p.Addr(), Connections: readers, Status: http.StatusOK, Rate: readRate, Warm: b.settings.warm, Duration: b.settings.steady,
			Request: func(to []byte, n int64) []byte {
				who := past[n%int64(len(past))]
				return fmt.Appendf(to, "GET %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n\r\n", read.path(who), b.shoppers.token(who))
			},
		})
		if err != nil {
			return err
		}
		b.report.Add(read.side, "ms", millis(result.Latency.ValueAtQuantile(99)))
		b.report.Follow(seriesOf(read.side, result))
	}
	return nil
}
