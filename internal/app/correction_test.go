package app_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

func TestCorrection(t *testing.T) {
	t.Parallel()
	t.Run("adds and takes units in the middle of a sale, once for each op, and sells what is left", sellsWhatIsLeft)
	t.Run("peers: stock does not grow: refuses to take what is claimed", takesNothingClaimed)
}

func sellsWhatIsLeft(t *testing.T) {
	t.Parallel()
	const units, delta = 2000, 500
	s := openSale(t, units, 1)
	var less atomic.Pointer[seckill.Adjusted]
	var adjusting sync.WaitGroup
	adjusting.Go(func() {
		s.await("some are sold", func() bool { return s.promised() > 20 })
		for range 3 {
			adjusting.Go(func() {
				adjusted := s.adjust("less", -delta) // is lent, unless all is sold by now
				less.Store(&adjusted)
				s.adjust("more", delta)
			})
		}
	})
	s.crowd(units+2*delta, func(n int) { _, _ = s.insist(user(n), 1, key(n)) })
	adjusting.Wait()
	s.await("what is owed is taken, and lent again", func() bool {
		stock := s.stock()
		return stock.State == seckill.StockOpen && stock.OwedDecrease == 0 && stock.Doubt == 0 && stock.Pool == 0
	})
	for n := units + 2*delta; s.stock().Claimed < s.stock().Allotted; n++ {
		_, _ = s.insist(user(n), 1, "")
		s.settled()
	}
	s.soldOut()
	s.addsUp()
	allotted, epoch := s.stock().Allotted, s.stock().Epoch
	t.Logf("%d units, epoch %d", allotted, epoch)
	if allotted < units || allotted > units+delta { // what was promised meanwhile was not taken
		t.Fatalf("%d units are left", allotted)
	}
	s.wantOrders(allotted)
	if less := less.Load(); less.Owed > 0 {
		s.awaitFetched(units + delta - allotted + less.Taken)
	}
}

// awaitFetched waits until the operators' log says how many lent units were taken.
func (s *shop) awaitFetched(taken int64) {
	s.t.Helper()
	s.await("the log says that units were fetched", func() bool {
		page, err := s.system.Operate.Log(s.t.Context(), seckill.ActQuery{Targets: []seckill.ID{s.item.ID}, Limit: 10})
		return err == nil && slices.ContainsFunc(page.Acts, func(act seckill.Act) bool {
			return act.Action == "stock.fetched" && strings.Contains(act.After, fmt.Sprintf(`"taken":%d}`, taken))
		})
	})
}

// adjust is an operator who asks until there is an answer, and is not refused.
func (s *shop) adjust(op string, delta int64) seckill.Adjusted {
	var adjusted seckill.Adjusted
	s.await("an answer to "+op, func() bool {
		var err error
		adjusted, err = s.stocks().Adjust(s.t.Context(), seckill.Adjustment{Item: s.item.ID, Op: op, Delta: delta})
		if err != nil && !errors.Is(err, seckill.ErrTransient) {
			s.t.Error(err)
		}
		return err == nil
	})
	if !adjusted.Refused && adjusted.Taken-adjusted.Owed != delta {
		s.t.Errorf("%s: %+v", op, adjusted)
	}
	return adjusted
}

func (s *shop) stocks() sqlstore.Stocks {
	stocks, ok := s.system.Backend.Stocks.(sqlstore.Stocks)
	if !ok {
		s.t.Errorf("the stocks are %T", s.system.Backend.Stocks)
	}
	return stocks
}

func takesNothingClaimed(t *testing.T) {
	t.Parallel()
	s := openSale(t, 10, 1)
	s.crowd(4, func(n int) { _, _ = s.insist(user(n), 1, key(n)) })
	s.settled()
	refused := s.adjust("too-much", -7)
	if !refused.Refused || refused.Largest != 6 {
		t.Fatalf("got %+v", refused)
	}
	if taken := s.adjust("all-there-is", -refused.Largest); taken.Refused {
		t.Fatalf("got %+v", taken)
	}
	s.await("it is taken", func() bool { return s.stock().Allotted == 4 && s.stock().State == seckill.StockOpen })
	s.soldOut()
	s.addsUp()
}

func TestOneTry(t *testing.T) {
	t.Parallel()
	t.Run("lets others buy what was given back, and not who gave it back, also after redis was emptied", triesOnce)
}

func triesOnce(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.preloadItem(operate.DraftItem{SKU: "A", Title: "A", PriceMinor: 100, Currency: "EUR", Allotment: 1, LimitPerUser: 1, OneTry: true})
	s.awaitLive()
	first := s.mustInsist(1, "ann-tries-once")
	s.settled()
	s.giveBack(first.Reservation.ID, "ann")
	s.await("it is lent again", func() bool { return s.stock().Lent == 1 })
	annAgain := func(when string) {
		t.Helper()
		s.await("ann hears of her limit "+when, func() bool {
			_, err := s.insist("ann", 1, "")
			wantReason(t, err, seckill.LimitReached, seckill.SoldOut)
			return seckill.ReasonOf(err) == seckill.LimitReached
		})
	}
	annAgain("at once")
	s.emptyRedis()
	s.await("it is sold again", func() bool { return s.sellsAnew() })
	annAgain("after redis was emptied")
	s.await("bob buys it", func() bool {
		_, err := s.insist("bob", 1, "bob-tries-once")
		return err == nil
	})
	s.settled()
	s.soldOut()
	s.addsUp()
}

// preloadItem is preload for a sale of one item that is on now.
func (s *shop) preloadItem(item operate.DraftItem) {
	s.t.Helper()
	now := time.Now()
	sale, err := s.system.Operate.Create(s.t.Context(), "test", operate.Draft{
		Name: "sale", StartsAt: now, EndsAt: now.Add(time.Hour), PayWithin: time.Hour, Items: []operate.DraftItem{item},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.await("it is preloaded", func() bool {
		_, err = s.system.Operate.Preload(s.t.Context(), "test", sale.ID, false)
		return seckill.ReasonOf(err) != seckill.Busy
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.item = sale.Items[0]
}

// giveBack cancels an order and returns its units, whoever else may do so.
func (s *shop) giveBack(order seckill.ID, user seckill.UserID) {
	s.t.Helper()
	payments := sqlstore.Payments{Store: s.stocks().Store}
	s.await("the order is cancelled", func() bool {
		_, cancelled, err := payments.Cancel(s.t.Context(), seckill.Cancellation{Order: order, User: user, Cause: seckill.CauseUser})
		return err == nil && cancelled
	})
	s.await("its units are back", func() bool {
		_, err := s.stocks().Return(s.t.Context(), s.item.ID, []seckill.Return{{Claim: order, User: user, Quantity: 1}})
		return err == nil && s.stock().Claimed == 0
	})
}
