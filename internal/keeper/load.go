package keeper

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	buyersPerChunk = 1000
	// pagesAhead is how many pages are read that Redis has yet to take.
	pagesAhead    = 1
	progressEvery = time.Second
)

// load brings an epoch to Redis and opens it. It must begin after the transaction that began the epoch: only then do the
// claims hold everything the old epoch can still change, or owe it (trap 11). Any doubt on the way leaves the row in
// loading, and the next epoch follows.
func (r *Recover) load(ctx context.Context, stock seckill.Stock) error {
	buyers, err := r.loadBuyers(ctx, stock)
	if err != nil {
		return err
	}
	loaded, err := r.loadOf(ctx, stock, buyers)
	if err != nil {
		return err
	}
	// Settling judges by the ceiling, so it must be up before Redis can grant more (trap 28).
	if loaded.Limit > stock.Ceiling {
		if err := r.ports.Stocks.RaiseCeiling(ctx, stock.Item, loaded.Limit); err != nil {
			return fmt.Errorf("raise ceiling: %w", err)
		}
	}
	if err := r.ports.Lent.Load(ctx, loaded); err != nil {
		return fmt.Errorf("load epoch %d: %w", stock.Epoch, err)
	}
	if err := r.open(ctx, stock, loaded); err != nil {
		return err
	}
	forSale := resale{stock.Item, stock.Epoch, stock.Issue, r.ports.Clock.Now()}
	r.ports.Log.Info("epoch open", "item", stock.Item, "epoch", stock.Epoch, "lent", stock.Lent, "buyers", buyers)
	r.ports.measure(ctx, forSale)
	return nil
}

// loadOf is the last step of the load, with the settings of now.
func (r *Recover) loadOf(ctx context.Context, stock seckill.Stock, buyers int64) (seckill.Load, error) {
	sale, item, err := r.ports.saleOf(ctx, stock.Item)
	if err != nil {
		return seckill.Load{}, err
	}
	now := settings{sale, item}
	opens, closes := now.window()
	return seckill.Load{
		Item: stock.Item, Epoch: stock.Epoch, Attempt: stock.Attempt, Issue: stock.Issue, Available: stock.Lent,
		OpensAt: opens, ClosesAt: closes, Limit: item.LimitPerUser, Paused: now.paused(), Version: sale.Version, Buyers: buyers,
	}, nil
}

// open asks for Redis' time before SQL decides, and opens Redis only if SQL is known to have changed (trap 34). Settings
// that changed since the load leave the epoch dark: an operator may have been told that they hold. From the moment SQL
// says open, whoever changes settings waits for this gate.
func (r *Recover) open(ctx context.Context, stock seckill.Stock, loaded seckill.Load) error {
	server, err := r.ports.Lent.Server(ctx, stock.Item)
	if err != nil {
		return fmt.Errorf("ask redis for its time: %w", err)
	}
	opened, err := r.ports.Stocks.Open(ctx, stock.Item, stock.Epoch, stock.Attempt)
	if err != nil {
		return fmt.Errorf("open epoch %d: %w", stock.Epoch, err)
	}
	if !opened {
		return fmt.Errorf("open epoch %d: another keeper has gone on", stock.Epoch)
	}
	now, err := r.loadOf(ctx, stock, loaded.Buyers)
	if err != nil {
		return err
	}
	if !sameSettings(now, loaded) {
		return fmt.Errorf("open epoch %d: the sale was changed meanwhile, so the next epoch carries the change", stock.Epoch)
	}
	gate := seckill.Gate{Item: stock.Item, Epoch: stock.Epoch, Server: server, Until: server.Now.Add(stock.Gate)}
	if err := r.ports.Lent.Open(ctx, gate); err != nil {
		return fmt.Errorf("light the gate of epoch %d: %w", stock.Epoch, err)
	}
	return nil
}

func sameSettings(a, b seckill.Load) bool {
	return a.Paused == b.Paused && a.Limit == b.Limit && a.OpensAt.Equal(b.OpensAt) && a.ClosesAt.Equal(b.ClosesAt)
}

// loadBuyers streams every buyer into the side key of this attempt and counts them. While Redis takes a page SQL reads the
// next one; no more than these are ever in memory.
func (r *Recover) loadBuyers(ctx context.Context, stock seckill.Stock) (count int64, err error) {
	pages := make(chan []seckill.Buyer, pagesAhead)
	loading, ctx := errgroup.WithContext(ctx)
	loading.Go(func() error {
		defer close(pages)
		return r.readBuyers(ctx, stock.Item, pages)
	})
	loading.Go(func() (err error) {
		count, err = r.sendBuyers(ctx, stock, pages)
		return err
	})
	return count, loading.Wait()
}

// readBuyers reads page after page as long as somebody takes them.
func (r *Recover) readBuyers(ctx context.Context, item seckill.ID, pages chan<- []seckill.Buyer) error {
	var after seckill.UserID
	for {
		buyers, err := r.ports.Claims.Buyers(ctx, item, after, buyersPerChunk)
		if err != nil {
			return fmt.Errorf("read buyers: %w", err)
		}
		if len(buyers) == 0 {
			return nil
		}
		after = buyers[len(buyers)-1].User
		select {
		case pages <- buyers:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// sendBuyers gives the pages to Redis, and says once a second that it is alive.
func (r *Recover) sendBuyers(ctx context.Context, stock seckill.Stock, pages <-chan []seckill.Buyer) (int64, error) {
	var count int64
	noted := r.ports.Clock.Now()
	for buyers := range pages {
		if err := r.ports.Lent.LoadBuyers(ctx, stock.Item, stock.Epoch, stock.Attempt, buyers); err != nil {
			return 0, fmt.Errorf("load buyers: %w", err)
		}
		count += int64(len(buyers))
		r.ports.Metrics.loaded(len(buyers))
		if now := r.ports.Clock.Now(); now.Sub(noted) >= progressEvery {
			noted = now
			if err := r.progress(ctx, stock, count); err != nil {
				return 0, err
			}
		}
	}
	return count, ctx.Err()
}

func (r *Recover) progress(ctx context.Context, stock seckill.Stock, count int64) error {
	mine, err := r.ports.Stocks.Progress(ctx, stock.Item, stock.Epoch, stock.Attempt)
	if err != nil {
		return fmt.Errorf("note progress: %w", err)
	}
	if !mine {
		return fmt.Errorf("load epoch %d: another keeper has gone on", stock.Epoch)
	}
	r.ports.Log.Info("loading", "item", stock.Item, "epoch", stock.Epoch, "buyers", count)
	return nil
}
