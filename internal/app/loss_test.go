package app_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestRedisLost(t *testing.T) {
	t.Parallel()
	t.Run("peers: not oversold after data loss: busy for seconds, then everything is sold and nobody promised is refused", func(t *testing.T) {
		t.Parallel()
		s := openSale(t, 600, 1)
		var emptied atomic.Int64
		s.crowd(1200, func(n int) {
			_, err := s.insist(user(n), 1, key(n))
			if reason := seckill.ReasonOf(err); err != nil && reason != seckill.SoldOut {
				t.Errorf("user %d: %v", n, err)
			}
			// Twice: the second time while the second epoch sells.
			if sold := s.promised(); sold > 50 && emptied.CompareAndSwap(0, 1) {
				s.emptyRedis()
			} else if emptied.Load() == 1 && s.stock().Claimed > 100 && s.sellsAnew() && emptied.CompareAndSwap(1, 2) {
				s.emptyRedis()
			}
		})
		if emptied.Load() != 2 {
			t.Fatalf("redis was emptied %d times, want 2", emptied.Load())
		}
		s.soldOut()
		s.addsUp()
		if stock := s.stock(); stock.Epoch < 3 {
			t.Fatalf("epoch %d after two losses", stock.Epoch)
		}
	})
	t.Run("many keepers at once do it as one would", manyKeepersRebuild)
	t.Run("another item of the same queue sells on while one is rebuilt", neighbourSellsOn)
	t.Run("never costs an epoch when nothing is lost", func(t *testing.T) {
		t.Parallel()
		s := openSale(t, 100, 1)
		s.crowd(150, func(n int) { _, _ = s.insist(user(n), 1, "") })
		s.soldOut()
		s.addsUp()
		if stock := s.stock(); stock.Epoch != 1 || stock.Doubt != 0 {
			t.Fatalf("epoch %d, doubt %d", stock.Epoch, stock.Doubt)
		}
	})
	t.Run("a restart goes on in the next epoch with what is left", func(t *testing.T) {
		t.Parallel()
		s := openSale(t, 100, 1)
		s.crowd(40, func(n int) { _, _ = s.insist(user(n), 1, key(n)) })
		s.restart()
		s.crowd(120, func(n int) { _, _ = s.insist(user(n), 1, key(n)) })
		s.soldOut()
		s.addsUp()
		s.wantOrders(100)
	})
}

// manyKeepersRebuild has eight keepers see the same loss at the same time, twice.
func manyKeepersRebuild(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.plan.Keepers = 8
	s.start()
	s.preload(120, 1, -time.Second, time.Hour)
	s.awaitLive()
	for round := range 3 {
		s.crowd(40, func(n int) { _, _ = s.insist(user(40*round+n), 1, key(40*round+n)) })
		if round < 2 {
			s.emptyRedis()
		}
	}
	s.soldOut()
	s.addsUp()
	s.wantOrders(120)
	if stock := s.stock(); stock.Epoch < 3 || stock.Epoch > 3+loadsMax {
		t.Errorf("epoch %d after two losses", stock.Epoch)
	}
}

// loadsMax is how many epochs more than losses there may be: a busy machine may take a load for one that stands still.
const loadsMax = 3

// neighbourUnits are more than a shopper every ten milliseconds buys while an item is rebuilt.
const neighbourUnits = 3000

// neighbourSellsOn rebuilds one item, because units are taken from it that are lent, while shoppers buy another one that has
// the same queue. They buy it, and it needs no new epoch: at worst a full machine has one of them ask again.
func neighbourSellsOn(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	neighbour := s.twoAtHome()
	s.crowd(20, func(n int) { _, _ = s.insist(user(n), 1, key(n)) })
	s.settled()
	less := seckill.Adjustment{Item: s.item.ID, Op: "less", Delta: -100}
	if _, err := s.system.Operate.AdjustStock(t.Context(), "test", less); err != nil {
		t.Fatal(err)
	}
	bought := int64(0)
	for ; !s.sellsAnew() && bought < neighbourUnits; bought++ {
		if err := s.insistOn(neighbour, user(int(bought)), key(int(bought))); err != nil {
			t.Errorf("buyer %d of the neighbour hears %v", bought, err)
		}
		time.Sleep(10 * time.Millisecond) //nolint:forbidigo // a shopper's pause, not a wait for a state
	}
	t.Logf("%d were sold of the neighbour meanwhile", bought)
	var stock seckill.Stock
	s.await("all of them are settled", func() bool {
		var err error
		stock, err = s.system.Backend.Stocks.Get(t.Context(), neighbour)
		return err == nil && stock.Claimed == bought
	})
	if stock.Epoch != 1 || bought == 0 || !s.sellsAnew() {
		t.Errorf("the neighbour is %+v; the item is %+v", stock, s.stock())
	}
	s.crowd(20, func(n int) { _, _ = s.insist(user(20+n), 1, key(20+n)) })
	s.addsUp()
	if stock := s.stock(); stock.Allotted != neighbourUnits-100 || stock.Claimed != 40 {
		t.Errorf("%+v", stock)
	}
}

// insistOn buys a unit of an item until there is an answer that stays.
func (s *shop) insistOn(item seckill.ID, user seckill.UserID, key string) error {
	_, err := s.patiently(func() (purchase.Receipt, error) {
		return s.system.Buying.Buy(s.t.Context(), purchase.Request{Item: item, User: user, Quantity: 1, Key: key})
	})
	return err
}

// twoAtHome puts a sale on of which the shop's item and the one that it returns live on one shard.
func (s *shop) twoAtHome() (neighbour seckill.ID) {
	s.t.Helper()
	drafts := make([]operate.DraftItem, s.system.Backend.Shards.Count()+1) // two of them share a shard
	for i := range drafts {
		drafts[i] = operate.DraftItem{
			SKU: fmt.Sprint("SKU-", i), Title: "A", PriceMinor: 100, Currency: "EUR", Allotment: neighbourUnits, LimitPerUser: 1,
		}
	}
	now := time.Now()
	sale, err := s.system.Operate.Create(s.t.Context(), "test", operate.Draft{
		Name: "sale", StartsAt: now.Add(-time.Second), EndsAt: now.Add(time.Hour), PayWithin: time.Hour, Items: drafts,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.preloaded(sale.ID)
	homes := make(map[int]seckill.Item)
	for _, item := range sale.Items {
		home := seckill.HomeShard(s.system.Backend.Shards, item.ID)
		if first, shared := homes[home]; shared {
			s.item, neighbour = first, item.ID
		}
		homes[home] = item
	}
	s.awaitLive()
	s.await("the neighbour is live", func() bool {
		view, ok := s.system.Buying.View(neighbour)
		return ok && view.Known
	})
	return neighbour
}

// sleeper stops the first goroutine that passes a point until it is woken, as a process that was stopped would.
type sleeper struct {
	point  string
	passed atomic.Bool
	asleep chan struct{}
	wake   chan struct{}
}

func newSleeper(point string) *sleeper {
	return &sleeper{point: point, asleep: make(chan struct{}), wake: make(chan struct{})}
}

func (s *sleeper) pass(point string) {
	if point == s.point && s.passed.CompareAndSwap(false, true) {
		close(s.asleep)
		<-s.wake
	}
}

// TestKeeperSleeps is a keeper that stops between two steps of the rebuild and wakes up when another one has gone on.
func TestKeeperSleeps(t *testing.T) {
	t.Parallel()
	for _, point := range []string{afterSeal, afterRebuild, afterLoadBuyers, afterLoad, beforeOpen, afterOpen} {
		t.Run("traps 9, 10, 24, 34: changes nothing when it wakes up "+point, func(t *testing.T) {
			t.Parallel()
			sleeping := newSleeper(point)
			var armed atomic.Bool
			s := openSale(t, 60, 1, cuts{func(p string) {
				if armed.Load() {
					sleeping.pass(p)
				}
			}}.option())
			s.crowd(20, func(n int) { _, _ = s.insist(user(n), 1, key(n)) })
			s.settled()
			before := s.stock().Epoch
			armed.Store(true)
			s.emptyRedis()
			select {
			case <-sleeping.asleep:
			case <-time.After(patience):
				t.Fatal("no keeper passed the point")
			}
			s.await("another keeper has opened a later epoch", func() bool {
				stock := s.stock()
				view, ok := s.system.Buying.View(s.item.ID)
				return stock.State == seckill.StockOpen && stock.Epoch > before && ok && view.Known
			})
			s.crowd(20, func(n int) { _, _ = s.insist(user(100+n), 1, key(100+n)) })
			close(sleeping.wake)
			s.crowd(60, func(n int) { _, _ = s.insist(user(200+n), 1, key(200+n)) })
			s.soldOut()
			s.addsUp()
		})
	}
}
