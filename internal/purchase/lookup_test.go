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

func (w *world) status(user seckill.UserID, id seckill.ID) (seckill.Reservation, error) {
	return w.service.Status(context.Background(), user, mug, id, 0)
}

// TestLookUp is design 4, "Looking up a reservation".
func TestLookUp(t *testing.T) {
	t.Parallel()
	held, ordered := orderedClaim(), orderedClaim()
	held.Ordered = false
	returned, rejected := held, held
	returned.Ordered, returned.State = true, seckill.ClaimReturned
	rejected.State, rejected.Reason = seckill.ClaimRejected, seckill.SoldOut
	claims := map[string]struct {
		claim seckill.Claim
		want  seckill.ReservationState
	}{
		"held is queued": {held, seckill.ReservationQueued}, "held and ordered is ordered": {ordered, seckill.ReservationOrdered},
		"returned is ordered": {returned, seckill.ReservationOrdered}, "rejected says so": {rejected, seckill.ReservationRejected},
	}
	for name, c := range claims {
		t.Run("a claim that is "+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 10, func(w *world, _ *purchase.Options) { w.lent.state.Live = false })
			w.sql.claim(c.claim)
			found, err := w.status("ann", 5)
			if err != nil || found.State != c.want || found.Reason != c.claim.Reason {
				t.Fatalf("%+v %v", found, err)
			}
			_, err = w.status("bob", 5)
			refused(t, err, seckill.NotFound)
		})
	}
}

func TestLookUpADuplicateIsWhatTheFirstOneSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.sql.claim(orderedClaim(), seckill.Claim{ID: 6, Item: mug, User: "ann", State: seckill.ClaimRejected, Reason: seckill.Duplicate, First: 5})
	found, err := w.status("ann", 6)
	if err != nil || found != orderedClaim().Reservation() {
		t.Fatalf("%+v %v", found, err)
	}
}

func TestLookUpWhatOnlyRedisHoldsIsQueuedForItsOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	first := w.queued("ann", 2, "")
	w.lent.forgetUnsent()
	found, err := w.status("ann", first.Reservation.ID)
	if err != nil || found != first.Reservation {
		t.Fatalf("%+v %v", found, err)
	}
	_, err = w.status("bob", first.Reservation.ID)
	refused(t, err, seckill.NotFound)
}

func TestLookUpPromisesNothingThatIsUnsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	const batch = 77
	w.lent.put("ann", seckill.BuyerEntry{ID: 5, Quantity: 1, KeyHash: "k", Batch: batch})
	w.lent.takeUnsent(batch)
	for name, ask := range map[string]func() error{
		"by id":       func() error { _, err := w.status("ann", 5); return err },
		"in the list": func() error { _, err := w.service.Mine(context.Background(), "ann", mug); return err },
	} {
		answer := make(chan error)
		go func() { answer <- ask() }()
		w.until(answer, func(err error) { t.Logf("%s: %v", name, err); refused(t, err, seckill.Busy) })
	}
	answer := make(chan error)
	go func() { _, err := w.status("ann", 5); answer <- err }()
	eventually(t, "it waits", func() bool { return w.clock.Pending() > 0 })
	w.lent.forgetUnsent()
	w.until(answer, func(err error) {
		if err != nil {
			t.Errorf("after it was sent: %v", err)
		}
	})
}

// until lets time pass until there is an answer.
func (w *world) until(answer <-chan error, judge func(error)) {
	w.t.Helper()
	eventually(w.t, "an answer", func() bool {
		select {
		case err := <-answer:
			judge(err)
			return true
		default:
			w.clock.Advance(50 * time.Millisecond)
			return false
		}
	})
}

func TestLookUpWhatWasSettledBetweenTwoLooksIsFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.sql.reading = func(call string) {
		if call == "stock" {
			w.sql.claim(orderedClaim())
		}
	}
	found, err := w.status("ann", 5)
	if err != nil || found != orderedClaim().Reservation() {
		t.Fatalf("%+v %v", found, err)
	}
}

func orderedClaim() seckill.Claim {
	return seckill.Claim{ID: 5, Item: mug, User: "ann", Quantity: 1, State: seckill.ClaimHeld, Ordered: true}
}

func TestLookUpWithoutClaim(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		live  bool
		state seckill.StockState
		doubt int64
		quiet time.Duration // since the last seal
		entry *seckill.BuyerEntry
		want  seckill.Reason
	}{
		"in an open epoch that does not know it":          {true, seckill.StockOpen, 0, time.Hour, nil, seckill.NotFound},
		"in an open epoch, with something in doubt":       {true, seckill.StockOpen, 1, time.Hour, nil, seckill.Busy},
		"in an open epoch, given back, not seen in SQL":   {true, seckill.StockOpen, 0, time.Hour, &seckill.BuyerEntry{ID: 5}, seckill.Busy},
		"with a lapsed gate":                              {false, seckill.StockOpen, 0, time.Hour, nil, seckill.Busy},
		"while the epoch is sealed":                       {false, seckill.StockSealing, 0, time.Hour, nil, seckill.Busy},
		"while the next epoch is loaded":                  {false, seckill.StockLoading, 0, time.Hour, nil, seckill.Busy},
		"of an item that was never loaded":                {false, seckill.StockNew, 0, time.Hour, nil, seckill.NotFound},
		"of a closed item":                                {false, seckill.StockClosed, 0, time.Hour, nil, seckill.NotFound},
		"of a closed item, with something still in doubt": {false, seckill.StockClosed, 1, time.Hour, nil, seckill.Busy},
		"in an open epoch, after a seal":                  {true, seckill.StockOpen, 0, seckill.DoubtFor - 1, nil, seckill.Busy},
		"in an open epoch, a minute after a seal":         {true, seckill.StockOpen, 0, seckill.DoubtFor, nil, seckill.NotFound},
		"of an item that has just closed":                 {false, seckill.StockClosed, 0, seckill.DoubtFor - 1, nil, seckill.NotFound},
	}
	for name, c := range cases {
		t.Run(name+" is "+string(c.want), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 10, func(w *world, _ *purchase.Options) {
				w.lent.state.Live, w.sql.stock.State, w.sql.stock.Doubt = c.live, c.state, c.doubt
				w.sql.stock.SealedAt = w.clock.Now()
				w.sql.stock.ReadAt = w.sql.stock.SealedAt.Add(c.quiet)
			})
			if c.entry != nil {
				w.lent.put("ann", *c.entry)
			}
			_, err := w.status("ann", 5)
			refused(t, err, c.want)
		})
	}
}

func TestLookUpIsBusyWhenAStoreIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.lent.lookErr = seckill.ErrUnavailable
	_, err := w.status("ann", 5)
	refused(t, err, seckill.Busy)
	w.sql.set(func(f *fakeSQL) { f.err = errors.New("down") })
	_, err = w.status("ann", 5)
	refused(t, err, seckill.Busy)
	w.sql.set(func(f *fakeSQL) { f.err = nil })
}

func TestLookUpOfAnItemNobodyKnowsIsNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	_, err := w.service.Status(context.Background(), "ann", 1, 5, 0)
	refused(t, err, seckill.NotFound)
}

func TestLongPollEndsWithTheAnnouncement(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	claim, answers := w.waiting(2)
	claim.Ordered = true
	w.sql.claim(claim)
	w.news.decided <- []seckill.Decision{{Item: mug, Reservation: claim.ID}, {Item: mug, Reservation: 1}}
	allOrdered(t, answers, 2)
}

func TestLongPollWaitsOnWhenTheAnnouncementCameTooEarly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	claim, answers := w.waiting(1)
	before := w.sql.count("find")
	w.news.decided <- []seckill.Decision{{Item: mug, Reservation: claim.ID}}
	eventually(t, "the claim was read", func() bool { return w.sql.count("find") == before+1 })
	claim.Ordered = true
	w.sql.claim(claim)
	w.clock.Advance(time.Second)
	allOrdered(t, answers, 1)
}

func TestLongPollEndsWithinASecondWithoutAnAnnouncementWithOneReadForAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	claim, answers := w.waiting(50)
	claim.Ordered = true
	w.sql.claim(claim)
	before := w.sql.count("find")
	w.clock.Advance(time.Second)
	allOrdered(t, answers, 50)
	if n := w.sql.count("find") - before; n != 1 {
		t.Fatalf("%d reads", n)
	}
}

func TestLongPollEndsWithTheWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	_, answers := w.waiting(1)
	w.clock.Advance(10 * time.Second)
	if a := <-answers; a.err != nil || a.found.State != seckill.ReservationQueued {
		t.Fatalf("%+v", a)
	}
	if w.service.LongPolls() != 0 {
		t.Fatal("still listed")
	}
}

func TestLongPollEndsWhenTheServiceDrains(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	_, answers := w.waiting(1)
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	if a := <-answers; a.err != nil || a.found.State != seckill.ReservationQueued {
		t.Fatalf("%+v", a)
	}
}

func TestLongPollDoesNotWaitWhenTooManyDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10, func(_ *world, o *purchase.Options) { o.WaitersMax = 1 })
	claim, answers := w.waiting(1)
	found, err := w.service.Status(context.Background(), "ann", mug, claim.ID, 10*time.Second)
	if err != nil || found.State != seckill.ReservationQueued || w.hits(purchase.BoundWaiters) != 1 {
		t.Fatalf("%+v %v", found, err)
	}
	w.clock.Advance(10 * time.Second)
	<-answers
}

// waiting starts n long polls for a fresh reservation.
func (w *world) waiting(n int) (seckill.Claim, chan answerOf) {
	w.t.Helper()
	first := w.queued("ann", 1, "").Reservation
	w.lent.forgetUnsent()
	before := w.sql.count("found")
	answers := make(chan answerOf, n)
	for range n {
		go func() {
			found, err := w.service.Status(context.Background(), "ann", mug, first.ID, 10*time.Second)
			answers <- answerOf{found, err}
		}()
	}
	eventually(w.t, "all wait", func() bool { return w.service.LongPolls() == n })
	// Each looks before and after it joined.
	eventually(w.t, "all have looked twice", func() bool { return w.sql.count("found") == before+2*n })
	return seckill.Claim{ID: first.ID, Item: mug, User: "ann", Quantity: 1, State: seckill.ClaimHeld}, answers
}

func allOrdered(t *testing.T, answers chan answerOf, n int) {
	t.Helper()
	for range n {
		if a := <-answers; a.err != nil || a.found.State != seckill.ReservationOrdered {
			t.Fatalf("%+v", a)
		}
	}
}

type answerOf struct {
	found seckill.Reservation
	err   error
}

func TestMine(t *testing.T) {
	t.Parallel()
	t.Run("is the claims and what Redis holds beside them", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 10)
		first := w.queued("ann", 1, "").Reservation
		second := w.queued("ann", 1, "").Reservation
		w.queued("bob", 1, "")
		w.lent.forgetUnsent()
		w.sql.claim(seckill.Claim{ID: first.ID, Item: mug, User: "ann", Quantity: 1, State: seckill.ClaimHeld, Ordered: true},
			seckill.Claim{ID: 9, Item: mug, User: "ann", State: seckill.ClaimRejected, Reason: seckill.Duplicate, First: first.ID})
		w.lent.put("ann", seckill.BuyerEntry{ID: 10}) // given back
		mine, err := w.service.Mine(context.Background(), "ann", mug)
		if err != nil || len(mine) != 2 || mine[0].ID != first.ID || mine[0].State != seckill.ReservationOrdered || mine[1] != second {
			t.Fatalf("%+v %v", mine, err)
		}
	})
	t.Run("is busy while Redis may hold what cannot be seen", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 10, func(w *world, _ *purchase.Options) { w.lent.state.Live = false })
		_, err := w.service.Mine(context.Background(), "ann", mug)
		refused(t, err, seckill.Busy)
	})
	t.Run("is the claims alone of a closed item", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 10, func(w *world, _ *purchase.Options) {
			w.lent.state.Live, w.sql.stock.State = false, seckill.StockClosed
		})
		w.sql.claim(seckill.Claim{ID: 5, Item: mug, User: "ann", Quantity: 1, State: seckill.ClaimHeld})
		mine, err := w.service.Mine(context.Background(), "ann", mug)
		if err != nil || len(mine) != 1 {
			t.Fatalf("%+v %v", mine, err)
		}
	})
}

func TestBatchedLookUps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	gate := make(chan struct{})
	var once sync.Once
	w.sql.set(func(f *fakeSQL) {
		f.claims = []seckill.Claim{{ID: 5, Item: mug, User: "ann", Quantity: 1, State: seckill.ClaimHeld}}
		f.reading = func(call string) {
			if call == "find" {
				once.Do(func() { <-gate })
			}
		}
	})
	var all sync.WaitGroup
	look := func() {
		if _, err := w.status("ann", 5); err != nil {
			t.Error(err)
		}
	}
	all.Go(look)
	eventually(t, "the first reads", func() bool { return w.sql.count("find") == 1 })
	for range 100 {
		all.Go(look)
	}
	eventually(t, "all wait", func() bool { return w.service.Finding(mug) == 100 })
	close(gate)
	all.Wait()
	if n := w.sql.count("find"); n != 2 {
		t.Fatalf("%d reads", n)
	}
}
