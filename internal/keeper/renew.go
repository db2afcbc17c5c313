package keeper

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

var errGateLit = errors.New("the item is sealing and its gate has not lapsed yet")

// Renew prolongs the gate of every open item.
//
// It reads Redis' clock and identity first and SQL second: `until` is then counted from an instant at which SQL was yet to
// say "open", so a keeper that slept in between cannot prolong what was sealed meanwhile (trap 9).
//
// The catalog is another matter: it holds what operators decide, and Redis takes an older version of that for nothing. So
// while the catalog does not answer, gates are renewed with what it said last; whether an item may be sold is decided by
// its home shard alone.
type Renew struct {
	ports Ports
	// terms is what the catalog said at read.
	terms map[seckill.ID]settings
	read  time.Time
}

const (
	// termsWithin bounds the look at the catalog: waiting for it longer would let the gates lapse.
	termsWithin = 200 * time.Millisecond
	// termsQuiet is for how long that is no news: a busy machine needs longer now and then.
	termsQuiet = 3 * time.Second
	// termsKept is how long the catalog may be away; as long as ids are made without it.
	termsKept = 9 * time.Minute
)

// NewRenew returns the job.
func NewRenew(ports Ports) *Renew { return &Renew{ports: ports} }

// RunOnce renews every open item. A gate that is gone is not an error here: Recover judges it.
func (r *Renew) RunOnce(ctx context.Context) error {
	seen, failed := r.ports.look(ctx, 0)
	if len(seen.states) == 0 {
		return failed
	}
	catalog := r.look(ctx)
	var renewals []seckill.Renewal
	// A shard or a Redis that is away costs its own items their gates, and no others.
	err := r.ports.eachStock(ctx, func(ctx context.Context, stock seckill.Stock) error {
		redis, asked := seen.states[stock.Item]
		settings, running := r.terms[stock.Item]
		if !asked || !running || stock.Halted != "" {
			return nil
		}
		if err := r.raiseCeiling(ctx, stock, settings); err != nil {
			return err
		}
		renewals = append(renewals, renewalOf(stock, redis.Server, settings))
		return nil
	}, seckill.StockOpen)
	return errors.Join(failed, catalog, err, r.renew(ctx, renewals))
}

func (r *Renew) renew(ctx context.Context, renewals []seckill.Renewal) error {
	if len(renewals) == 0 {
		return nil
	}
	var failures []error
	for n, err := range r.ports.Lent.RenewAll(ctx, renewals) {
		if err != nil && !errors.Is(err, seckill.ErrNotLive) {
			failures = append(failures, fmt.Errorf("renew gate of item %s: %w", renewals[n].Item, err))
		}
	}
	return errors.Join(failures...)
}

// Carry sends an item's settings to Redis at once. No error means that Redis has them, or cannot sell before it has been
// loaded with them. An open item without a gate is an error, because a keeper may just be lighting it with older settings,
// and so is a sealing one whose gate has not lapsed: either ends one gate length after the change at the latest.
func (r *Renew) Carry(ctx context.Context, id seckill.ID) error {
	server, err := r.ports.Lent.Server(ctx, id)
	if err != nil {
		return fmt.Errorf("ask redis for its time: %w", err)
	}
	stock, err := r.ports.Stocks.Get(ctx, id)
	if errors.Is(err, seckill.ErrNotFound) {
		return nil // it has not begun: who loads it reads the settings first
	}
	if err != nil {
		return fmt.Errorf("read stock: %w", err)
	}
	// A seal lets the gate lapse; until then Redis sells under the settings it has.
	if stock.State == seckill.StockSealing && stock.ReadAt.Before(stock.Since.Add(stock.Gate+seckill.CloseMargin)) {
		return errGateLit
	}
	if stock.State != seckill.StockOpen {
		return nil
	}
	sale, item, err := r.ports.saleOf(ctx, id)
	if err != nil {
		return err
	}
	settled := settings{sale, item}
	if stock.Halted != "" {
		return nil
	}
	if err := r.raiseCeiling(ctx, stock, settled); err != nil {
		return err
	}
	if err := r.ports.Lent.Renew(ctx, renewalOf(stock, server, settled)); err != nil {
		return fmt.Errorf("renew gate: %w", err)
	}
	return nil
}

// renewalOf prolongs a gate for one gate length after the time that Redis was asked for first.
func renewalOf(stock seckill.Stock, server seckill.Server, s settings) seckill.Renewal {
	opens, closes := s.window()
	return seckill.Renewal{
		Gate:    seckill.Gate{Item: stock.Item, Epoch: stock.Epoch, Server: server, Until: server.Now.Add(stock.Gate)},
		Version: s.sale.Version, Paused: s.paused(), OpensAt: opens, ClosesAt: closes, Limit: s.item.LimitPerUser,
	}
}

// raiseCeiling must come before Redis can grant more: settling judges by the ceiling (trap 28).
func (r *Renew) raiseCeiling(ctx context.Context, stock seckill.Stock, s settings) error {
	if s.item.LimitPerUser <= stock.Ceiling {
		return nil
	}
	if err := r.ports.Stocks.RaiseCeiling(ctx, stock.Item, s.item.LimitPerUser); err != nil {
		return fmt.Errorf("raise ceiling of item %s: %w", stock.Item, err)
	}
	return nil
}

// settings are what an operator decides about an item.
type settings struct {
	sale seckill.Sale
	item seckill.Item
}

func (s settings) paused() bool { return s.sale.State == seckill.SalePaused }

// window is when the item may be bought. That of a sale which was ended by hand is over, so that Redis says so even before
// its gate lapses.
func (s settings) window() (opens, closes time.Time) {
	if s.sale.State == seckill.SaleEnded {
		return time.UnixMilli(1), time.UnixMilli(1)
	}
	return s.sale.StartsAt, s.sale.EndsAt
}

// look reads the terms, or keeps those it has.
func (r *Renew) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, termsWithin)
	defer cancel()
	begun := r.ports.Clock.Now()
	terms, err := r.readTerms(ctx)
	switch age := begun.Sub(r.read); {
	case err == nil:
		r.terms, r.read = terms, begun
	case age > termsKept:
		r.terms = nil
	case age < termsQuiet:
		return nil
	}
	return err
}

func (r *Renew) readTerms(ctx context.Context) (map[seckill.ID]settings, error) {
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
