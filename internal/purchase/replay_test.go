package purchase_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// replayed insists on the same reservation, as a replay.
func (w *world) replayed(first purchase.Receipt, user seckill.UserID, key string) {
	w.t.Helper()
	again, err := w.buy(user, first.Reservation.Quantity, key)
	if err != nil || !again.Replayed || again.Reservation != first.Reservation {
		w.t.Fatalf("first %+v, again %+v %v", first, again, err)
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	locals := map[string]func(*seckill.LentState){
		"sold out": func(s *seckill.LentState) { s.Available = 0 },
		"paused":   func(s *seckill.LentState) { s.Paused = true },
		"over":     func(s *seckill.LentState) { s.ClosesAt = s.OpensAt },
		"held back": func(s *seckill.LentState) {
			s.OpensAt = s.ClosesAt
		},
	}
	for name, change := range locals {
		t.Run("trap 13: comes before the item is "+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 10)
			first := w.queued("ann", 1, key)
			w.lent.set(change)
			w.pass(statesPass)
			w.replayed(first, "ann", key)
			reserves := w.lent.count("reserve")
			if _, err := w.buy("bob", 1, key); seckill.ReasonOf(err) == "" || seckill.ReasonOf(err) == seckill.Busy {
				t.Fatalf("a key that is not known: %v", err)
			}
			if w.lent.count("reserve") != reserves || w.lent.count("look") != 2 {
				t.Fatalf("%d reserves, %d looks", w.lent.count("reserve")-reserves, w.lent.count("look"))
			}
		})
	}
}

func TestReplayAnswersTheSameReservation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	first := w.queued("ann", 1, key)
	w.pass(statesPass)
	w.replayed(first, "ann", key)
	if len(w.queue.published()) != 1 {
		t.Fatal("published again")
	}
	if other := w.queued("bob", 1, key); other.Replayed {
		t.Fatal("the key of somebody else")
	}
}

func TestReplayLooksOnceForManyKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			_, err := w.buy("ann", 1, key)
			if seckill.ReasonOf(err) != seckill.SoldOut {
				t.Errorf("%v", err)
			}
		})
	}
	all.Wait()
	if n := w.lent.count("look"); n > 200 {
		t.Fatalf("%d looks", n)
	}
}

func TestReplayRefusesAnotherQuantityByTheKeysName(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.queued("ann", 1, key)
	_, err := w.buy("ann", 2, key)
	if refusal := refused(t, err, seckill.IdempotencyMismatch); refusal.Field != "Idempotency-Key" {
		t.Fatalf("%+v", refusal)
	}
	// More than the limit, too: with a key that is Redis's to say.
	_, err = w.buy("ann", 3, key)
	refused(t, err, seckill.IdempotencyMismatch)
}

func TestReplayIsBusyNeverSoldOutWhenRedisCannotBeAskedForTheKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	for _, failure := range []error{seckill.ErrNotLive, seckill.ErrUnavailable, errors.New("timeout")} {
		w.lent.lookErr = failure
		_, err := w.buy("ann", 1, key)
		refused(t, err, seckill.Busy)
	}
}

func TestReplayOfUnsentTrap3PublishesTheUnsentBatchAndWaitsForItsConfirm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.queue.set(queueDown)
	_, err := w.buy("ann", 1, key)
	lost := refused(t, err, seckill.UnknownOutcome)
	w.pass(time.Second)
	_, err = w.buy("ann", 1, key)
	if refusal := refused(t, err, seckill.UnknownOutcome); refusal.Reservation != lost.Reservation {
		t.Fatalf("names %s, not %s", refusal.Reservation, lost.Reservation)
	}
	w.queue.set(queueUp)
	w.pass(time.Second)
	again, err := w.buy("ann", 1, key)
	if err != nil || !again.Replayed || again.Reservation.ID != lost.Reservation {
		t.Fatalf("%+v %v", again, err)
	}
	messages := w.queue.published()
	if len(messages) != 3 || messages[2].Batch != messages[0].Batch {
		t.Fatalf("published %+v", messages)
	}
}

func TestReplayOfUnsentOfTwoRequestsWithOneKeyInOneCallWaitsForThatCallsOwnBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	gate := make(chan struct{})
	w.lent.before = func(call int) error {
		if call == 1 {
			<-gate
		}
		return nil
	}
	answers := make(chan answer, 3)
	buy := func(user seckill.UserID) {
		receipt, err := w.buy(user, 1, key)
		answers <- answer{receipt, err}
	}
	go buy("bob")
	eventually(t, "the first call began", func() bool { return w.lent.count("reserve") == 1 })
	go buy("ann")
	go buy("ann")
	eventually(t, "both wait", func() bool { return w.service.Waiting(mug) == 2 })
	close(gate)
	replays, ids := 0, map[seckill.ID]bool{}
	for range 3 {
		a := <-answers
		if a.err != nil {
			t.Fatal(a.err)
		}
		ids[a.receipt.Reservation.ID] = true
		if a.receipt.Replayed {
			replays++
		}
	}
	if replays != 1 || len(ids) != 2 || len(w.queue.published()) != 2 {
		t.Fatalf("%d replays, %d reservations, %d publishes", replays, len(ids), len(w.queue.published()))
	}
}

func TestReplayOfUnsentBeyondTheBodiesOfOneReplyStaysUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.lent.put("bob", seckill.BuyerEntry{ID: 5, Quantity: 1, KeyHash: seckill.KeyHash(key, 0), Batch: 6})
	w.lent.unsent[6] = seckill.Body{Batch: 60, Bytes: []byte("{}")} // another one's body is all that came back
	_, err := w.buy("bob", 1, key)
	if refusal := refused(t, err, seckill.UnknownOutcome); refusal.Reservation != 5 {
		t.Fatalf("%+v", refusal)
	}
}

func TestGivenBackAnswersFromTheClaim(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.lent.giveBack()
	w.sql.claim(returned())
	receipt, err := w.buy("ann", 2, key)
	if err != nil || !receipt.Replayed || receipt.Reservation != returned().Reservation() || receipt.Reservation.State != seckill.ReservationOrdered {
		t.Fatalf("%+v %v", receipt, err)
	}
	_, err = w.buy("ann", 1, key)
	refused(t, err, seckill.IdempotencyMismatch)
}

func TestGivenBackTrap4AnswersTheSameKeyAfterARejectionWithItsReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.lent.giveBack()
	w.sql.claim(seckill.Claim{ID: 5, Item: mug, User: "ann", Quantity: 1, State: seckill.ClaimRejected, Reason: seckill.LimitReached})
	receipt, err := w.buy("ann", 1, key)
	if r := receipt.Reservation; err != nil || r.State != seckill.ReservationRejected || r.Reason != seckill.LimitReached {
		t.Fatalf("%+v %v", receipt, err)
	}
}

func TestGivenBackShowsWhatBecameOfTheFirstOfADuplicate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.lent.giveBack()
	w.sql.claim(seckill.Claim{ID: 5, Item: mug, User: "ann", Quantity: 1, State: seckill.ClaimRejected, Reason: seckill.Duplicate, First: 4},
		seckill.Claim{ID: 4, Item: mug, User: "ann", Quantity: 1, State: seckill.ClaimHeld})
	receipt, err := w.buy("ann", 1, key)
	if r := receipt.Reservation; err != nil || r.ID != 4 || r.State != seckill.ReservationQueued {
		t.Fatalf("%+v %v", receipt, err)
	}
}

func TestGivenBackIsBusyWhileThereIsNoClaimOrNoDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.lent.giveBack()
	_, err := w.buy("ann", 1, key)
	refused(t, err, seckill.Busy)
	w.sql.set(func(f *fakeSQL) { f.err = errors.New("down") })
	_, err = w.buy("ann", 1, key)
	refused(t, err, seckill.Busy)
	w.sql.set(func(f *fakeSQL) { f.err = nil })
}

func TestGivenBackBoundsTheReadsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10, func(_ *world, o *purchase.Options) { o.GivenBackReadsMax = 1 })
	w.lent.giveBack()
	w.sql.claim(returned())
	gate := make(chan struct{})
	w.sql.set(func(f *fakeSQL) {
		f.reading = func(call string) {
			if call == "find" {
				<-gate
			}
		}
	})
	first := make(chan error, 1)
	go func() { _, err := w.buy("ann", 2, key); first <- err }()
	eventually(t, "the first reads", func() bool { return w.sql.count("find") == 1 })
	_, err := w.buy("ann", 2, key)
	refused(t, err, seckill.Busy)
	close(gate)
	if err := <-first; err != nil || w.hits(purchase.BoundGivenBack) != 1 {
		t.Fatal(err)
	}
}

// TestClosedItem is a keyed retry after the last seal, when Redis has forgotten the item.
func TestClosedItem(t *testing.T) {
	t.Parallel()
	over := func(state seckill.StockState, doubt int64) setting {
		return func(w *world, _ *purchase.Options) {
			w.sql.sale.State, w.sql.stock.State, w.sql.stock.Doubt = seckill.SaleEnded, state, doubt
			w.lent.state.Live = false
		}
	}
	claim := seckill.Claim{ID: 5, Item: mug, User: "ann", Quantity: 1, KeyHash: seckill.KeyHash(key, 0), State: seckill.ClaimHeld, Ordered: true}
	t.Run("reads the claims", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 0, over(seckill.StockClosed, 0))
		w.sql.claim(claim)
		receipt, err := w.buy("ann", 1, key)
		if err != nil || !receipt.Replayed || receipt.Reservation != claim.Reservation() {
			t.Fatalf("%+v %v", receipt, err)
		}
		_, err = w.buy("ann", 2, key)
		refused(t, err, seckill.IdempotencyMismatch)
		_, err = w.buy("bob", 1, key)
		refused(t, err, seckill.Ended)
		if w.sql.count("stock") != 1 || w.lent.count("look")+w.lent.count("reserve") != 0 {
			t.Fatal("asked more than it must")
		}
	})
	t.Run("costs nothing without a key", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 0, over(seckill.StockClosed, 0))
		_, err := w.buy("ann", 1, "")
		refused(t, err, seckill.Ended)
		w.untouched()
	})
	for name, set := range map[string]setting{"is in doubt": over(seckill.StockClosed, 1), "is being sealed": over(seckill.StockSealing, 0)} {
		t.Run("is busy while what it asks for "+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 0, set)
			_, err := w.buy("ann", 1, key)
			refused(t, err, seckill.Busy)
		})
	}
	t.Run("looks into the epoch that is still open", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 10)
		first := w.queued("ann", 1, key)
		w.sql.set(func(f *fakeSQL) { f.sale.State = seckill.SaleEnded })
		w.pass(time.Second)
		w.pass(statesPass)
		w.replayed(first, "ann", key)
		_, err := w.service.Buy(context.Background(), purchase.Request{Item: mug, User: "bob", Quantity: 1, Key: key})
		refused(t, err, seckill.Ended)
	})
}

// returned is the claim of what giveBack lets Redis remember.
func returned() seckill.Claim {
	return seckill.Claim{
		ID: 5, Item: mug, User: "ann", Quantity: 2, KeyHash: seckill.KeyHash(key, 0), State: seckill.ClaimReturned, Ordered: true,
	}
}

// giveBack lets ann hold reservation 5 of the key, given back.
func (l *fakeLent) giveBack() {
	l.put("ann", seckill.BuyerEntry{ID: 5, KeyHash: seckill.KeyHash(key, 0)})
}
