package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/testenv/server"
	"github.com/seckill-dev/seckill/loadtest/bench/load"
	"github.com/seckill-dev/seckill/loadtest/bench/stage"
)

const (
	sideBuyerBytes = "redis_bytes"
	// settledWithin is how long the outbox of an item may take to be empty after the last order.
	settledWithin = 30 * time.Second
	settledPoll   = 100 * time.Millisecond
	// buyWithin is how long a crowd of any size may take to buy.
	buyWithin = 4 * time.Minute
)

// memory is what the keys of an item hold more after a crowd has bought, each with an Idempotency-Key, and all is settled.
func (b *bench) memory(ctx context.Context) error {
	defer b.product.End(ctx, stage.API, stage.Worker, stage.Keeper)
	if err := b.product.Start(ctx, stage.Keeper, stage.API, stage.Worker); err != nil {
		return err
	}
	sale, err := b.product.Sell(ctx, 1, units)
	if err != nil {
		return err
	}
	before, err := b.bytesOf(ctx, sale.Item())
	if err != nil {
		return err
	}
	if err := b.buy(ctx, b.product, sale, newPurchase(b.shoppers, sale.Item(), true), b.settings.buyers); err != nil {
		return err
	}
	if err := b.awaitSettled(ctx, sale.Item()); err != nil {
		return err
	}
	after, err := b.bytesOf(ctx, sale.Item())
	if err != nil {
		return err
	}
	b.report.Add(sideBuyerBytes, "bytes", float64(after-before)/float64(b.settings.buyers))
	return b.finish(ctx, b.product, sale)
}

// buy has as many shoppers buy one unit each, and returns when they have their orders. Worker, api and keeper must run.
func (b *bench) buy(ctx context.Context, p *stage.Product, sale stage.Sale, purchase *purchase, count int64) error {
	result, err := b.send(ctx, load.Plan{
		Addr: p.Addr(), Connections: connections, Most: count, Status: http.StatusAccepted, Duration: buyWithin,
	}, purchase)
	if err != nil {
		return err
	}
	if got := result.Answers(http.StatusAccepted); got != count {
		return fmt.Errorf("%d of %d shoppers could buy within %v", got, count, buyWithin)
	}
	_, err = p.AwaitOrders(ctx, sale, count)
	return err
}

// bytesOf is the memory of all keys of an item. The main installation has the database that a new connection is in.
func (b *bench) bytesOf(ctx context.Context, item string) (sum int64, err error) {
	keys, err := server.Ask(ctx, b.stage.Redis.Addr(), "KEYS", "seckill:{"+item+"}:*")
	if err != nil {
		return 0, err
	}
	for key := range strings.FieldsSeq(keys) {
		text, err := server.Ask(ctx, b.stage.Redis.Addr(), "MEMORY", "USAGE", key, "SAMPLES", "0")
		if err != nil {
			return 0, err
		}
		bytes, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("memory of %s: %w", key, err)
		}
		sum += bytes
	}
	return sum, nil
}

// awaitSettled returns when nothing of an item is on its way any more.
func (b *bench) awaitSettled(ctx context.Context, item string) error {
	ctx, cancel := context.WithTimeout(ctx, settledWithin)
	defer cancel()
	for {
		left, err := server.Ask(ctx, b.stage.Redis.Addr(), "EXISTS", "seckill:{"+item+"}:bodies")
		if err != nil {
			return err
		}
		if left == "0" {
			return nil
		}
		select {
		case <-time.After(settledPoll):
		case <-ctx.Done():
			return fmt.Errorf("the outbox is not empty: %w", context.Cause(ctx))
		}
	}
}
