package operate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestUpdateOfADraft(t *testing.T) {
	t.Parallel()
	t.Run("changes everything", updateEverything)
	t.Run("writes only what changed into the log", updateInLog)
	t.Run("leaves it alone when nothing would change", updateNothing)
}

func updateEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.create(t)
	name, starts, within := "Autumn drop", sale.StartsAt.Add(time.Hour), time.Minute
	ends := starts.Add(time.Hour)
	cup, kept := mug(), mug()
	cup.SKU, kept.Allotment = "CUP-1", 7
	report, err := w.Update(t.Context(), ben, sale.ID, operate.Patch{
		Name: &name, StartsAt: &starts, EndsAt: &ends, PayWithin: &within, Items: []operate.DraftItem{cup, kept},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := report.Sale
	if got.Name != name || !got.StartsAt.Equal(starts) || !got.EndsAt.Equal(ends) || got.PayWithin != within {
		t.Errorf("%+v", got)
	}
	if len(got.Items) != 2 || got.Items[0].SKU != "CUP-1" || got.Items[1].Allotment != 7 || got.Items[1].ID != sale.Items[0].ID {
		t.Errorf("a sku that stays keeps its id: %+v", got.Items)
	}
	if got.Version != sale.Version+1 {
		t.Errorf("version %d", got.Version)
	}
}

func updateInLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.create(t)
	name := "a <b> & c"
	if _, err := w.Update(t.Context(), ben, sale.ID, operate.Patch{Name: &name}); err != nil {
		t.Fatal(err)
	}
	acts, err := w.catalog.Acts(t.Context(), sale.ID, 1)
	if err != nil || acts[0].Actor != ben || acts[0].Before != `{"name":"Spring drop"}` || acts[0].After != `{"name":"a <b> & c"}` {
		t.Errorf("%+v, %v", acts, err)
	}
}

func updateNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.create(t)
	report, err := w.Update(t.Context(), ben, sale.ID, operate.Patch{Name: &sale.Name, EndsAt: &sale.EndsAt})
	if err != nil || report.Sale.Version != sale.Version {
		t.Errorf("version %d, %v", report.Sale.Version, err)
	}
}

func TestUpdateOfADraftRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.create(t)
	long, early := strings.Repeat("n", 201), sale.StartsAt
	bad := mug()
	bad.Currency = ""
	for name, c := range map[string]struct {
		patch operate.Patch
		field string
	}{
		"nothing":                 {operate.Patch{}, "body"},
		"a name that is too long": {operate.Patch{Name: &long}, "name"},
		"an empty window":         {operate.Patch{EndsAt: &early}, "ends_at"},
		"no items":                {operate.Patch{Items: []operate.DraftItem{}}, "items"},
		"a bad item":              {operate.Patch{Items: []operate.DraftItem{mug(), bad}}, "items[1].currency"},
		"items and limits":        {operate.Patch{Items: []operate.DraftItem{mug()}, Limits: limits(sale, 3)}, "limits"},
		"a limit of nothing":      {operate.Patch{Limits: []operate.LimitChange{{Item: 1, LimitPerUser: 1}}}, "limits[0].item_id"},
		"a limit beyond bounds":   {operate.Patch{Limits: limits(sale, 1001)}, "limits[0].limit_per_user"},
		"two limits for one item": {operate.Patch{Limits: append(limits(sale, 3), limits(sale, 4)...)}, "limits[1].item_id"},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			_, err := w.Update(t.Context(), ada, sale.ID, c.patch)
			wantRefusal(t, err, seckill.Invalid, c.field)
		})
	}
}

func limits(sale seckill.Sale, limit int64) []operate.LimitChange {
	return []operate.LimitChange{{Item: sale.Items[0].ID, LimitPerUser: limit}}
}

func TestUpdateOfARunningSale(t *testing.T) {
	t.Parallel()
	t.Run("brings window and limit to Redis at once", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		sale := w.live(t)
		item := sale.Items[0].ID
		ends := sale.EndsAt.Add(time.Hour)
		report, err := w.Update(t.Context(), ben, sale.ID, operate.Patch{EndsAt: &ends, Limits: limits(sale, 5)})
		if err != nil {
			t.Fatal(err)
		}
		wantOK(t, report, 1)
		if got := w.inRedis(t, item); got.Limit != 5 || !got.ClosesAt.Equal(ends) {
			t.Errorf("redis has limit %d, end %s", got.Limit, got.ClosesAt)
		}
		if ceiling := report.Stocks[item].Ceiling; ceiling != 5 {
			t.Errorf("ceiling %d", ceiling)
		}
	})
	t.Run("moves a start that is still ahead", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		sale := w.scheduled(t, later)
		starts := sale.StartsAt.Add(time.Minute)
		if _, err := w.Update(t.Context(), ben, sale.ID, operate.Patch{StartsAt: &starts}); err != nil {
			t.Fatal(err)
		}
		if got := w.inRedis(t, sale.Items[0].ID); !got.OpensAt.Equal(starts) {
			t.Errorf("redis opens at %s", got.OpensAt)
		}
	})
}

func TestUpdateOfARunningSaleRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	live, ahead := w.live(t), w.scheduled(t, later)
	past, soon, within := time.Now().Add(-time.Second), time.Now().Add(time.Minute), time.Hour
	for name, c := range map[string]struct {
		sale   seckill.Sale
		patch  operate.Patch
		reason seckill.Reason
		field  string
	}{
		"new items":                     {live, operate.Patch{Items: []operate.DraftItem{mug()}}, seckill.Conflict, "items"},
		"another time to pay":           {live, operate.Patch{PayWithin: &within}, seckill.Conflict, "pay_within_seconds"},
		"another start once started":    {live, operate.Patch{StartsAt: &soon}, seckill.Conflict, "starts_at"},
		"an end in the past":            {live, operate.Patch{EndsAt: &past}, seckill.Invalid, "ends_at"},
		"a start in the past":           {ahead, operate.Patch{StartsAt: &past}, seckill.Invalid, "starts_at"},
		"an end before the start ahead": {ahead, operate.Patch{EndsAt: &soon}, seckill.Invalid, "ends_at"},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			_, err := w.Update(t.Context(), ada, c.sale.ID, c.patch)
			wantRefusal(t, err, c.reason, c.field)
		})
	}
	t.Run("says what can be changed instead of the items", func(t *testing.T) {
		t.Parallel()
		_, err := w.Update(t.Context(), ada, live.ID, operate.Patch{Items: []operate.DraftItem{mug()}})
		if err == nil || !strings.HasSuffix(err.Error(), operate.ItemsHint) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("refuses everything once it is over", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		sale := w.live(t)
		if _, err := w.End(t.Context(), ada, sale.ID); err != nil {
			t.Fatal(err)
		}
		_, err := w.Update(t.Context(), ada, sale.ID, operate.Patch{Limits: limits(sale, 5)})
		wantRefusal(t, err, seckill.Conflict, "")
	})
}

func TestTwoOperatorsAtOnce(t *testing.T) {
	t.Parallel()
	t.Run("one edits, the other hears conflict and nothing is lost", editBehindEdit)
	t.Run("an edit of a draft loses to its preload", editBehindPreload)
	t.Run("one ends while the other pauses: it stays ended", pauseBehindEnd)
}

func editBehindEdit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.create(t)
	mine, theirs := "mine", "theirs"
	w.catalog.meanwhile = func() {
		if _, err := w.Update(t.Context(), ben, sale.ID, operate.Patch{Name: &theirs}); err != nil {
			t.Error(err)
		}
	}
	_, err := w.Update(t.Context(), ada, sale.ID, operate.Patch{Name: &mine})
	wantRefusal(t, err, seckill.Conflict, "")
	if got := w.get(t, sale.ID).Sale.Name; got != theirs {
		t.Errorf("the name is %q", got)
	}
}

func editBehindPreload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.create(t)
	w.catalog.meanwhile = func() {
		if _, err := w.Preload(t.Context(), ben, sale.ID, false); err != nil {
			t.Error(err)
		}
	}
	_, err := w.Update(t.Context(), ada, sale.ID, operate.Patch{Items: []operate.DraftItem{mug(), func() operate.DraftItem {
		cup := mug()
		cup.SKU = "CUP-1"
		return cup
	}()}})
	wantRefusal(t, err, seckill.Conflict, "")
	if got := w.get(t, sale.ID); len(got.Sale.Items) != 1 || len(got.Stocks) != 1 {
		t.Errorf("%d items, %d rows", len(got.Sale.Items), len(got.Stocks))
	}
}

func pauseBehindEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.live(t)
	w.catalog.meanwhile = func() {
		if _, err := w.End(t.Context(), ben, sale.ID); err != nil {
			t.Error(err)
		}
	}
	_, err := w.Pause(t.Context(), ada, sale.ID)
	wantRefusal(t, err, seckill.Conflict, "")
	if !strings.Contains(err.Error(), "ended") {
		t.Error(err)
	}
	if got := w.get(t, sale.ID).Sale.State; got != seckill.SaleEnded {
		t.Errorf("the sale is %s", got)
	}
}
