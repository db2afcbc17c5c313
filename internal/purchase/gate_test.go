package purchase_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// untouched insists that a refusal cost nothing.
func (w *world) untouched() {
	w.t.Helper()
	if n := w.lent.count("reserve") + w.lent.count("look") + len(w.queue.published()); n != 0 {
		w.t.Fatalf("%d calls to Redis or the queue", n)
	}
	if n := w.sql.count("find", "keys", "ofuser", "stock", "item"); n != 0 {
		w.t.Fatalf("%d SQL reads", n)
	}
}

func TestInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	cases := map[string]struct {
		quantity   int64
		key, field string
	}{
		"a quantity of zero":         {0, "", "quantity"},
		"a negative quantity":        {-1, "", "quantity"},
		"a quantity beyond the most": {seckill.QuantityMax + 1, "", "quantity"},
		"a short key":                {1, "1234567", "Idempotency-Key"},
		"a long key":                 {1, strings.Repeat("k", 129), "Idempotency-Key"},
		"a key with a space":         {1, "1234 5678", "Idempotency-Key"},
		"a key that is not ASCII":    {1, "schlüssel", "Idempotency-Key"},
	}
	for name, c := range cases {
		t.Run("refuses "+name+" by its name", func(t *testing.T) {
			t.Parallel()
			_, err := w.buy("ann", c.quantity, c.key)
			if refusal := refused(t, err, seckill.Invalid); refusal.Field != c.field {
				t.Fatalf("%+v", refusal)
			}
			w.untouched()
		})
	}
	t.Run("refuses a user id that would break the values in Redis", func(t *testing.T) {
		t.Parallel()
		_, err := w.buy("ann;bob", 1, "")
		refused(t, err, seckill.Unauthenticated)
		w.untouched()
	})
}

// TestLocalRefusals is what the item's local state decides without I/O.
func TestLocalRefusals(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change   func(*seckill.LentState)
		quantity int64
		want     seckill.Reason
	}{
		"sold out":                            {func(s *seckill.LentState) { s.Available = 0 }, 1, seckill.SoldOut},
		"paused":                              {func(s *seckill.LentState) { s.Paused = true }, 1, seckill.Paused},
		"not live":                            {func(s *seckill.LentState) { s.Live = false }, 1, seckill.Busy},
		"trap 22: sold out in a lapsed epoch": {func(s *seckill.LentState) { s.Live, s.Available = false, 0 }, 1, seckill.Busy},
		"trap 22: not known to Redis":         {func(s *seckill.LentState) { *s = seckill.LentState{Item: mug} }, 1, seckill.Busy},
		"not started":                         {func(s *seckill.LentState) { s.OpensAt = s.OpensAt.Add(2 * time.Minute) }, 1, seckill.NotStarted},
		"over by the window":                  {func(s *seckill.LentState) { s.ClosesAt = s.OpensAt.Add(time.Second) }, 1, seckill.Ended},
		"paused, which counts before not started": {func(s *seckill.LentState) { s.Paused, s.OpensAt = true, s.OpensAt.Add(time.Hour) }, 1, seckill.Paused},
	}
	for name, c := range cases {
		t.Run("answers "+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 10, func(w *world, _ *purchase.Options) { c.change(&w.lent.state) })
			_, err := w.buy("ann", c.quantity, "")
			refused(t, err, c.want)
			w.untouched()
		})
	}
}

func TestLocalRefusalsAnswersEndedByTheCatalogWhateverRedisThinks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10, func(w *world, _ *purchase.Options) { w.sql.sale.State = seckill.SaleEnded })
	_, err := w.buy("ann", 1, "")
	refused(t, err, seckill.Ended)
	w.untouched()
}

func TestLocalRefusalsTrap22DoesNotBelieveAStateOlderThanASecond(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	_, err := w.buy("ann", 1, "") // from now on the state is read in every round
	refused(t, err, seckill.SoldOut)
	w.pass(statesPass)
	w.clock.Shift(seckill.StateMaxAge)
	_, err = w.buy("ann", 1, "")
	refused(t, err, seckill.SoldOut)
	w.clock.Shift(1)
	_, err = w.buy("ann", 1, "")
	refused(t, err, seckill.Busy)
	w.untouched()
}

func TestStatesAreReadInEveryRoundWhileSomebodyAsksForTheItem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	reads := func(rounds int) int {
		before := w.lent.count("states")
		for range rounds {
			w.pass(statesPass)
		}
		return w.lent.count("states") - before
	}
	if quiet := reads(10); quiet != 2 {
		t.Errorf("read %d times in ten rounds, without a shopper", quiet)
	}
	w.queued("ann", 1, "")
	if busy := reads(10); busy != 10 {
		t.Errorf("read %d times in ten rounds, with a shopper", busy)
	}
	w.pass(2 * time.Second)
	if quiet := reads(10); quiet != 2 {
		t.Errorf("read %d times in ten rounds, after the shopper", quiet)
	}
	w.lent.set(func(s *seckill.LentState) { s.Live = false })
	reads(5)
	if closed := reads(10); closed != 10 {
		t.Errorf("read %d times in ten rounds, while it is not sold", closed)
	}
}

func TestLocalRefusalsDoesNotSellOutAnItemWhoseStateItCannotRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.lent.set(func(*seckill.LentState) { w.lent.statesErr = errors.New("timeout") })
	w.pass(seckill.StateMaxAge + time.Millisecond)
	_, err := w.buy("ann", 1, "")
	refused(t, err, seckill.Busy)
	if view, ok := w.service.View(mug); !ok || view.Known {
		t.Fatalf("%+v", view)
	}
}

func TestLocalRefusalsKnowsNoItemThatIsNotInTheCatalog(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	_, err := w.service.Buy(context.Background(), purchase.Request{Item: 1, User: "ann", Quantity: 1})
	refused(t, err, seckill.NotFound)
}

// TestWindow is the edge of the window by estimated Redis time. The fakes answer at once, so what remains uncertain is
// the grain of the clocks.
func TestWindow(t *testing.T) {
	t.Parallel()
	at := func(t *testing.T, skew, toOpen, toClose time.Duration) *world {
		t.Helper()
		return newWorld(t, 10, func(w *world, _ *purchase.Options) {
			w.lent.skew = skew
			began := w.clock.Now().Add(100 * time.Millisecond) // when the state has been read
			w.lent.state.OpensAt, w.lent.state.ClosesAt = began.Add(skew+toOpen), began.Add(skew+toClose)
		})
	}
	for _, skew := range []time.Duration{0, time.Hour, -time.Hour} {
		t.Run("follows the clock of Redis, which differs by "+skew.String(), func(t *testing.T) {
			t.Parallel()
			w := at(t, skew, 20*time.Millisecond, time.Hour)
			_, err := w.buy("ann", 1, "")
			if refusal := refused(t, err, seckill.NotStarted); refusal.RetryAfter <= 0 || refusal.RetryAfter > 20*time.Millisecond {
				t.Fatalf("%+v", refusal)
			}
			w.untouched()
			w.clock.Shift(20 * time.Millisecond)
			w.queued("ann", 1, "")
		})
	}
	t.Run("lets Redis decide just before the start", func(t *testing.T) {
		t.Parallel()
		w := at(t, 0, time.Millisecond, time.Hour)
		_, err := w.buy("ann", 1, "")
		refused(t, err, seckill.NotStarted)
		if w.lent.count("reserve") != 1 {
			t.Fatal("Redis was not asked")
		}
	})
	t.Run("lets Redis decide just after the end", func(t *testing.T) {
		t.Parallel()
		w := at(t, 0, -time.Hour, 0)
		_, err := w.buy("ann", 1, "")
		refused(t, err, seckill.Ended)
		if w.lent.count("reserve") != 1 {
			t.Fatal("Redis was not asked")
		}
	})
}

func TestGate(t *testing.T) {
	t.Parallel()
	backlogs := map[string]func(*fakeQueue){
		"too old":         func(q *fakeQueue) { q.state.Age = time.Minute },
		"too deep":        func(q *fakeQueue) { q.state.Ready = 30_000 },
		"too deep, taken": func(q *fakeQueue) { q.state.Unacked = 30_000 },
		"not to be seen":  func(q *fakeQueue) { q.lookErr = errors.New("no connection") },
	}
	for name, change := range backlogs {
		t.Run("is closed while the backlog is "+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 10)
			w.queue.set(change)
			w.pass(500 * time.Millisecond)
			_, err := w.buy("ann", 1, "")
			refused(t, err, seckill.Busy)
			w.untouched()
			w.queue.set(func(q *fakeQueue) { q.state, q.lookErr = seckill.QueueState{}, nil })
			w.pass(500 * time.Millisecond)
			w.queued("ann", 1, "")
		})
	}
	bounds := map[purchase.Bound]setting{
		purchase.BoundPending:     func(_ *world, o *purchase.Options) { o.PendingMax = 1 },
		purchase.BoundPendingItem: func(_ *world, o *purchase.Options) { o.PendingPerItem = 1 },
	}
	for bound, set := range bounds {
		t.Run("bounds "+string(bound), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 10, set)
			gate := make(chan struct{})
			w.lent.before = func(int) error { <-gate; return nil }
			first := make(chan error, 1)
			go func() { _, err := w.buy("ann", 1, ""); first <- err }()
			eventually(t, "the first waits", func() bool { return w.lent.count("reserve") == 1 })
			_, err := w.buy("bob", 1, "")
			refused(t, err, seckill.Busy)
			if w.hits(bound) != 1 {
				t.Fatal("not counted")
			}
			close(gate)
			if err := <-first; err != nil {
				t.Fatal(err)
			}
			w.queued("bob", 1, "")
		})
	}
}

func TestGateIsClosedBeforeTheFirstHeartbeat(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10, func(w *world, _ *purchase.Options) {
		w.sql.reading = func(call string) {
			if call == "now" {
				w.sql.set(func(f *fakeSQL) { f.err = errors.New("down") })
			}
		}
	})
	if w.service.Ready() == nil {
		t.Fatal("ready")
	}
	w.sql.set(func(f *fakeSQL) { f.err, f.reading = nil, nil })
	w.pass(time.Second) // the catalog, too
	w.pass(statesPass)
	w.queued("ann", 1, "")
	if err := w.service.Ready(); err != nil {
		t.Fatal(err)
	}
}

func TestGateTrap31IsClosedWhenTheLastHeartbeatBegan10SAgo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.pass(400 * time.Millisecond) // a heartbeat
	w.sql.set(func(f *fakeSQL) { f.err = errors.New("down") })
	for range 19 {
		w.pass(500 * time.Millisecond)
	}
	w.queued("ann", 1, "")
	w.pass(500 * time.Millisecond)
	_, err := w.buy("bob", 1, "")
	refused(t, err, seckill.Busy)
	if w.lent.count("reserve") != 1 || w.hits(purchase.BoundHeartbeat) != 1 {
		t.Fatal("stock was touched")
	}
	w.sql.set(func(f *fakeSQL) { f.err = nil })
}

func TestGateTrap31IsClosedToWhoWasAdmittedBeforeTheProcessWasStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.lent.before = func(call int) error {
		if call == 1 {
			w.clock.Shift(time.Hour) // meanwhile the next one waits
			return seckill.ErrUnavailable
		}
		return nil
	}
	for _, a := range w.crowd(2) {
		refused(t, a.err, seckill.Busy)
	}
	if w.lent.count("reserve") != 1 {
		t.Fatal("the second was tried")
	}
}

func TestGateTrap31IsClosedToWhoWaitedWhileTheDatabaseWasAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.lent.before = func(call int) error {
		if call > 1 {
			return nil
		}
		w.sql.set(func(f *fakeSQL) { f.err = errors.New("down") })
		for range 21 {
			w.pass(500 * time.Millisecond) // the item's state stays fresh
		}
		w.sql.set(func(f *fakeSQL) { f.err = nil })
		return seckill.ErrUnavailable
	}
	for _, a := range w.crowd(2) {
		refused(t, a.err, seckill.Busy)
	}
	if w.lent.count("reserve") != 1 || w.hits(purchase.BoundHeartbeat) != 1 {
		t.Fatal("the second was tried")
	}
}

func TestGateIsClosedToWhoWaitedForARedisThatStoodStill(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.lent.before = func(call int) error {
		if call == 1 {
			w.clock.Shift(seckill.StateMaxAge + 1)
			return seckill.ErrUnavailable
		}
		return nil
	}
	for _, a := range w.crowd(2) {
		refused(t, a.err, seckill.Busy)
	}
	if w.lent.count("reserve") != 1 || w.hits(purchase.BoundState) != 1 {
		t.Fatal("the second was tried")
	}
}

func TestGateCountsTheAgeOfAHeartbeatFromBeforeItBegan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.sql.set(func(f *fakeSQL) {
		f.reading = func(call string) {
			if call == "beat" {
				w.clock.Shift(seckill.BeatMaxAge) // the database takes its time
			}
		}
	})
	w.pass(400 * time.Millisecond)
	w.sql.set(func(f *fakeSQL) { f.reading = nil })
	w.clock.Shift(-statesPass)
	w.pass(statesPass)
	_, err := w.buy("ann", 1, "")
	refused(t, err, seckill.Busy)
	if w.hits(purchase.BoundHeartbeat) != 1 {
		t.Fatalf("%v", err)
	}
}

func TestGateOfAnItemIsThatOfItsHomeShard(t *testing.T) {
	t.Parallel()
	for shard, want := range []seckill.Reason{"", seckill.Busy} {
		w := newWorld(t, 10, func(w *world, _ *purchase.Options) {
			w.shards, w.sql.cutOff, w.sql.cutShard = 2, true, shard
		})
		if _, err := w.buy("ann", 1, ""); seckill.ReasonOf(err) != want {
			t.Errorf("without shard %d: %v", shard, err)
		}
		if err := w.service.Ready(); err != nil {
			t.Errorf("unready for want of shard %d: %v", shard, err)
		}
		w.sql.set(func(f *fakeSQL) { f.cutOff = false })
	}
}

func TestGateBoundsHowOftenOneUserMayTryAndNobodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0, func(_ *world, o *purchase.Options) { o.UserRate, o.UserBurst = 2, 3 })
	for range 3 {
		_, err := w.buy("ann", 1, "")
		refused(t, err, seckill.SoldOut)
	}
	_, err := w.buy("ann", 1, "")
	if refusal := refused(t, err, seckill.RateLimited); refusal.RetryAfter != 500*time.Millisecond {
		t.Fatalf("%+v", refusal)
	}
	_, err = w.buy("bob", 1, "")
	refused(t, err, seckill.SoldOut)
	w.clock.Shift(500 * time.Millisecond)
	_, err = w.buy("ann", 1, "")
	refused(t, err, seckill.SoldOut)
}
