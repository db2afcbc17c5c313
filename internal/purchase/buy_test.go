package purchase_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestBuyMakesFewLuaCallsAndOnePublishPerBatchOfManyShoppersAndNoSQL(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2000)
	answers := w.crowd(1000)
	ids := map[seckill.ID]bool{}
	for _, a := range answers {
		if a.err != nil || a.receipt.Replayed {
			t.Fatalf("%+v", a)
		}
		ids[a.receipt.Reservation.ID] = true
	}
	if len(ids) != 1000 {
		t.Fatalf("%d different reservations", len(ids))
	}
	// One for the first shopper, then the rest in full batches.
	if calls, publishes := w.lent.count("reserve"), len(w.queue.published()); calls != 5 || publishes != 5 {
		t.Fatalf("%d Lua calls, %d publishes", calls, publishes)
	}
	for _, size := range w.lent.sizes {
		if size > seckill.ReserveBatchMax {
			t.Fatalf("a batch of %d", size)
		}
	}
	if n := w.sql.count("find", "keys", "ofuser", "stock", "item"); n != 0 {
		t.Fatalf("%d SQL reads", n)
	}
	w.pass(100 * time.Millisecond)
	if w.lent.count("sent") != 1 || len(w.lent.sent) != 5 || w.lent.unsentBatches() != 0 {
		t.Fatalf("sent %v in %d calls", w.lent.sent, w.lent.count("sent"))
	}
}

func TestBuyTellsTheCrowdBehindTheLastUnitWithoutAskingRedisAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	sold := 0
	for _, a := range w.crowd(100) {
		if a.err == nil {
			sold++
		} else {
			refused(t, a.err, seckill.SoldOut)
		}
	}
	if sold != 10 {
		t.Fatalf("sold %d", sold)
	}
	w.clock.Shift(time.Millisecond)
	calls := w.lent.count("reserve")
	w.pass(statesPass)
	_, err := w.buy("late", 1, "")
	if refusal := refused(t, err, seckill.SoldOut); refusal.Available != 0 || w.lent.count("reserve") != calls {
		t.Fatalf("%+v after %d calls", refusal, w.lent.count("reserve")-calls)
	}
}

func TestBuyLearnsFromTheReplyThatNothingIsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.clock.Shift(time.Millisecond) // the reply is newer than the state
	w.queued("ann", 1, "")
	_, err := w.buy("bob", 1, "")
	refused(t, err, seckill.SoldOut)
	if w.lent.count("reserve") != 1 {
		t.Fatal("asked Redis")
	}
}

func TestBuyCarriesWhatIsLeftWhenFewerAreLeftThanAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	_, err := w.buy("ann", 2, "")
	if refusal := refused(t, err, seckill.SoldOut); refusal.Available != 1 {
		t.Fatalf("%+v", refusal)
	}
}

func TestBuyShowsWhatTheBuyerHoldsWhenTheLimitIsReached(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	first := w.queued("ann", 2, "")
	_, err := w.buy("ann", 1, "")
	if refusal := refused(t, err, seckill.LimitReached); len(refusal.Held) != 1 || refusal.Held[0].ID != first.Reservation.ID {
		t.Fatalf("%+v", refusal)
	}
	_, err = w.buy("ann", 3, key) // more than anyone may have, but with a key it is for Redis to say
	if refusal := refused(t, err, seckill.LimitReached); len(refusal.Held) != 1 {
		t.Fatalf("%+v", refusal)
	}
}

func TestBuyRefusesAtTheLimitWithoutAskingHowWhatCountsStands(t *testing.T) {
	t.Parallel()
	for name, oneTry := range map[string]bool{"as often as wanted": false, "one try": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 10, func(w *world, _ *purchase.Options) { w.sql.sale.Items[0].OneTry = oneTry })
			first := w.queued("ann", 2, "").Reservation
			w.sql.claim(seckill.Claim{ID: first.ID, Item: mug, User: "ann", Quantity: 2, State: seckill.ClaimReturned, Ordered: true})
			w.sql.set(func(f *fakeSQL) { f.err = errors.New("down") })
			_, err := w.buy("ann", 1, "")
			want := []seckill.Reservation{{ID: first.ID, Item: mug, User: "ann", Quantity: 2}}
			if got := refused(t, err, seckill.LimitReached).Held; !slices.Equal(got, want) {
				t.Fatalf("shows %+v, want %+v", got, want)
			}
			w.sql.set(func(f *fakeSQL) { f.err = nil })
		})
	}
}

func TestBuyTakesNothingWhenTheShopperLeavesBeforeTheCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	gate := make(chan struct{})
	w.lent.before = func(int) error { <-gate; return nil }
	first := make(chan error, 1)
	go func() { _, err := w.buy("ann", 1, ""); first <- err }()
	eventually(t, "the first call began", func() bool { return w.lent.count("reserve") == 1 })
	ctx, cancel := context.WithCancel(context.Background())
	second := make(chan error, 1)
	go func() {
		_, err := w.service.Buy(ctx, purchase.Request{Item: mug, User: "bob", Quantity: 1})
		second <- err
	}()
	eventually(t, "the second waits", func() bool { return w.service.Waiting(mug) == 1 })
	cancel()
	refused(t, <-second, seckill.Busy)
	close(gate)
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	eventually(t, "the queue is empty", func() bool { return w.service.Waiting(mug) == 0 })
	if err := w.end(); err != nil || w.lent.count("reserve") != 1 {
		t.Fatalf("%v, %d calls", err, w.lent.count("reserve"))
	}
}

func TestBuyFinishesThePurchaseOfAShopperWhoLeavesDuringTheCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	gate := make(chan struct{})
	w.lent.before = func(int) error { <-gate; return nil }
	ctx, cancel := context.WithCancel(context.Background())
	first := make(chan error, 1)
	go func() {
		_, err := w.service.Buy(ctx, purchase.Request{Item: mug, User: "ann", Quantity: 1})
		first <- err
	}()
	eventually(t, "the call began", func() bool { return w.lent.count("reserve") == 1 })
	cancel()
	refusal := refused(t, <-first, seckill.UnknownOutcome)
	close(gate)
	eventually(t, "it is published", func() bool { return len(w.queue.published()) == 1 })
	w.lent.forgetUnsent() // what the relay does when the queue is there
	found, err := w.service.Status(context.Background(), "ann", mug, refusal.Reservation, 0)
	if err != nil || found.State != seckill.ReservationQueued {
		t.Fatalf("%+v %v", found, err)
	}
}

// statesPass is long enough for the next reading of states.
const statesPass = 100 * time.Millisecond

func TestLostReply(t *testing.T) {
	t.Parallel()
	for name, second := range map[string]error{"unavailable": seckill.ErrUnavailable, "not live": seckill.ErrNotLive} {
		t.Run("stays unknown when the repeat finds Redis "+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 10)
			w.lent.after = func(int) error { return errLost }
			w.lent.before = func(call int) error {
				if call == 2 {
					return second
				}
				return nil
			}
			_, err := w.buy("ann", 1, "")
			refused(t, err, seckill.UnknownOutcome)
		})
	}
	for name, first := range map[string]error{"unavailable": seckill.ErrUnavailable, "not live": seckill.ErrNotLive} {
		t.Run("is no lost reply when Redis is "+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 10)
			w.lent.before = func(int) error { return first }
			_, err := w.buy("ann", 1, "")
			if refusal := refused(t, err, seckill.Busy); refusal.RetryAfter == 0 || w.lent.count("reserve") != 1 {
				t.Fatalf("%+v, %d calls", refusal, w.lent.count("reserve"))
			}
		})
	}
}

func TestLostReplyTrap18IsRepeatedOnceWithTheSameReservationsAndANewBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.lent.after = func(call int) error {
		if call == 1 {
			return errLost
		}
		return nil
	}
	receipt := w.queued("ann", 1, key)
	if receipt.Replayed {
		t.Fatal("its own reservation is no replay")
	}
	if len(w.lent.batches) != 2 || w.lent.batches[0] == w.lent.batches[1] {
		t.Fatalf("batches %v", w.lent.batches)
	}
	messages := w.queue.published()
	if len(messages) != 1 || messages[0].Batch != w.lent.batches[0] {
		t.Fatalf("published %+v", messages)
	}
	message, err := seckill.DecodeMessage(messages[0].Body)
	if err != nil || message.Reservations[0].ID != receipt.Reservation.ID {
		t.Fatalf("%+v %v", message, err)
	}
}

func TestLostReplyGivesTheRepeatItsOwnAcceptWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.lent.after = func(call int) error {
		w.clock.Shift(seckill.AcceptWindow - time.Millisecond)
		if call == 1 {
			return errLost
		}
		return nil
	}
	w.queued("ann", 1, "")
}

func TestLostReplyIsNotRepeatedTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.lent.after = func(int) error { return errLost }
	_, err := w.buy("ann", 1, "")
	refusal := refused(t, err, seckill.UnknownOutcome)
	if w.lent.count("reserve") != 2 || refusal.Item != mug {
		t.Fatalf("%d calls, %+v", w.lent.count("reserve"), refusal)
	}
	w.lent.forgetUnsent() // what the relay does when the queue is there
	found, err := w.service.Status(context.Background(), "ann", mug, refusal.Reservation, 0)
	if err != nil || found.State != seckill.ReservationQueued {
		t.Fatalf("the link leads to %+v %v", found, err)
	}
}

func TestPublish(t *testing.T) {
	t.Parallel()
	failures := map[string]error{"refused": seckill.ErrUnavailable, "unknown": errors.New("confirm timed out")}
	for name, failure := range failures {
		t.Run("leaves a publish that is "+name+" to the relay, and the next shopper busy", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 10)
			w.queue.set(func(q *fakeQueue) { q.publish = func(seckill.Outgoing) error { return failure } })
			_, err := w.buy("ann", 1, "")
			refusal := refused(t, err, seckill.UnknownOutcome)
			w.lent.forgetUnsent() // what the relay does when the queue is there
			found, err := w.service.Status(context.Background(), "ann", mug, refusal.Reservation, 0)
			if err != nil || found.State != seckill.ReservationQueued {
				t.Fatalf("the link leads to %+v %v", found, err)
			}
			_, err = w.buy("bob", 1, "")
			refused(t, err, seckill.Busy)
			if w.lent.count("reserve") != 1 || w.hits(purchase.BoundBroker) != 1 {
				t.Fatal("stock was touched")
			}
			w.queue.set(func(q *fakeQueue) { q.publish = nil })
			w.pass(time.Second)
			w.queued("bob", 1, "")
		})
	}
}

func TestPublishTrap17ComesTooLateForAPromise(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.queue.set(func(q *fakeQueue) {
		q.publish = func(seckill.Outgoing) error { w.clock.Shift(seckill.AcceptWindow + 1); return nil }
	})
	_, err := w.buy("ann", 1, "")
	refused(t, err, seckill.UnknownOutcome)
}

func TestPublishIsInTimeAtTheEndOfTheAcceptWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.queue.set(func(q *fakeQueue) {
		q.publish = func(seckill.Outgoing) error { w.clock.Shift(seckill.AcceptWindow); return nil }
	})
	w.queued("ann", 1, "")
}

func TestPublishRunsBesideTheNextLuaCallABoundedNumberOfThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10, func(_ *world, o *purchase.Options) { o.PublishesMax = 2 })
	gate := make(chan struct{})
	w.queue.set(func(q *fakeQueue) { q.publish = func(seckill.Outgoing) error { <-gate; return nil } })
	answers := make(chan error, 3)
	for i, user := range []seckill.UserID{"ann", "bob", "cid"} {
		go func() { _, err := w.buy(user, 1, ""); answers <- err }()
		if i < 2 {
			eventually(t, "published", func() bool { return len(w.queue.published()) == i+1 })
		}
	}
	eventually(t, "the third waits for its Lua call", func() bool { return w.service.Waiting(mug) == 1 })
	if w.lent.count("reserve") != 2 {
		t.Fatalf("%d Lua calls", w.lent.count("reserve"))
	}
	close(gate)
	for range 3 {
		if err := <-answers; err != nil {
			t.Fatal(err)
		}
	}
}
