package keeper

import (
	"context"
	"errors"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Clock starts and ends sales when the database's clock says so.
type Clock struct{ ports Ports }

// NewClock returns the job.
func NewClock(ports Ports) *Clock { return &Clock{ports} }

// RunOnce advances sales, then asks for the last seal of every item of an ended sale that has none yet. Both halves are
// found again from SQL, so a keeper may die between them.
func (c *Clock) RunOnce(ctx context.Context) error {
	changed, err := c.ports.Catalog.Advance(ctx)
	if err != nil {
		return fmt.Errorf("advance sales: %w", err)
	}
	if len(changed) > 0 {
		c.ports.Log.Info("sales advanced", "sales", changed)
	}
	return c.closeEnded(ctx)
}

func (c *Clock) closeEnded(ctx context.Context) error {
	running, err := c.running(ctx)
	if err != nil {
		return err
	}
	ended := make(map[seckill.ID]bool)
	return c.ports.eachStock(ctx, func(ctx context.Context, stock seckill.Stock) error {
		if stock.Final || running[stock.Item] {
			return nil
		}
		over, err := c.over(ctx, stock.Item, ended)
		if err != nil || !over {
			return err
		}
		_, err = c.ports.Stocks.Seal(ctx, seckill.SealRequest{Item: stock.Item, Final: true})
		return err
	}, seckill.StockNew, seckill.StockLoading, seckill.StockOpen, seckill.StockSealing)
}

// running are the items of sales that have not ended: nearly all that are not closed, so that few are looked up.
func (c *Clock) running(ctx context.Context) (map[seckill.ID]bool, error) {
	sales, err := c.ports.running(ctx)
	if err != nil {
		return nil, err
	}
	items := make(map[seckill.ID]bool)
	for _, sale := range sales {
		for _, item := range sale.Items {
			items[item.ID] = true
		}
	}
	return items, nil
}

// over says whether an item's sale has ended; ended remembers what was read of sales.
func (c *Clock) over(ctx context.Context, id seckill.ID, ended map[seckill.ID]bool) (bool, error) {
	item, err := c.ports.Catalog.Item(ctx, id)
	if err != nil {
		return false, fmt.Errorf("read item: %w", err)
	}
	over, known := ended[item.Sale]
	if known {
		return over, nil
	}
	sale, err := c.ports.Catalog.Sale(ctx, item.Sale)
	if err != nil {
		return false, fmt.Errorf("read sale %s: %w", item.Sale, err)
	}
	ended[item.Sale] = sale.State == seckill.SaleEnded
	return ended[item.Sale], nil
}

// Doubt returns to the pool what stayed in doubt for a minute after the last seal.
type Doubt struct{ ports Ports }

// NewDoubt returns the job.
func NewDoubt(ports Ports) *Doubt { return &Doubt{ports} }

// RunOnce releases what is due.
func (d *Doubt) RunOnce(ctx context.Context) error {
	return d.ports.eachStock(ctx, func(ctx context.Context, stock seckill.Stock) error {
		if stock.Doubt == 0 || !stock.IsPastDoubt() {
			return nil
		}
		released, err := d.ports.Stocks.ReleaseDoubt(ctx, stock.Item)
		if released > 0 {
			d.ports.Log.Info("units in doubt are for sale again", "item", stock.Item, "units", released)
		}
		return err
	}, seckill.StockLoading, seckill.StockOpen, seckill.StockSealing, seckill.StockClosed)
}

// Sweep lets Redis forget items that are closed.
type Sweep struct{ ports Ports }

// NewSweep returns the job.
func NewSweep(ports Ports) *Sweep { return &Sweep{ports} }

// RunOnce sets the expiry of every recently closed item; the adapter leaves items alone whose outbox is not empty.
func (s *Sweep) RunOnce(ctx context.Context) error {
	return s.ports.eachStock(ctx, func(ctx context.Context, stock seckill.Stock) error {
		if stock.ReadAt.After(stock.Since.Add(endedFor)) {
			return nil
		}
		err := s.ports.Lent.Expire(ctx, stock.Item, keysLiveFor)
		if errors.Is(err, seckill.ErrNotLive) {
			return nil
		}
		return err
	}, seckill.StockClosed)
}
