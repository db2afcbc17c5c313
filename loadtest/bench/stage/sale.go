package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/api"
)

const (
	saleItemsMax = 100 // the product's own bound
	saleLasts    = 6 * time.Hour
	payWithin    = 24 * 3600 // seconds: no order is cancelled while it is counted
	liveWithin   = 2 * time.Minute
	drainWithin  = 4 * time.Minute
	slowPoll     = 200 * time.Millisecond // where each look costs something
	orderTables  = 16
)

// Sale is items that are being sold, in as many sales as they need.
type Sale struct {
	IDs   []string
	Items []string
}

// Item is the first one.
func (s Sale) Item() string { return s.Items[0] }

// OnlyItem is the sale with its first item alone, for those that nobody buys others of.
func (s Sale) OnlyItem() Sale { return Sale{IDs: s.IDs[:1], Items: s.Items[:1]} }

// list is the items as SQL lists them: numbers, as the product wrote them.
func (s Sale) list() string { return strings.Join(s.Items, ",") }

// Sell makes items, one unit per shopper, and returns when shoppers can buy them. Api and keeper must run.
func (p *Product) Sell(ctx context.Context, items int, units int64) (Sale, error) {
	var made Sale
	for left := items; left > 0; left -= saleItemsMax {
		sale, err := p.Operators.CreateSale(ctx, newSale(min(left, saleItemsMax), units))
		if err != nil {
			return made, fmt.Errorf("create a sale: %w", err)
		}
		made.IDs = append(made.IDs, sale.ID)
		for _, item := range sale.Items {
			made.Items = append(made.Items, item.ID)
		}
		if _, err := p.Operators.Preload(ctx, sale.ID, 0, false); err != nil {
			return made, fmt.Errorf("preload a sale: %w", err)
		}
	}
	return made, p.AwaitLive(ctx, made)
}

// AwaitLive returns when shoppers can buy every item.
func (p *Product) AwaitLive(ctx context.Context, sale Sale) error {
	for _, item := range sale.Items {
		if err := await(ctx, liveWithin, poll, func(ctx context.Context) (bool, error) { return p.isLive(ctx, item), nil }); err != nil {
			return fmt.Errorf("item %s is not for sale: %w", item, err)
		}
	}
	return nil
}

func newSale(items int, units int64) api.NewSale {
	price := int64(4999)
	now := time.Now().UTC().Truncate(time.Second)
	sale := api.NewSale{Name: "Bench", StartsAt: now, EndsAt: now.Add(saleLasts), PayWithinSeconds: payWithin}
	for n := range items {
		sale.Items = append(sale.Items, api.NewItem{
			Sku: fmt.Sprintf("BENCH-%d", n), Title: "Bench", PriceMinor: &price, Currency: "EUR", Allotment: units, LimitPerUser: 1,
		})
	}
	return sale
}

func (p *Product) isLive(ctx context.Context, id string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Config.URL()+"/v1/items/"+id, http.NoBody)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	var item api.Item
	err = json.NewDecoder(response.Body).Decode(&item)
	return err == nil && item.State == api.SaleStateLive && item.Available != nil && *item.Available > 0
}

// Finish ends the sales, so that their items are no longer live.
func (p *Product) Finish(ctx context.Context, sale Sale) error {
	for _, id := range sale.IDs {
		if _, err := p.Operators.End(ctx, id, 0); err != nil {
			return fmt.Errorf("end a sale: %w", err)
		}
	}
	return nil
}

// Drained is how a queue was worked off, from the first claim that was seen to the last order.
type Drained struct {
	Orders int64
	Took   time.Duration
}

// PerSecond is the rate.
func (d Drained) PerSecond() float64 { return float64(d.Orders) / d.Took.Seconds() }

// AwaitOrders returns when the items of a sale have as many orders, each with its claim. Only what came after the first
// look that saw a claim counts.
func (p *Product) AwaitOrders(ctx context.Context, sale Sale, want int64) (Drained, error) {
	every := poll
	if p.SQL == nil || len(sale.Items) > 1 {
		every = slowPoll
	}
	var begun time.Time
	var before int64
	err := await(ctx, drainWithin, every, func(ctx context.Context) (bool, error) {
		claimed, err := p.claimed(ctx, sale)
		if err != nil || claimed == 0 {
			return false, err
		}
		if begun.IsZero() {
			begun, before = time.Now(), claimed
		}
		if claimed < want {
			return false, nil
		}
		ordered, err := p.ordered(ctx, sale)
		return ordered >= want, err
	})
	if err != nil {
		return Drained{}, fmt.Errorf("await %d orders: %w", want, err)
	}
	return Drained{Orders: want - before, Took: time.Since(begun)}, nil
}

func (p *Product) claimed(ctx context.Context, sale Sale) (n int64, err error) {
	if p.SQL == nil {
		return p.embeddedOrders(ctx, sale)
	}
	err = p.SQL.QueryRowContext(ctx, "SELECT SUM(claimed) FROM stock WHERE item IN ("+sale.list()+")").Scan(&n)
	return n, err
}

func (p *Product) ordered(ctx context.Context, sale Sale) (n int64, err error) {
	if p.SQL == nil {
		return p.embeddedOrders(ctx, sale)
	}
	counts := make([]string, orderTables)
	for i := range counts {
		counts[i] = fmt.Sprintf("(SELECT COUNT(*) FROM orders_%02d WHERE item IN (%s))", i, sale.list())
	}
	err = p.SQL.QueryRowContext(ctx, "SELECT "+strings.Join(counts, " + ")).Scan(&n)
	return n, err
}

// embeddedOrders asks the operators' API: the file is another process's.
func (p *Product) embeddedOrders(ctx context.Context, sale Sale) (int64, error) {
	stats, err := p.Operators.Stats(ctx, sale.IDs[0])
	if err != nil {
		return 0, err
	}
	for _, s := range stats.Items {
		if s.ItemID == sale.Item() {
			return s.Unpaid + s.Paid, nil
		}
	}
	return 0, fmt.Errorf("no item %s in its sale", sale.Item())
}
