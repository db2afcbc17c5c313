package operate_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/keeper"
	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func over(d *operate.Draft) {
	d.StartsAt, d.EndsAt = d.StartsAt.Add(-time.Hour), d.StartsAt.Add(time.Second)
}

func TestPreloadDryRun(t *testing.T) {
	t.Parallel()
	t.Run("checks everything and changes nothing", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		sale := w.create(t, items(3))
		report, err := w.Preload(t.Context(), ada, sale.ID, true)
		if err != nil {
			t.Fatal(err)
		}
		wantOK(t, report, 3)
		got := w.get(t, sale.ID)
		if got.Sale.State != seckill.SaleDraft || got.Sale.Version != sale.Version || len(got.Stocks) != 0 {
			t.Errorf("%s, version %d, %d rows", got.Sale.State, got.Sale.Version, len(got.Stocks))
		}
		if diff := cmp.Diff([]string{ada + " sale.create"}, w.actions(t, sale.ID)); diff != "" {
			t.Error(diff)
		}
	})
	for name, c := range map[string]struct {
		change func(*operate.Draft)
		fault  func(*world)
		detail string
	}{
		"a window that is over": {over, func(*world) {}, "the window ended at"},
		"redis away":            {later, func(w *world) { w.lent.server.fails(-1) }, "redis does not answer"},
		"a shard away":          {later, func(w *world) { w.stocks.get.fails(1) }, "the stock row cannot be read"},
	} {
		t.Run("finds "+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			sale := w.create(t, c.change)
			c.fault(w)
			report, err := w.Preload(t.Context(), ada, sale.ID, true)
			if err != nil {
				t.Fatal(err)
			}
			if check := report.Checks[0]; check.OK || !strings.Contains(check.Detail, c.detail) {
				t.Errorf("%+v", check)
			}
		})
	}
}

func TestPreloadOverAnotherRow(t *testing.T) {
	t.Parallel()
	t.Run("finds a row with other units", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		sale := w.create(t)
		other := sale.Items[0]
		other.Allotment = 5
		if err := w.stocks.Create(t.Context(), other, time.Second); err != nil {
			t.Fatal(err)
		}
		report, err := w.Preload(t.Context(), ada, sale.ID, true)
		if err != nil || report.Checks[0].OK {
			t.Errorf("%+v, %v", report.Checks, err)
		}
		_, err = w.Preload(t.Context(), ada, sale.ID, false)
		wantRefusal(t, err, seckill.Conflict, "")
	})
}

func TestPreload(t *testing.T) {
	t.Parallel()
	t.Run("lends every unit and schedules the sale", preloadLends)
	t.Run("done twice is done once", preloadTwice)
	t.Run("done by many at once lends each unit once", preloadAtOnce)
	t.Run("lends what the draft says when it is scheduled, not when it was read", preloadBehindEdit)
	t.Run("refuses a window that is over and changes nothing", preloadAfterWindow)
	t.Run("is busy while redis is away, and the draft stays one", preloadWithoutRedis)
	t.Run("continues what a crash left", preloadAfterCrash)
	t.Run("leaves what fails to the keepers, also when nobody asks again", preloadLeft)
	t.Run("leaves a load that broke off to the keepers, and says so", preloadBrokenLoad)
	t.Run("refuses a sale that has ended", preloadEnded)
}

func preloadLends(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.scheduled(t, items(12), later)
	if sale.State != seckill.SaleScheduled {
		t.Errorf("the sale is %s", sale.State)
	}
	for _, item := range sale.Items {
		if got := w.inRedis(t, item.ID); !got.Opened || got.Available != 1000 || got.Epoch != 1 {
			t.Errorf("%+v", got)
		}
	}
	if diff := cmp.Diff([]string{ada + " sale.create", ada + " sale.preload"}, w.actions(t, sale.ID)); diff != "" {
		t.Error(diff)
	}
}

func preloadTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.scheduled(t)
	before := w.get(t, sale.ID)
	report, err := w.Preload(t.Context(), ben, sale.ID, false)
	if err != nil {
		t.Fatal(err)
	}
	wantOK(t, report, 1)
	unchanged(t, before, report)
}

func preloadAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.create(t, items(4))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := w.Preload(t.Context(), ada, sale.ID, false); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, item := range sale.Items {
		stock := w.get(t, sale.ID).Stocks[item.ID]
		if stock.Epoch != 1 || stock.Issue != 1 || stock.Lent != 1000 || w.inRedis(t, item.ID).Available != 1000 {
			t.Errorf("%+v", stock)
		}
	}
	if n := len(w.actions(t, sale.ID)); n != 2 {
		t.Errorf("%d acts in the log", n)
	}
}

func preloadBehindEdit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.create(t)
	w.catalog.meanwhile = func() {
		less := mug()
		less.Allotment = 10
		if _, err := w.Update(t.Context(), ben, sale.ID, operate.Patch{Items: []operate.DraftItem{less}}); err != nil {
			t.Error(err)
		}
	}
	if _, err := w.Preload(t.Context(), ada, sale.ID, false); err != nil {
		t.Fatal(err)
	}
	got := w.get(t, sale.ID)
	if item := got.Sale.Items[0]; item.Allotment != 10 || got.Stocks[item.ID].Allotted != 10 {
		t.Errorf("item %d, row %d", item.Allotment, got.Stocks[item.ID].Allotted)
	}
}

func preloadAfterWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.create(t, over)
	_, err := w.Preload(t.Context(), ada, sale.ID, false)
	wantRefusal(t, err, seckill.Conflict, "")
	if got := w.get(t, sale.ID); got.Sale.State != seckill.SaleDraft || len(got.Stocks) != 0 {
		t.Errorf("%+v", got)
	}
}

func preloadWithoutRedis(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.create(t)
	w.lent.server.fails(-1)
	_, err := w.Preload(t.Context(), ada, sale.ID, false)
	wantRefusal(t, err, seckill.Busy, "")
	if got := w.get(t, sale.ID); got.Sale.State != seckill.SaleDraft {
		t.Errorf("the sale is %s", got.Sale.State)
	}
}

func preloadAfterCrash(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.create(t, items(3))
	w.stocks.create.fails(2)
	report, err := w.Preload(t.Context(), ada, sale.ID, false)
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for _, check := range report.Checks {
		if !check.OK {
			failed++
		}
	}
	if failed != 2 || len(report.Stocks) != 1 {
		t.Errorf("%d failed, %d rows", failed, len(report.Stocks))
	}
	if report, err = w.Preload(t.Context(), ada, sale.ID, false); err != nil {
		t.Fatal(err)
	}
	wantOK(t, report, 3)
	for _, item := range sale.Items {
		if stock := report.Stocks[item.ID]; stock.State != seckill.StockOpen || stock.Lent != 1000 || stock.Epoch != 1 {
			t.Errorf("%+v", stock)
		}
	}
}

func preloadLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.create(t, items(3))
	w.stocks.create.fails(2)
	if _, err := w.Preload(t.Context(), ada, sale.ID, false); err != nil {
		t.Fatal(err)
	}
	clock := handclock.New()
	w.keeper.Clock = clock
	begin := keeper.NewBegin(w.keeper)
	for range 2 {
		if err := begin.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Minute)
	}
	for item, stock := range w.get(t, sale.ID).Stocks {
		if got := w.inRedis(t, item); stock.State != seckill.StockOpen || !got.Opened || got.Available != 1000 {
			t.Errorf("%+v, in redis %+v", stock, got)
		}
	}
}

func preloadBrokenLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.create(t)
	w.lent.load.fails(1)
	report, err := w.Preload(t.Context(), ada, sale.ID, false)
	if err != nil || report.Checks[0].OK || report.StockState(sale.Items[0].ID) != seckill.StockLoading {
		t.Errorf("%+v, %v", report.Checks, err)
	}
}

func preloadEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.live(t)
	if _, err := w.End(t.Context(), ada, sale.ID); err != nil {
		t.Fatal(err)
	}
	for _, dryRun := range []bool{true, false} {
		_, err := w.Preload(t.Context(), ada, sale.ID, dryRun)
		wantRefusal(t, err, seckill.Conflict, "")
	}
}

// unchanged says that nothing was written between two reports, on either side.
func unchanged(t *testing.T, before, after operate.SaleReport) {
	t.Helper()
	if diff := cmp.Diff(before.Sale, after.Sale); diff != "" {
		t.Error(diff)
	}
	for id, stock := range before.Stocks {
		stock.ReadAt = after.Stocks[id].ReadAt
		if diff := cmp.Diff(stock, after.Stocks[id]); diff != "" {
			t.Error(diff)
		}
	}
}
