package app_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestEnd(t *testing.T) {
	t.Parallel()
	t.Run("accepts nothing after the operator was told that the sale has ended", func(t *testing.T) {
		t.Parallel()
		s := openShop(t)
		sale := s.preload(100_000, 1, -time.Second, time.Hour)
		var told atomic.Bool
		var late atomic.Int64
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.crowd(8, func(shopper int) {
				for n := 0; ; n++ {
					before := told.Load()
					_, err := s.buy(user(shopper*1_000_000+n), 1, "")
					if before && err == nil {
						late.Add(1)
					}
					if seckill.ReasonOf(err) == seckill.Ended {
						return
					}
				}
			})
		}()
		s.await("some are sold", func() bool { return s.promised() > 20 })
		if _, err := s.system.Operate.End(t.Context(), "test", sale.ID); err != nil {
			t.Fatal(err)
		}
		told.Store(true)
		<-ended
		if late.Load() > 0 {
			t.Errorf("%d purchases were accepted after that", late.Load())
		}
		s.addsUp()
		s.await("the item is closed", func() bool { return s.stock().State == seckill.StockClosed })
	})
}

// manyItems is enough to let two calls for each fall behind a gate of one second.
const manyItems = 40

func TestManyItems(t *testing.T) {
	t.Parallel()
	t.Run("sells each of many items of one sale", func(t *testing.T) {
		t.Parallel()
		s := openShop(t)
		draft := operate.Draft{Name: "many", StartsAt: time.Now(), EndsAt: time.Now().Add(time.Hour), PayWithin: time.Hour}
		for n := range manyItems {
			draft.Items = append(draft.Items, operate.DraftItem{
				SKU: fmt.Sprint(n), Title: "A", PriceMinor: 100, Currency: "EUR", Allotment: 2, LimitPerUser: 1,
			})
		}
		sale, err := s.system.Operate.Create(t.Context(), "test", draft)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.system.Operate.Preload(t.Context(), "test", sale.ID, false); err != nil {
			t.Fatal(err)
		}
		for _, item := range sale.Items {
			s.item = item
			for _, who := range []seckill.UserID{"ann", "bob"} {
				// Without a key, somebody whose unit is the last one could ask again after an unknown outcome and hear sold_out.
				if _, err := s.insist(who, 1, "the-try-of-"+string(who)); err != nil {
					t.Fatalf("item %s: %v", item.SKU, err)
				}
			}
			_, err := s.insist("eve", 1, "")
			wantReason(t, err, seckill.SoldOut)
		}
		s.await("every unit has its order", func() bool {
			report, err := s.system.Audit.Run(t.Context(), nil)
			return err == nil && report.OK && report.Checked.Orders == 2*manyItems
		})
	})
}
