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

func TestMarksAreWrittenWithTheNextHeartbeatOnceTheHighestOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.queued("ann", 1, "")
	w.queued("bob", 2, "")
	w.pass(400 * time.Millisecond)
	if beat := w.sql.last(); !slices.Equal(beat.Marks, []seckill.Mark{{Item: mug, Epoch: 1, Sold: 3}}) || beat.Incarnation == 0 || beat.Left {
		t.Fatalf("%+v", beat)
	}
	w.pass(500 * time.Millisecond)
	if beat := w.sql.last(); len(beat.Marks) != 0 || len(w.sql.written()) != 3 {
		t.Fatalf("%+v", beat)
	}
}

func TestMarksAreRecordedWhenNobodyIsAnsweredQueued(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.queue.set(func(q *fakeQueue) { q.publish = func(seckill.Outgoing) error { return seckill.ErrUnavailable } })
	_, err := w.buy("ann", 1, "")
	refused(t, err, seckill.UnknownOutcome)
	w.pass(400 * time.Millisecond)
	if beat := w.sql.last(); len(beat.Marks) != 1 || beat.Marks[0].Sold != 1 {
		t.Fatalf("%+v", beat)
	}
}

func TestMarksTrap25BeginBeforeTheMarksAreRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	// What Redis says while the database's clock is being read is in the beat that begins then.
	w.sql.reading = func(call string) {
		if call == "now" {
			w.queued("ann", 1, "")
		}
	}
	w.pass(400 * time.Millisecond)
	w.sql.set(func(f *fakeSQL) { f.reading = nil })
	if beat := w.sql.last(); len(beat.Marks) != 1 {
		t.Fatalf("%+v", beat)
	}
}

func TestMarksThatChangeWhileTheyAreWrittenAreWrittenAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.queued("ann", 1, "")
	w.sql.set(func(f *fakeSQL) {
		f.reading = func(call string) {
			if call == "beat" {
				w.queued("bob", 1, "")
			}
		}
	})
	w.pass(400 * time.Millisecond)
	w.sql.set(func(f *fakeSQL) { f.reading = nil })
	w.pass(500 * time.Millisecond)
	if beat := w.sql.last(); len(beat.Marks) != 1 || beat.Marks[0].Sold != 2 {
		t.Fatalf("%+v", beat)
	}
}

func TestMarksAreWrittenAgainAfterAFailureAndWithALaterEpoch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.queued("ann", 1, "")
	w.sql.set(func(f *fakeSQL) { f.err = errors.New("down") })
	w.pass(400 * time.Millisecond)
	w.sql.set(func(f *fakeSQL) { f.err = nil })
	w.pass(500 * time.Millisecond)
	if beat := w.sql.last(); len(beat.Marks) != 1 || beat.Marks[0].Sold != 1 {
		t.Fatalf("%+v", beat)
	}
	w.lent.set(func(s *seckill.LentState) { s.Epoch, s.Sold = 2, 0 })
	w.pass(statesPass)
	w.queued("bob", 1, "")
	w.pass(400 * time.Millisecond)
	if beat := w.sql.last(); !slices.Equal(beat.Marks, []seckill.Mark{{Item: mug, Epoch: 2, Sold: 1}}) {
		t.Fatalf("%+v", beat)
	}
}

func (f *fakeSQL) last() seckill.Beat {
	beats := f.written()
	return beats[len(beats)-1]
}

func TestDrainAnswersWhoIsInFlightFlushesAndThenLeavesWithTheLastMarks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	gate := make(chan struct{})
	w.queue.set(func(q *fakeQueue) { q.publish = func(seckill.Outgoing) error { <-gate; return nil } })
	first := make(chan error, 1)
	go func() { _, err := w.buy("ann", 1, ""); first <- err }()
	eventually(t, "it is being published", func() bool { return len(w.queue.published()) == 1 })
	w.stop()
	eventually(t, "it drains", func() bool { return w.service.Ready() != nil })
	_, err := w.buy("bob", 1, "")
	refused(t, err, seckill.Busy)
	for _, beat := range w.sql.written() {
		if beat.Left {
			t.Fatal("left before the last answer")
		}
	}
	close(gate)
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	beats := w.sql.written()
	if beat := beats[len(beats)-1]; !beat.Left || len(beat.Marks) != 1 || beat.Marks[0].Sold != 1 {
		t.Fatalf("%+v", beat)
	}
	if len(w.lent.sent) != 1 || w.lent.unsentBatches() != 0 {
		t.Fatalf("sent %v", w.lent.sent)
	}
}

func TestDrainSaysOnceMoreThatItLeftWhenTheShardDidNotHearIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	w.queued("ann", 1, "")
	w.sql.set(func(f *fakeSQL) {
		f.err = errors.New("too slow")
		f.reading = func(string) { w.sql.set(func(f *fakeSQL) { f.err, f.reading = nil, nil }) }
	})
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	if beat := w.sql.last(); !beat.Left || len(beat.Marks) != 1 || beat.Marks[0].Sold != 1 {
		t.Fatalf("%+v", beat)
	}
}

func TestDrainWaitsForWhatAShopperWhoLeftHasBegun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	gate := make(chan struct{})
	w.lent.before = func(int) error { <-gate; return nil }
	ctx, leave := context.WithCancel(context.Background())
	first := make(chan error, 1)
	go func() {
		_, err := w.service.Buy(ctx, purchase.Request{Item: mug, User: "ann", Quantity: 1})
		first <- err
	}()
	eventually(t, "the call began", func() bool { return w.lent.count("reserve") == 1 })
	leave()
	refused(t, <-first, seckill.UnknownOutcome)
	drained := make(chan error, 1)
	go func() { drained <- w.service.Drain(context.Background()) }()
	eventually(t, "it drains", func() bool { return w.service.Ready() != nil })
	w.pass(500 * time.Millisecond) // time enough
	select {
	case <-drained:
		t.Fatal("drained with a call in flight")
	default:
	}
	close(gate)
	if err := errors.Join(<-drained, w.end()); err != nil {
		t.Fatal(err)
	}
	if beat := w.sql.last(); !beat.Left || len(beat.Marks) != 1 || len(w.queue.published()) != 1 {
		t.Fatalf("%+v", beat)
	}
}

func TestDrainDoesNotSayThatItLeftWhileSomebodyMayStillBeAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10, func(_ *world, o *purchase.Options) { o.DrainWithin = 20 * time.Millisecond })
	gate := make(chan struct{})
	w.lent.before = func(int) error { <-gate; return nil }
	first := make(chan error, 1)
	go func() { _, err := w.buy("ann", 1, ""); first <- err }()
	eventually(t, "it is in flight", func() bool { return w.lent.count("reserve") == 1 })
	if err := w.end(); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	for _, beat := range w.sql.written() {
		if beat.Left {
			t.Fatal("left")
		}
	}
	close(gate)
	<-first
}

func TestViewKeepsShowingTheCatalogWithoutAnyStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10)
	view, ok := w.service.View(mug)
	if !ok || !view.Known || view.Available != 10 || view.Item.SKU != "MUG-1" || view.Sale.ID != 700 {
		t.Fatalf("%+v", view)
	}
	w.sql.set(func(f *fakeSQL) { f.err = errors.New("down") })
	w.lent.set(func(*seckill.LentState) { w.lent.statesErr = seckill.ErrUnavailable })
	w.pass(2 * time.Second)
	view, ok = w.service.View(mug)
	if !ok || view.Known || view.Item.SKU != "MUG-1" {
		t.Fatalf("%+v", view)
	}
	if sales, ok := w.service.Sales(); !ok || len(sales) != 1 {
		t.Fatalf("%+v", sales)
	}
	w.sql.set(func(f *fakeSQL) { f.err = nil })
}

func TestView(t *testing.T) {
	t.Parallel()
	t.Run("does not know what is left while the epoch is closed", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 10, func(w *world, _ *purchase.Options) { w.lent.state.Live = false })
		if view, ok := w.service.View(mug); !ok || view.Known {
			t.Fatalf("%+v", view)
		}
	})
	t.Run("knows what is on the servers that answer", func(t *testing.T) {
		t.Parallel()
		const cup seckill.ID = mug - 1
		w := newWorld(t, 10, func(w *world, _ *purchase.Options) {
			w.sql.sale.Items = append([]seckill.Item{{ID: cup, Sale: 700}}, w.sql.sale.Items...)
			w.lent.away = cup
		})
		w.pass(2 * seckill.StateMaxAge)
		if view, ok := w.service.View(mug); !ok || !view.Known || view.Available != 10 {
			t.Errorf("mug %+v", view)
		}
		if view, ok := w.service.View(cup); !ok || view.Known {
			t.Errorf("cup %+v", view)
		}
	})
	t.Run("knows nothing before the catalog was read", func(t *testing.T) {
		t.Parallel()
		w := prepare(t, 10)
		if _, ok := w.service.View(mug); ok {
			t.Fatal("viewed")
		}
		if _, ok := w.service.Sales(); ok || w.service.Ready() == nil {
			t.Fatal("ready")
		}
	})
	t.Run("tells Redis time when it stood still while it read that", timeThroughAPause)
	t.Run("tells Redis time", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, 10, func(w *world, _ *purchase.Options) { w.lent.skew = time.Hour })
		w.clock.Shift(50 * time.Millisecond)
		if got, want := w.service.ServerTime(), w.clock.Now().Add(time.Hour); !got.Equal(want) {
			t.Fatalf("%s, not %s", got, want)
		}
	})
}

func timeThroughAPause(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10, func(*world, *purchase.Options) {})
	w.lent.set(func(*seckill.LentState) { w.lent.thawed = func() { w.clock.Shift(10 * time.Second) } })
	calls := w.lent.count("states")
	w.pass(2 * seckill.StateMaxAge)
	if w.lent.count("states") == calls {
		t.Fatal("did not read it")
	}
	if got, want := w.service.ServerTime(), w.clock.Now(); !got.Equal(want) {
		t.Fatalf("%s, not %s", got, want)
	}
}
