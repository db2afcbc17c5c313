package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

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
	return b.with(ctx, productName, everything(), func(p *stage.Product) error {
		client := b.stage.OpenRedis(p.Config.Redis.Database)
		defer client.Close() //nolint:errcheck // it has only read
		return b.memoryOf(ctx, p, shelf{client})
	})
}

func (b *bench) memoryOf(ctx context.Context, p *stage.Product, redis shelf) error {
	sale, err := b.crowd(ctx, p, redis, sideBuyerBytes, b.settings.buyers)
	if err != nil {
		return err
	}
	return b.finish(ctx, p, sale)
}

// crowd sells a new item to so many shoppers and notes what each of them takes of Redis' memory.
func (b *bench) crowd(ctx context.Context, p *stage.Product, redis shelf, side string, buyers int64) (stage.Sale, error) {
	sale, err := p.Sell(ctx, 1, units)
	if err != nil {
		return sale, err
	}
	before, err := redis.bytesOf(ctx, sale.Item())
	if err != nil {
		return sale, err
	}
	if err := b.buy(ctx, p, sale, newPurchase(b.shoppers, sale.Item(), true), buyers); err != nil {
		return sale, err
	}
	if err := redis.awaitSettled(ctx, sale.Item()); err != nil {
		return sale, err
	}
	after, err := redis.bytesOf(ctx, sale.Item())
	if err != nil {
		return sale, err
	}
	b.report.Add(side, "bytes", float64(after-before)/float64(buyers))
	return sale, nil
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

// shelf is what an installation keeps in Redis.
type shelf struct{ *redis.Client }

// bytesOf is the memory of all keys of an item.
func (s shelf) bytesOf(ctx context.Context, item string) (sum int64, err error) {
	keys, err := s.Keys(ctx, "seckill:{"+item+"}:*").Result()
	if err != nil {
		return 0, fmt.Errorf("keys of item %s: %w", item, err)
	}
	for _, key := range keys {
		bytes, err := s.MemoryUsage(ctx, key, 0).Result()
		if err != nil {
			return 0, fmt.Errorf("memory of %s: %w", key, err)
		}
		sum += bytes
	}
	return sum, nil
}

// awaitSettled returns when nothing of an item is on its way any more.
func (s shelf) awaitSettled(ctx context.Context, item string) error {
	ctx, cancel := context.WithTimeout(ctx, settledWithin)
	defer cancel()
	for {
		left, err := s.Exists(ctx, "seckill:{"+item+"}:bodies").Result()
		if err != nil {
			return fmt.Errorf("look into the outbox: %w", err)
		}
		if left == 0 {
			return nil
		}
		select {
		case <-time.After(settledPoll):
		case <-ctx.Done():
			return fmt.Errorf("the outbox is not empty: %w", context.Cause(ctx))
		}
	}
}
