package contract

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Catalog is the suite of seckill.Catalog.
func Catalog(t *testing.T, open func(t *testing.T) seckill.Catalog) {
	t.Helper()
	start := func(t *testing.T) *catalogCase {
		t.Helper()
		catalog := open(t)
		now, err := catalog.Now(t.Context())
		must(t, err)
		return &catalogCase{Catalog: catalog, t: t, now: now}
	}
	salesAreCreated(t, start)
	itemsAreRead(t, start)
	salesAreUpdated(t, start)
	updatesAreConditional(t, start)
	salesAreDeleted(t, start)
	salesChange(t, start)
	salesChangeAtTheirVersion(t, start)
	salesFollowTheClock(t, start)
	clockDecidesOnce(t, start)
	salesAreListed(t, start)
	actsAreKept(t, start)
}

// catalogCase is one test's catalog, with answers instead of errors.
type catalogCase struct {
	seckill.Catalog
	numbers
	t   *testing.T
	now time.Time
}

// draft is a sale of two items, one hour long, that begins in an hour.
func (c *catalogCase) draft() seckill.Sale {
	sale := seckill.Sale{
		ID: c.next(0), Name: "Singles' Day", State: seckill.SaleDraft, StartsAt: c.now.Add(time.Hour),
		EndsAt: c.now.Add(2 * time.Hour), PayWithin: 15 * time.Minute, Version: 1,
	}
	for _, sku := range []string{"phone", "case"} {
		sale.Items = append(sale.Items, seckill.Item{
			ID: c.next(0), Sale: sale.ID, SKU: sku, Title: "A " + sku, PriceMinor: 19900, Currency: "CNY", Allotment: 1000, LimitPerUser: 2,
			OneTry: sku == "phone",
		})
	}
	// The first item has the higher id: order is not by id.
	sale.Items[0].ID, sale.Items[1].ID = sale.Items[1].ID, sale.Items[0].ID
	return sale
}

func (c *catalogCase) act(action string, sale seckill.ID) seckill.Act {
	return seckill.Act{Actor: "operator:ann", Action: action, Target: sale, Before: "{}", After: `{"a":1}`}
}

func (c *catalogCase) create(sale seckill.Sale) seckill.Sale {
	c.t.Helper()
	must(c.t, c.Create(c.t.Context(), sale, c.act("sale.create", sale.ID)))
	return c.sale(sale.ID)
}

// in is a new sale that has been brought to a state.
func (c *catalogCase) in(state seckill.SaleState, window ...time.Duration) seckill.Sale {
	c.t.Helper()
	sale := c.draft()
	if len(window) == 2 {
		sale.StartsAt, sale.EndsAt = c.now.Add(window[0]), c.now.Add(window[1])
	}
	c.create(sale)
	path := map[seckill.SaleState][]seckill.SaleState{
		seckill.SaleScheduled: {seckill.SaleScheduled},
		seckill.SaleLive:      {seckill.SaleScheduled, seckill.SaleLive},
		seckill.SalePaused:    {seckill.SaleScheduled, seckill.SalePaused},
		seckill.SaleEnded:     {seckill.SaleScheduled, seckill.SaleEnded},
	}
	from := seckill.SaleDraft
	for _, to := range path[state] {
		if !c.change(sale.ID, to, from) {
			c.t.Fatalf("the sale could not become %s", to)
		}
		from = to
	}
	return c.sale(sale.ID)
}

func (c *catalogCase) change(sale seckill.ID, to seckill.SaleState, from ...seckill.SaleState) bool {
	c.t.Helper()
	changed, err := c.Change(c.t.Context(), seckill.SaleChange{
		Sale: sale, From: from, To: to, Act: c.act("sale."+string(to), sale),
	})
	must(c.t, err)
	return changed
}

func (c *catalogCase) sale(id seckill.ID) seckill.Sale {
	c.t.Helper()
	sale, err := c.Sale(c.t.Context(), id)
	must(c.t, err)
	return sale
}

func (c *catalogCase) update(sale seckill.Sale) bool {
	c.t.Helper()
	changed, err := c.Update(c.t.Context(), sale, c.act("sale.update", sale.ID))
	must(c.t, err)
	return changed
}

func (c *catalogCase) delete(sale seckill.Sale) bool {
	c.t.Helper()
	deleted, err := c.Delete(c.t.Context(), sale.ID, sale.Version, c.act("sale.delete", sale.ID))
	must(c.t, err)
	return deleted
}

func (c *catalogCase) advance() []seckill.ID {
	c.t.Helper()
	changed, err := c.Advance(c.t.Context())
	must(c.t, err)
	return changed
}

func (c *catalogCase) want(want seckill.Sale) {
	c.t.Helper()
	if diff := cmp.Diff(want, c.sale(want.ID)); diff != "" {
		c.t.Fatalf("the sale differs:\n%s", diff)
	}
}

func (c *catalogCase) wantActs(target seckill.ID, want ...string) {
	c.t.Helper()
	acts, err := c.Acts(c.t.Context(), target, 10)
	must(c.t, err)
	var got []string
	for _, act := range acts {
		got = append(got, act.Action)
	}
	if !slices.Equal(got, want) {
		c.t.Fatalf("the log says %v, want %v", got, want)
	}
}

// ids are those of sales, in order.
func ids(sales ...seckill.Sale) []seckill.ID {
	var ids []seckill.ID
	for _, sale := range sales {
		ids = append(ids, sale.ID)
	}
	return ids
}
