package purchase_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// TestStorm lets a crowd retry its keys through lost replies, failing publishes and outages, and then compares what was
// promised with what the queue and Redis have.
func TestStorm(t *testing.T) {
	t.Parallel()
	const units, shoppers = 60, 100
	w := newWorld(t, units, func(_ *world, o *purchase.Options) { o.BrokerRest = 20 * time.Millisecond })
	w.lent.before = sometimes(seckill.ErrUnavailable, errLost)
	w.lent.after = sometimes(errLost)
	w.queue.set(func(q *fakeQueue) {
		fail := sometimes(seckill.ErrUnavailable, errors.New("confirm timed out"))
		q.publish = func(seckill.Outgoing) error { return fail(0) }
	})
	over := make(chan struct{})
	var clock, all sync.WaitGroup
	clock.Go(func() { w.tick(over) })
	promised := make([]seckill.ID, shoppers)
	for i := range shoppers {
		all.Go(func() { promised[i] = w.insist(seckill.UserID(fmt.Sprintf("user-%d", i))) })
	}
	all.Wait()
	close(over)
	clock.Wait()
	onQueue := w.reservationsOnQueue()
	count := 0
	for i, id := range promised {
		if id == 0 {
			continue
		}
		count++
		if onQueue[id] != seckill.UserID(fmt.Sprintf("user-%d", i)) {
			t.Errorf("reservation %s of user-%d was promised and is not on the queue", id, i)
		}
	}
	if count != units || w.lent.state.Sold != units || w.lent.state.Available != 0 {
		t.Fatalf("promised %d, Redis sold %d", count, w.lent.state.Sold)
	}
}

// sometimes fails one call in four.
func sometimes(failures ...error) func(int) error {
	return func(int) error {
		if rand.IntN(4) > 0 {
			return nil
		}
		return failures[rand.IntN(len(failures))]
	}
}

// tick lets time pass until over.
func (w *world) tick(over chan struct{}) {
	tick := time.NewTicker(200 * time.Microsecond)
	defer tick.Stop()
	for {
		select {
		case <-over:
			return
		case <-tick.C:
			w.clock.Advance(5 * time.Millisecond)
		}
	}
}

// insist retries with one key until the answer is final, and once more: 0 is sold out.
func (w *world) insist(user seckill.UserID) seckill.ID {
	var id seckill.ID
	for range 100_000 {
		receipt, err := w.buy(user, 1, key+string(user))
		switch reason := seckill.ReasonOf(err); {
		case err == nil && id == 0:
			id = receipt.Reservation.ID
		case err == nil && receipt.Reservation.ID == id && receipt.Replayed:
			return id
		case err == nil:
			w.t.Errorf("%s holds %s and %s", user, id, receipt.Reservation.ID)
			return id
		case reason == seckill.SoldOut && id == 0:
			return 0
		case reason != seckill.Busy && reason != seckill.UnknownOutcome:
			w.t.Errorf("%s holds %s and hears %v", user, id, err)
			return id
		}
	}
	w.t.Errorf("%s was never answered", user)
	return id
}

func (w *world) reservationsOnQueue() map[seckill.ID]seckill.UserID {
	reservations := map[seckill.ID]seckill.UserID{}
	for _, outgoing := range w.queue.durable {
		message, err := seckill.DecodeMessage(outgoing.Body)
		if err != nil {
			w.t.Error(err)
		}
		for _, r := range message.Reservations {
			reservations[r.ID] = r.User
		}
	}
	return reservations
}
