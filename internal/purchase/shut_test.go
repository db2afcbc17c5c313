package purchase_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func queueShut(q *fakeQueue) { q.shut = seckill.ErrUnavailable }

func queueOpen(q *fakeQueue) { q.shut = nil }

// TestQueueAway is admission while the publisher says that it could not take a message.
func TestQueueAway(t *testing.T) {
	t.Parallel()
	t.Run("is busy before stock is touched, and sells at once when it is back", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 10)
		w.queue.set(queueShut)
		_, err := w.buy("ann", 1, "")
		if refusal := refused(t, err, seckill.Busy); refusal.RetryAfter < time.Second {
			t.Fatalf("%+v", refusal)
		}
		w.untouched()
		if w.hits(purchase.BoundBroker) != 1 {
			t.Fatal("not counted")
		}
		w.queue.set(queueOpen)
		w.queued("ann", 1, "")
	})
	t.Run("is busy for those who waited for their Lua call", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 10)
		w.lent.before = func(call int) error {
			if call == 1 {
				w.queue.set(queueShut)
			}
			return nil
		}
		answers := w.crowd(3)
		if answers[0].err != nil {
			t.Fatal(answers[0].err) // decided before, and published
		}
		for _, a := range answers[1:] {
			refused(t, a.err, seckill.Busy)
		}
		if w.lent.count("reserve") != 1 || w.lent.sold() != 1 {
			t.Fatalf("%d calls, %d sold", w.lent.count("reserve"), w.lent.sold())
		}
	})
	t.Run("asks for the item's home shard", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 10, func(w *world, _ *purchase.Options) { w.shards = 2 })
		w.queued("ann", 1, "")
		if w.queue.asked != 1 {
			t.Fatalf("asked for shard %d", w.queue.asked)
		}
	})
	t.Run("says what is final for the shopper first", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 0)
		w.queue.set(queueShut)
		_, err := w.buy("ann", 1, "")
		refused(t, err, seckill.SoldOut)
	})
}

const keyOfEve = "the-key-of-eve"

// holding is a shop whose queue went away after eve had bought with her key.
func holding(t *testing.T) (*world, purchase.Receipt) {
	t.Helper()
	w := newWorld(t, 10)
	first := w.queued("eve", 1, keyOfEve)
	w.pass(statesPass) // Redis is told that it is sent
	w.queue.set(queueShut)
	return w, first
}

func TestQueueAwayKeepsThePromiseOfAKey(t *testing.T) {
	t.Parallel()
	w, first := holding(t)
	w.replayed(first, "eve", keyOfEve)
	_, err := w.buy("eve", 2, keyOfEve)
	refused(t, err, seckill.IdempotencyMismatch)
	if w.lent.count("reserve") != 1 {
		t.Fatal("stock was touched")
	}
	w.queue.set(queueOpen)
	w.replayed(first, "eve", keyOfEve)
}

func TestQueueAwayNamesWhatAKeyHoldsAndPromisesNoUnsentBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.queue.set(queueDown)
	_, err := w.buy("eve", 1, keyOfEve)
	lost := refused(t, err, seckill.UnknownOutcome)
	w.queue.set(queueShut)
	_, err = w.buy("eve", 1, keyOfEve)
	if refusal := refused(t, err, seckill.UnknownOutcome); refusal.Reservation != lost.Reservation || refusal.Item != mug {
		t.Fatalf("%+v", refusal)
	}
}

func TestQueueAwayAnswersAKeyThatWasGivenBackFromItsClaim(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.lent.giveBack()
	w.sql.claim(returned())
	w.queue.set(queueShut)
	receipt, err := w.buy("ann", 2, key)
	if err != nil || !receipt.Replayed || receipt.Reservation != returned().Reservation() {
		t.Fatalf("%+v %v", receipt, err)
	}
}

func TestQueueAwayIsBusyForAKeyThatHoldsNothing(t *testing.T) {
	t.Parallel()
	w, _ := holding(t)
	_, err := w.buy("bob", 1, keyOfEve)
	refused(t, err, seckill.Busy)
	if w.lent.sold() != 1 || w.lent.count("reserve") != 1 {
		t.Fatal("stock was touched")
	}
}

func TestQueueAwayIsBusyForAKeyWhenRedisCannotBeAsked(t *testing.T) {
	t.Parallel()
	w, _ := holding(t)
	w.lent.lookErr = errors.New("timeout")
	_, err := w.buy("eve", 1, keyOfEve)
	refused(t, err, seckill.Busy)
}

func TestQueueAwayTouchesNoStockForACrowdWithKeys(t *testing.T) {
	t.Parallel()
	w, _ := holding(t)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if _, err := w.buy("eve", 1, keyOfEve); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if w.lent.sold() != 1 || w.lent.count("reserve") != 1 {
		t.Fatal("stock was touched")
	}
}

// sold is how many units Redis has given.
func (l *fakeLent) sold() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state.Sold
}
