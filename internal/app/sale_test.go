package app_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestSale(t *testing.T) {
	t.Parallel()
	t.Run("peers: no double order: sells 1,000 units to 5,000 users who retry, exactly once each", sellsOnceToWhoRetries)
	t.Run("says sold_out with what is left, and sells the rest to who asks for less", sellsTheRest)
	t.Run("keeps the limit over quantities and keys", keepsTheLimit)
}

func sellsOnceToWhoRetries(t *testing.T) {
	t.Parallel()
	s := openSale(t, 1000, 1)
	var refused atomic.Int64
	s.crowd(5000, func(n int) {
		for try := range 1 + n%3 {
			_, err := s.insist(user(n), 1, keyOfTry(n, try))
			switch seckill.ReasonOf(err) {
			case "":
			case seckill.SoldOut, seckill.LimitReached:
				refused.Add(1)
			default:
				t.Errorf("user %d: %v", n, err)
			}
		}
	})
	s.soldOut()
	s.addsUp()
	if refused.Load() < 4000 {
		t.Fatalf("%d refusals for 5,000 users and 1,000 units", refused.Load())
	}
	s.wantOrders(1000)
}

// keyOfTry is what a user sends with one of its tries: a third has no key, a third repeats its key, a third takes a new
// one each time.
func keyOfTry(n, try int) string {
	switch n % 3 {
	case 1:
		return key(n)
	case 2:
		return key(n*10 + try)
	default:
		return ""
	}
}

func sellsTheRest(t *testing.T) {
	t.Parallel()
	s := openSale(t, 100, 3)
	var partly atomic.Int64
	s.crowd(200, func(n int) {
		_, err := s.insist(user(n), int64(1+n%3), "")
		if seckill.ReasonOf(err) == seckill.SoldOut && availableOf(err) > 0 {
			partly.Add(1)
		}
	})
	for n := 1000; s.stock().Claimed < 100; n++ {
		_, _ = s.insist(user(n), 1, "")
		s.settled()
	}
	t.Logf("%d times sold_out with some left", partly.Load())
	s.soldOut()
	s.addsUp()
}

func availableOf(err error) int64 {
	var refusal *seckill.Refusal
	if errors.As(err, &refusal) {
		return refusal.Available
	}
	return 0
}

func keepsTheLimit(t *testing.T) {
	t.Parallel()
	s := openSale(t, 1000, 3)
	s.crowd(300, func(n int) { _, _ = s.insist(user(n%10), int64(1+n%3), key(n)) })
	s.settled()
	held := map[seckill.UserID]int64{}
	for _, told := range s.promises() {
		held[told.user] += told.quantity
	}
	for who, units := range held {
		if units > 3 {
			t.Errorf("%s holds %d units", who, units)
		}
	}
	s.addsUp()
}

func TestReplay(t *testing.T) {
	t.Parallel()
	t.Run("returns the same reservation and order, also after redis was emptied", replaysWithoutRedis)
	t.Run("trap 13: never hears sold_out, paused or ended for a unit it holds", replaysBeforeItRefuses)
}

func replaysWithoutRedis(t *testing.T) {
	t.Parallel()
	s := openSale(t, 10, 5)
	first := s.mustInsist(2, "ann-buys-two")
	s.settled()
	again := func(when string) {
		t.Helper()
		receipt, err := s.insist("ann", 2, "ann-buys-two")
		if err != nil || receipt.Reservation.ID != first.Reservation.ID || !receipt.Replayed {
			t.Fatalf("%s: %+v, %v", when, receipt, err)
		}
		_, err = s.insist("ann", 1, "ann-buys-two")
		wantReason(t, err, seckill.IdempotencyMismatch)
	}
	again("at once")
	s.emptyRedis()
	again("after redis was emptied")
	s.restart()
	again("after a restart")
	s.addsUp()
	s.wantOrders(1)
}

func replaysBeforeItRefuses(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sale := s.preload(1, 1, -time.Second, time.Hour)
	first := s.mustInsist(1, "the-last-one")
	repeat := func(when string) {
		t.Helper()
		receipt, err := s.insist("ann", 1, "the-last-one")
		if err != nil || receipt.Reservation.ID != first.Reservation.ID {
			t.Fatalf("%s: %+v, %v", when, receipt, err)
		}
	}
	_, err := s.insist("bob", 1, "too-late-1")
	wantReason(t, err, seckill.SoldOut)
	repeat("sold out")
	s.turn(s.system.Operate.Pause, sale)
	s.await("bob hears that it is paused", func() bool {
		_, err := s.insist("bob", 1, "too-late-2")
		return seckill.ReasonOf(err) == seckill.Paused
	})
	repeat("paused")
	s.turn(s.system.Operate.End, sale)
	repeat("ended")
	s.await("item is closed", func() bool { return s.stock().State == seckill.StockClosed })
	repeat("closed")
	s.addsUp()
}

func TestPause(t *testing.T) {
	t.Parallel()
	t.Run("sells nothing while paused, and everything after resuming", sellsNothingWhilePaused)
}

func sellsNothingWhilePaused(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sale := s.preload(500, 1, -time.Second, time.Hour)
	s.awaitLive()
	var paused atomic.Bool
	var wrong atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.crowd(800, func(n int) { wrong.Add(s.soldWhile(&paused, n)) })
	}()
	s.await("some are sold", func() bool { return len(s.promises()) > 20 })
	s.turn(s.system.Operate.Pause, sale)
	paused.Store(true)
	s.await("the refusal is seen", func() bool {
		_, err := s.insist("watcher", 1, "")
		return seckill.ReasonOf(err) == seckill.Paused || seckill.ReasonOf(err) == seckill.SoldOut
	})
	paused.Store(false)
	s.turn(s.system.Operate.Resume, sale)
	<-done
	if wrong.Load() > 0 {
		t.Errorf("%d units were sold while the sale was paused", wrong.Load())
	}
	s.soldOut()
	s.addsUp()
}

// soldWhile asks for one user until it hears something else than paused, and counts what it got though it asked when
// the sale was known to be paused.
func (s *shop) soldWhile(paused *atomic.Bool, n int) (wrong int64) {
	for {
		before := paused.Load()
		_, err := s.insist(user(n), 1, key(n))
		if before && err == nil {
			wrong++
		}
		if seckill.ReasonOf(err) != seckill.Paused {
			return wrong
		}
	}
}
