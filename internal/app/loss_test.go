package app_test

import (
	"sync/atomic"
	"testing"
	"time"

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
			} else if emptied.Load() == 1 && s.stock().Claimed > 100 && s.selling(2) && emptied.CompareAndSwap(1, 2) {
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
