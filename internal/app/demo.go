package app

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	demoName     = "Demo: a thousand keyboards"
	demoUnits    = 1000
	demoOpensIn  = 8 * time.Second
	demoLasts    = 2 * time.Hour
	demoPayIn    = 15 * time.Minute
	demoShopper  = "demo-shopper"
	demoTokenFor = 24 * time.Hour
	demoActor    = "demo"
)

// Demo returns the demonstration sale, preloaded: the one that a run before has left, unless it is over, or a new one that
// opens in a few seconds. Shoppers see it when this returns.
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
		if report.Sale.Name == demoName && !over {
			return report.Sale, true, nil
		}
	}
	return seckill.Sale{}, false, nil
}

func (s *System) createDemo(ctx context.Context) (seckill.Sale, error) {
	now, err := s.Backend.Catalog.Now(ctx)
	if err != nil {
		return seckill.Sale{}, err
	}
	opens := now.Add(demoOpensIn).Truncate(time.Second)
	return s.Operate.Create(ctx, demoActor, operate.Draft{
		Name: demoName, StartsAt: opens, EndsAt: opens.Add(demoLasts), PayWithin: demoPayIn,
		Items: []operate.DraftItem{{
			SKU: "KEYBOARD-1", Title: "Mechanical keyboard, limited edition", PriceMinor: 4999, Currency: "EUR",
			Allotment: demoUnits, LimitPerUser: 2,
		}},
	})
}

// Introduce prints what somebody needs to try a sale by hand.
func (s *System) Introduce(w io.Writer, sale seckill.Sale) error {
	token, err := s.Tokens.Mint(demoShopper, demoTokenFor)
	if err != nil {
		return fmt.Errorf("mint a shopper's token: %w", err)
	}
	credentials, err := s.Config.Credentials()
	if err != nil {
		return err
	}
	item := sale.Items[0]
	_, err = fmt.Fprintf(w, introduction, s.URL(), s.AdminURL(), sale.Name, item.Allotment,
		sale.StartsAt.Local().Format(time.TimeOnly), item.LimitPerUser, token, credentials.Operators[0].Key, item.ID, sale.ID,
		s.URL(), s.URL(), s.URL(), s.AdminURL(), s.AdminURL())
	return err
}

const introduction = `
  shoppers   %s
  operators  %s
  sale       %s: %d units, opens at %s, at most %d per shopper

  Paste this into another terminal:

    TOKEN=%s
    ADMIN=%s
    ITEM=%s SALE=%s

    curl -sw '\n' %s/v1/items/$ITEM
    curl -sw '\n' %s/v1/items/$ITEM/reservations -H "Authorization: Bearer $TOKEN" \
         -H 'Idempotency-Key: my-first-buy' -H 'Content-Type: application/json' -d '{"quantity":1}'
    curl -sw '\n' %s/v1/orders -H "Authorization: Bearer $TOKEN"
    curl -sw '\n' %s/admin/v1/sales/$SALE/stats -H "Authorization: Bearer $ADMIN"
    curl -sw '\n' %s/admin/v1/sales/$SALE/audit -H "Authorization: Bearer $ADMIN"

  Or send a crowd:  go run ./cmd/seckill crowd --shoppers 5000

`
