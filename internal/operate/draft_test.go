package operate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	t.Run("writes a draft, as it is answered", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		sale := w.create(t)
		found := w.get(t, sale.ID)
		sale.CreatedAt = found.Sale.CreatedAt // the database's own moment
		if diff := cmp.Diff(sale, found.Sale); diff != "" {
			t.Error(diff)
		}
		if sale.State != seckill.SaleDraft || found.StockState(sale.Items[0].ID) != seckill.StockNew {
			t.Errorf("sale %s, stock %s", sale.State, found.StockState(sale.Items[0].ID))
		}
		acts, err := w.catalog.Acts(t.Context(), sale.ID, 10)
		if err != nil || len(acts) != 1 || acts[0].Actor != ada || !strings.Contains(acts[0].After, `"allotment":1000`) ||
			!strings.Contains(acts[0].After, `"one_try":true`) {
			t.Errorf("log: %+v, %v", acts, err)
		}
	})
	t.Run("spreads items over the shards", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		homes := make(map[int]int)
		for _, item := range w.create(t, items(64)).Items {
			homes[seckill.HomeShard(w.ports.Shards, item.ID)]++
		}
		if len(homes) != 2 {
			t.Errorf("items per shard: %v", homes)
		}
	})
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	second := func(change func(*operate.DraftItem)) func(*operate.Draft) {
		return func(d *operate.Draft) {
			item := mug()
			item.SKU = "MUG-2"
			change(&item)
			d.Items = append(d.Items, item)
		}
	}
	for name, c := range map[string]struct {
		change func(*operate.Draft)
		field  string
	}{
		"no name":                {func(d *operate.Draft) { d.Name = "" }, "name"},
		"a blank name":           {func(d *operate.Draft) { d.Name = "   " }, "name"},
		"a long name":            {func(d *operate.Draft) { d.Name = strings.Repeat("é", 201) }, "name"},
		"a name of two lines":    {func(d *operate.Draft) { d.Name = "a\nb" }, "name"},
		"no start":               {func(d *operate.Draft) { d.StartsAt = time.Time{} }, "starts_at"},
		"no end":                 {func(d *operate.Draft) { d.EndsAt = time.Time{} }, "ends_at"},
		"seconds for years":      {func(d *operate.Draft) { d.EndsAt = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }, "ends_at"},
		"an empty window":        {func(d *operate.Draft) { d.EndsAt = d.StartsAt }, "ends_at"},
		"a window below a milli": {func(d *operate.Draft) { d.EndsAt = d.StartsAt.Add(999 * time.Microsecond) }, "ends_at"},
		"no time to pay":         {func(d *operate.Draft) { d.PayWithin = 0 }, "pay_within_seconds"},
		"too long to pay":        {func(d *operate.Draft) { d.PayWithin = 604801 * time.Second }, "pay_within_seconds"},
		"no items":               {items(0), "items"},
		"too many items":         {items(101), "items"},
		"no sku":                 {second(func(i *operate.DraftItem) { i.SKU = "" }), "items[1].sku"},
		"a sku twice":            {second(func(i *operate.DraftItem) { i.SKU = "MUG-1" }), "items[1].sku"},
		"no title":               {second(func(i *operate.DraftItem) { i.Title = "" }), "items[1].title"},
		"a negative price":       {second(func(i *operate.DraftItem) { i.PriceMinor = -1 }), "items[1].price_minor"},
		"a price beyond bounds":  {second(func(i *operate.DraftItem) { i.PriceMinor = 1e12 + 1 }), "items[1].price_minor"},
		"a small currency":       {second(func(i *operate.DraftItem) { i.Currency = "eur" }), "items[1].currency"},
		"no units":               {second(func(i *operate.DraftItem) { i.Allotment = 0 }), "items[1].allotment"},
		"too many units":         {second(func(i *operate.DraftItem) { i.Allotment = 1e8 + 1 }), "items[1].allotment"},
		"no limit":               {second(func(i *operate.DraftItem) { i.LimitPerUser = 0 }), "items[1].limit_per_user"},
		"a limit beyond bounds":  {second(func(i *operate.DraftItem) { i.LimitPerUser = 1001 }), "items[1].limit_per_user"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := w.Create(t.Context(), ada, draft(c.change))
			wantRefusal(t, err, seckill.Invalid, c.field)
		})
	}
}

// TestBounds: what the contract calls valid is taken, to the last unit.
func TestBounds(t *testing.T) {
	t.Parallel()
	document, err := openapi3.NewLoader().LoadFromData(api.Document())
	if err != nil {
		t.Fatal(err)
	}
	sale, item := document.Components.Schemas["NewSale"].Value, document.Components.Schemas["NewItem"].Value
	most := func(schema *openapi3.Schema, key string) int64 { return int64(*schema.Properties[key].Value.Max) }
	length := func(schema *openapi3.Schema, key string) int {
		return int(*schema.Properties[key].Value.MaxLength) //nolint:gosec // a bound of the contract
	}
	fullest := operate.DraftItem{
		SKU: strings.Repeat("s", length(item, "sku")), Title: strings.Repeat("é", length(item, "title")),
		PriceMinor: most(item, "price_minor"), Currency: "EUR", Allotment: most(item, "allotment"),
		LimitPerUser: most(item, "limit_per_user"),
	}
	w := newWorld(t)
	t.Run("takes the most that the contract allows", func(t *testing.T) {
		t.Parallel()
		w.create(t, items(int(*sale.Properties["items"].Value.MaxItems)), func(d *operate.Draft) { //nolint:gosec // same
			d.Name = strings.Repeat("é", length(sale, "name"))
			d.PayWithin = time.Duration(most(sale, "pay_within_seconds")) * time.Second
			d.Items[0] = fullest
		})
	})
	t.Run("takes the least that the contract allows", func(t *testing.T) {
		t.Parallel()
		w.create(t, func(d *operate.Draft) {
			d.Name, d.PayWithin, d.EndsAt = "n", time.Second, d.StartsAt.Add(time.Millisecond)
			d.Items = []operate.DraftItem{{SKU: "s", Title: "t", Currency: "EUR", Allotment: 1, LimitPerUser: 1}}
		})
	})
}

func TestDelete(t *testing.T) {
	t.Parallel()
	t.Run("removes a draft", deleteDraft)
	t.Run("leaves a sale that was preloaded, and names its state", deleteLive)
	t.Run("loses to an edit at the same moment", deleteBehindEdit)
}

func deleteDraft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.create(t)
	if err := w.Delete(t.Context(), ada, sale.ID, 0); err != nil {
		t.Fatal(err)
	}
	_, err := w.Get(t.Context(), sale.ID)
	wantRefusal(t, err, seckill.NotFound, "")
	wantRefusal(t, w.Delete(t.Context(), ada, sale.ID, 0), seckill.NotFound, "")
}

func deleteLive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.live(t)
	err := w.Delete(t.Context(), ada, sale.ID, 0)
	wantRefusal(t, err, seckill.Conflict, "")
	if !strings.Contains(err.Error(), "live") {
		t.Error(err)
	}
}

func deleteBehindEdit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.create(t)
	name := "another"
	w.catalog.meanwhile = func() {
		if _, err := w.Update(t.Context(), ben, sale.ID, operate.Patch{Name: &name}); err != nil {
			t.Error(err)
		}
	}
	wantRefusal(t, w.Delete(t.Context(), ada, sale.ID, 0), seckill.Conflict, "")
	if found := w.get(t, sale.ID).Sale; found.Name != name {
		t.Errorf("the name is %q", found.Name)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	t.Run("pages through every sale once, newest first", listPages)
	t.Run("keeps to the states that were asked for", listStates)
}

func listPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := make(map[seckill.ID]bool)
	for range 5 {
		made[w.create(t).ID] = true
	}
	query := seckill.SaleQuery{Limit: 2}
	for range 3 {
		page, err := w.List(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		for _, report := range page.Sales {
			if !made[report.Sale.ID] {
				t.Errorf("sale %s is there twice, or is none of ours", report.Sale.ID)
			}
			delete(made, report.Sale.ID)
		}
		query.After = page.Next
	}
	if len(made) > 0 || query.After != 0 {
		t.Errorf("left: %v, next: %s", made, query.After)
	}
}

func listStates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(t)
	sale := w.scheduled(t)
	page, err := w.List(t.Context(), seckill.SaleQuery{States: []seckill.SaleState{seckill.SaleScheduled}, Limit: 20})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Sales) != 1 || page.Sales[0].Sale.ID != sale.ID ||
		page.Sales[0].StockState(sale.Items[0].ID) != seckill.StockOpen {
		t.Errorf("%+v", page)
	}
}
