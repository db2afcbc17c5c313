package contract

import (
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func salesAreCreated(t *testing.T, start func(t *testing.T) *catalogCase) {
	t.Helper()
	t.Run("keeps a draft with its items in their order", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		sale := c.draft()
		want := sale
		sale.State, sale.Version = seckill.SaleLive, 9 // a new sale is a draft whatever it says
		want.CreatedAt = c.create(sale).CreatedAt
		c.want(want)
		if want.CreatedAt.Before(c.now) {
			t.Fatalf("created at %v, before the test began at %v", want.CreatedAt, c.now)
		}
	})
	t.Run("creates the same sale once", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		sale := c.draft()
		first := c.create(sale)
		sale.Name = "another"
		c.create(sale)
		c.want(first)
		c.wantActs(sale.ID, "sale.create")
	})
	t.Run("writes nothing of a sale with an impossible item", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		sale := c.draft()
		sale.Items[1].LimitPerUser = 0
		if err := c.Create(t.Context(), sale, c.act("sale.create", sale.ID)); err == nil {
			t.Fatal("the sale was accepted")
		}
		_, err := c.Sale(t.Context(), sale.ID)
		wantMissing(t, err)
		c.wantActs(sale.ID)
	})
}

func itemsAreRead(t *testing.T, start func(t *testing.T) *catalogCase) {
	t.Helper()
	t.Run("reads one item", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		sale := c.create(c.draft())
		got, err := c.Item(t.Context(), sale.Items[1].ID)
		must(t, err)
		if got != sale.Items[1] {
			t.Fatalf("got %+v, want %+v", got, sale.Items[1])
		}
	})
	t.Run("misses what does not exist", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		_, err := c.Sale(t.Context(), 4711)
		wantMissing(t, err)
		_, err = c.Item(t.Context(), 4711)
		wantMissing(t, err)
	})
}

// edited is the sale with everything changed that an operator may ask for.
func edited(c *catalogCase, sale seckill.Sale) seckill.Sale {
	sale.Name, sale.PayWithin = "Black Friday", time.Hour
	sale.StartsAt, sale.EndsAt = sale.StartsAt.Add(time.Hour), sale.EndsAt.Add(2*time.Hour)
	kept := sale.Items[1]
	kept.LimitPerUser, kept.PriceMinor, kept.Title, kept.OneTry = 5, 1, "cheap", true
	added := kept
	added.ID, added.SKU = c.next(0), "cable"
	sale.Items = []seckill.Item{added, kept}
	return sale
}

func salesAreUpdated(t *testing.T, start func(t *testing.T) *catalogCase) {
	t.Helper()
	t.Run("replaces everything of a draft", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		sale := edited(c, c.create(c.draft()))
		if !c.update(sale) {
			t.Fatal("the present version was refused")
		}
		sale.Version++
		c.want(sale)
		c.wantActs(sale.ID, "sale.update", "sale.create")
	})
	t.Run("changes only name, window and limits later", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		before := c.in(seckill.SaleScheduled)
		after := edited(c, before)
		if !c.update(after) {
			t.Fatal("the present version was refused")
		}
		want := before
		want.Name, want.StartsAt, want.EndsAt, want.Version = after.Name, after.StartsAt, after.EndsAt, before.Version+1
		want.Items[1].LimitPerUser = 5
		c.want(want)
	})
}

func updatesAreConditional(t *testing.T, start func(t *testing.T) *catalogCase) {
	t.Helper()
	t.Run("changes nothing for who read an older version", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		old := c.create(c.draft())
		c.update(old)
		present := c.sale(old.ID)
		if c.update(edited(c, old)) {
			t.Fatal("an old version was accepted")
		}
		c.want(present)
		c.wantActs(old.ID, "sale.update", "sale.create")
	})
	t.Run("lets exactly one of two editors win", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		sale := c.create(c.draft())
		won := race(t, 2, func(int) (bool, error) {
			return c.Update(t.Context(), sale, c.act("sale.update", sale.ID))
		})
		if won != 1 || c.sale(sale.ID).Version != 2 {
			t.Fatalf("%d editors won", won)
		}
	})
	t.Run("does not make a deleted sale again", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		sale := c.create(c.draft())
		c.delete(sale)
		if c.update(sale) {
			t.Fatal("a deleted sale was updated")
		}
	})
}

func salesAreDeleted(t *testing.T, start func(t *testing.T) *catalogCase) {
	t.Helper()
	t.Run("deletes a draft with its items, once", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		sale := c.create(c.draft())
		if !c.delete(sale) || c.delete(sale) {
			t.Fatal("want the draft deleted by the first call only")
		}
		_, err := c.Sale(t.Context(), sale.ID)
		wantMissing(t, err)
		_, err = c.Item(t.Context(), sale.Items[0].ID)
		wantMissing(t, err)
		c.wantActs(sale.ID, "sale.delete", "sale.create")
	})
	t.Run("deletes neither another version nor what is no draft", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		draft := c.create(c.draft())
		stale := draft
		stale.Version = 7
		scheduled := c.in(seckill.SaleScheduled)
		if c.delete(stale) || c.delete(scheduled) {
			t.Fatal("something was deleted")
		}
		c.want(draft)
		c.want(scheduled)
	})
	t.Run("either deletes or schedules, never both", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		sale := c.create(c.draft())
		won := race(t, 2, func(caller int) (bool, error) {
			if caller == 0 {
				return c.Delete(t.Context(), sale.ID, sale.Version, c.act("sale.delete", sale.ID))
			}
			return c.Change(t.Context(), seckill.SaleChange{
				Sale: sale.ID, From: []seckill.SaleState{seckill.SaleDraft}, To: seckill.SaleScheduled,
				Act: c.act("sale.preload", sale.ID),
			})
		})
		if won != 1 {
			t.Fatalf("%d of two won", won)
		}
	})
}
