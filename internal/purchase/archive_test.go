package purchase_test

import (
	"context"
	"errors"
	"testing"

	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// TestArchive is about items that are not in the cache.
func TestArchive(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		item seckill.ID
		want seckill.Reason
	}{
		"ended long ago": {oldMug, seckill.Ended}, "draft": {draftMug, seckill.NotFound},
		"scheduled just now": {newMug, seckill.Busy}, "unknown": {1, seckill.NotFound},
	}
	for name, c := range cases {
		t.Run("answers "+string(c.want)+" when the sale is "+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 10)
			_, err := w.service.Buy(context.Background(), purchase.Request{Item: c.item, User: "ann", Quantity: 1})
			refused(t, err, c.want)
		})
	}
	t.Run("finds the claims of a sale that ended long ago", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 10)
		w.lent.set(func(s *seckill.LentState) { s.Live = false })
		w.sql.set(func(f *fakeSQL) { f.stock.State = seckill.StockClosed })
		w.sql.claim(orderedClaim())
		found, err := w.service.Status(context.Background(), "ann", oldMug, 5, 0)
		if err != nil || found.State != seckill.ReservationOrdered {
			t.Fatalf("%+v %v", found, err)
		}
	})
	t.Run("is busy without the database", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 10)
		w.sql.set(func(f *fakeSQL) { f.err = errors.New("down") })
		_, err := w.service.Buy(context.Background(), purchase.Request{Item: oldMug, User: "ann", Quantity: 1})
		refused(t, err, seckill.Busy)
		w.sql.set(func(f *fakeSQL) { f.err = nil })
	})
}

func TestArchiveBoundsItsReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10, func(_ *world, o *purchase.Options) { o.CatalogReadsMax = 1 })
	gate := make(chan struct{})
	w.sql.set(func(f *fakeSQL) {
		f.reading = func(call string) {
			if call == "item" {
				<-gate
			}
		}
	})
	buy := func() error {
		_, err := w.service.Buy(context.Background(), purchase.Request{Item: 1, User: "ann", Quantity: 1})
		return err
	}
	first := make(chan error, 1)
	go func() { first <- buy() }()
	eventually(t, "the first reads", func() bool { return w.sql.count("item") == 1 })
	refused(t, buy(), seckill.Busy)
	close(gate)
	refused(t, <-first, seckill.NotFound)
}
