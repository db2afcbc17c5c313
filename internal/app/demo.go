package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// DemoName is what the demonstration sale is called, DemoUnits how many units it has.
const (
	DemoName  = "Demo: keyboards"
	DemoUnits = 1000
)

const (
	demoOpensIn = 8 * time.Second
	demoLasts   = 2 * time.Hour
	demoPayIn   = 15 * time.Minute
	demoActor   = "demo"
)

// Demo returns the demonstration sale, preloaded: the one that a run before has left, unless it is over or sold out, or a new
// one that opens in a few seconds. Shoppers see it when this returns.
func (s *System) Demo(ctx context.Context) (seckill.Sale, error) {
	sale, err := s.prepareDemo(ctx)
	if err != nil {
		return seckill.Sale{}, err
	}
	return sale, s.awaitShown(ctx, sale.Items[0].ID)
}

func (s *System) prepareDemo(ctx context.Context) (seckill.Sale, error) {
	sale, found, err := s.findDemo(ctx)
	if err != nil {
		return seckill.Sale{}, err
	}
	if !found {
		if sale, err = s.createDemo(ctx); err != nil {
			return seckill.Sale{}, fmt.Errorf("create the demo sale: %w", err)
		}
	}
	if sale.State != seckill.SaleDraft {
		return sale, nil
	}
	report, err := s.Operate.Preload(ctx, demoActor, sale.ID, false)
	if err != nil {
		return seckill.Sale{}, fmt.Errorf("preload the demo sale: %w", err)
	}
	return report.Sale, nil
}

// awaitShown returns when shoppers see the item, or when ctx ends.
func (s *System) awaitShown(ctx context.Context, item seckill.ID) error {
	for {
		if _, found := s.Buying.View(item); found {
			return nil
		}
		select {
		case <-time.After(readyPoll):
		case <-ctx.Done():
			return fmt.Errorf("shoppers do not see the sale: %w", context.Cause(ctx))
		}
	}
}

func (s *System) findDemo(ctx context.Context) (seckill.Sale, bool, error) {
	now, err := s.Backend.Catalog.Now(ctx)
	if err != nil {
		return seckill.Sale{}, false, err
	}
	page, err := s.Operate.List(ctx, seckill.SaleQuery{Limit: 100})
	if err != nil {
		return seckill.Sale{}, false, err
	}
	for _, report := range page.Sales {
		over := report.Sale.State == seckill.SaleEnded || !now.Before(report.Sale.EndsAt)
		if report.Sale.Name != DemoName || over {
			continue
		}
		sold, err := s.isSoldOut(ctx, report.Sale)
		if err != nil || !sold {
			return report.Sale, err == nil, err
		}
	}
	return seckill.Sale{}, false, nil
}

// isSoldOut says that every unit of a sale is claimed. Of those that nobody has paid some may come back, but nobody who has
// just started a demonstration would wait for that.
func (s *System) isSoldOut(ctx context.Context, sale seckill.Sale) (bool, error) {
	for _, item := range sale.Items {
		stock, err := s.Backend.Stocks.Get(ctx, item.ID)
		if errors.Is(err, seckill.ErrNotFound) {
			return false, nil // not preloaded yet
		}
		if err != nil {
			return false, fmt.Errorf("read the stock of item %s: %w", item.ID, err)
		}
		if stock.Claimed < stock.Allotted {
			return false, nil
		}
	}
	return true, nil
}

func (s *System) createDemo(ctx context.Context) (seckill.Sale, error) {
	now, err := s.Backend.Catalog.Now(ctx)
	if err != nil {
		return seckill.Sale{}, err
	}
	return s.Operate.Create(ctx, demoActor, demoDraft(now))
}

// demoDraft is the demonstration sale, which opens in a few seconds.
func demoDraft(now time.Time) operate.Draft {
	opens := now.Add(demoOpensIn).Truncate(time.Second)
	return operate.Draft{
		Name: DemoName, StartsAt: opens, EndsAt: opens.Add(demoLasts), PayWithin: demoPayIn,
		Items: []operate.DraftItem{{
			SKU: "KEYBOARD-1", Title: "Mechanical keyboard, limited edition", PriceMinor: 4999, Currency: "EUR",
			Allotment: DemoUnits, LimitPerUser: 2,
		}},
	}
}

// NewDemo is the demonstration sale as operators send it over HTTP.
func NewDemo(now time.Time, units int64) api.NewSale {
	draft := demoDraft(now)
	sale := api.NewSale{Name: draft.Name, StartsAt: draft.StartsAt, EndsAt: draft.EndsAt, PayWithinSeconds: int(draft.PayWithin.Seconds())}
	for _, item := range draft.Items {
		sale.Items = append(sale.Items, api.NewItem{
			Sku: item.SKU, Title: item.Title, PriceMinor: &item.PriceMinor, Currency: item.Currency,
			Allotment: units, LimitPerUser: item.LimitPerUser,
		})
	}
	return sale
}
