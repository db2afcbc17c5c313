package keeper

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Renew prolongs the gate of every open item.
//
// It reads Redis' clock and identity first and SQL second: `until` is then counted from an instant at which SQL was yet to
// say "open", so a keeper that slept in between cannot prolong what was sealed meanwhile (trap 9).
type Renew struct{ ports Ports }

// NewRenew returns the job.
func NewRenew(ports Ports) *Renew { return &Renew{ports} }

// RunOnce renews every open item. A lost gate is not an error here: Recover judges it.
func (r *Renew) RunOnce(ctx context.Context) error {
	servers, err := r.servers(ctx)
	if err != nil || len(servers) == 0 {
		return err
	}
	terms, err := r.terms(ctx)
	if err != nil {
		return err
	}
	return r.ports.eachStock(ctx, func(ctx context.Context, stock seckill.Stock) error {
		server, asked := servers[stock.Item]
		settings, running := terms[stock.Item]
		if !asked || !running {
			return nil
		}
		return r.renew(ctx, stock, server, settings)
	}, seckill.StockOpen)
}

// Carry sends an item's settings to Redis at once. No error means that Redis has them, or that the item is not open and
// will be loaded with them. An open item without a gate is an error, because a keeper may just be lighting it with older
// settings: such a gate ends one gate length after the change at the latest.
func (r *Renew) Carry(ctx context.Context, id seckill.ID) error {
	server, err := r.ports.Lent.Server(ctx, id)
	if err != nil {
		return fmt.Errorf("ask redis for its time: %w", err)
	}
	stock, err := r.ports.Stocks.Get(ctx, id)
	if err != nil {
		return fmt.Errorf("read stock: %w", err)
	}
	if stock.State != seckill.StockOpen {
		return nil
	}
	sale, item, err := r.ports.saleOf(ctx, id)
	if err != nil {
		return err
	}
	return r.prolong(ctx, stock, server, settings{sale, item})
}

// servers asks Redis for its time on behalf of every open item.
func (r *Renew) servers(ctx context.Context) (map[seckill.ID]seckill.Server, error) {
	servers := make(map[seckill.ID]seckill.Server)
	err := r.ports.eachStock(ctx, func(ctx context.Context, stock seckill.Stock) error {
		server, err := r.ports.Lent.Server(ctx, stock.Item)
		if err != nil {
			return fmt.Errorf("ask redis for its time: %w", err)
		}
		servers[stock.Item] = server
		return nil
	}, seckill.StockOpen)
	if len(servers) > 0 {
		// What answered is renewed; the rest is reported at its next turn.
		return servers, nil
	}
	return nil, err
}

// settings are what an operator decides about an item.
type settings struct {
	sale seckill.Sale
	item seckill.Item
}

func (r *Renew) terms(ctx context.Context) (map[seckill.ID]settings, error) {
	now, err := r.ports.Catalog.Now(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the database's clock: %w", err)
	}
	sales, err := r.ports.Catalog.Running(ctx, now.Add(-time.Minute))
	if err != nil {
		return nil, fmt.Errorf("read running sales: %w", err)
	}
	terms := make(map[seckill.ID]settings)
	for _, sale := range sales {
		for _, item := range sale.Items {
			terms[item.ID] = settings{sale, item}
		}
	}
	return terms, nil
}

// renew is prolong for the rhythm: a gate that is gone is for Recover to judge.
func (r *Renew) renew(ctx context.Context, stock seckill.Stock, server seckill.Server, s settings) error {
	if err := r.prolong(ctx, stock, server, s); err != nil && !errors.Is(err, seckill.ErrNotLive) {
		return err
	}
	return nil
}

func (r *Renew) prolong(ctx context.Context, stock seckill.Stock, server seckill.Server, s settings) error {
	if stock.Halted != "" {
		return nil
	}
	// Settling judges by the ceiling, so it must be up before Redis can grant more (trap 28).
	if s.item.LimitPerUser > stock.Ceiling {
		if err := r.ports.Stocks.RaiseCeiling(ctx, stock.Item, s.item.LimitPerUser); err != nil {
			return fmt.Errorf("raise ceiling: %w", err)
		}
	}
	err := r.ports.Lent.Renew(ctx, seckill.Renewal{
		Gate:    seckill.Gate{Item: stock.Item, Epoch: stock.Epoch, Server: server, Until: server.Now.Add(stock.Gate)},
		Version: s.sale.Version, Paused: s.sale.Stopped(),
		OpensAt: s.sale.StartsAt, ClosesAt: s.sale.EndsAt, Limit: s.item.LimitPerUser,
	})
	if err != nil {
		return fmt.Errorf("renew gate: %w", err)
	}
	return nil
}
