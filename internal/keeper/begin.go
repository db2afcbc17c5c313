package keeper

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// beginAfter leaves a preload to the operator's call for as long as that may be at it: it waits to see each item open.
const beginAfter = 3 * time.Second

// Begin finishes preloads. A sale that is scheduled will open, and the call that scheduled it may have died since, or met a
// shard that was away. An item that it left behind would be busy for ever: it has not begun, so Recover finds no step to go
// on with, and perhaps not even a row.
type Begin struct {
	ports   Ports
	recover *Recover
	// items are those of running sales. One that has begun is not read again: no row goes back to new.
	items map[seckill.ID]preloaded
}

type preloaded struct {
	begun bool
	// since is when the item was first seen.
	since time.Time
}

// NewBegin returns the job.
func NewBegin(ports Ports) *Begin { return &Begin{ports: ports, recover: NewRecover(ports)} }

// RunOnce begins the items of scheduled, live and paused sales that have not begun for 3 s.
func (b *Begin) RunOnce(ctx context.Context) error {
	sales, err := b.ports.running(ctx)
	if err != nil {
		return err
	}
	items := make(map[seckill.ID]preloaded)
	var failures []error
	for _, sale := range sales {
		for _, item := range sale.Items {
			if !b.ports.has(item.ID) {
				continue
			}
			seen, err := b.goOn(ctx, item)
			items[item.ID] = seen
			if err != nil {
				failures = append(failures, fmt.Errorf("item %s: %w", item.ID, err))
			}
		}
	}
	b.items = items
	return errors.Join(failures...)
}

// goOn begins an item when that is due, and says what is known of it now.
func (b *Begin) goOn(ctx context.Context, item seckill.Item) (preloaded, error) {
	seen, known := b.items[item.ID]
	if !known {
		seen.since = b.ports.Clock.Now()
	}
	if seen.begun {
		return seen, nil
	}
	stock, err := b.ports.Stocks.Get(ctx, item.ID)
	if err != nil && !errors.Is(err, seckill.ErrNotFound) {
		return seen, fmt.Errorf("read stock: %w", err)
	}
	isNew := err != nil || stock.State == seckill.StockNew
	seen.begun = !isNew
	if !isNew || stock.Final || stock.Halted != "" || b.ports.Clock.Now().Sub(seen.since) < beginAfter {
		return seen, nil
	}
	if err := b.recover.Begin(ctx, item); err != nil {
		return seen, err
	}
	b.ports.Log.Warn("a preload was left undone; the item is begun now", "item", item.ID, "sale", item.Sale)
	return seen, nil
}
