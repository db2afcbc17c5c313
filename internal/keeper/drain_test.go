package keeper

import (
	"errors"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// drainRig is a sealing epoch with one api process that was told of ten units.
type drainRig struct {
	clock *handclock.Clock
	marks *fakeMarks
	queue *fakeQueue
	drain *CountedDrain
	stock seckill.Stock
}

func newDrainRig() *drainRig {
	clock := handclock.New()
	stock := seckill.Stock{Item: 7, Epoch: 3, State: seckill.StockSealing, Gate: time.Second, Since: clock.Now(), High: 6}
	marks := &fakeMarks{highest: 10, beats: []seckill.Heartbeat{{Incarnation: 1, Begun: closeOf(stock).Add(time.Millisecond)}}}
	queue := &fakeQueue{state: seckill.QueueState{Consumers: 1}}
	ports := Ports{Marks: marks, Queue: queue, Shards: oneShard{}, Clock: clock, Log: discard()}
	return &drainRig{clock: clock, marks: marks, queue: queue, drain: NewCountedDrain(ports), stock: stock}
}

func (r *drainRig) ask(t *testing.T) seckill.Drained {
	t.Helper()
	drained, err := r.drain.Drained(t.Context(), r.stock)
	if err != nil {
		t.Fatal(err)
	}
	return drained
}

func TestCountedDrain(t *testing.T) {
	t.Parallel()
	t.Run("is done when everything promised is accounted for", func(t *testing.T) {
		t.Parallel()
		rig := newDrainRig()
		rig.stock.Accounted = 10
		if got := rig.ask(t); !got.Done || got.Target != 10 {
			t.Fatalf("got %+v, want done with target 10", got)
		}
	})
	t.Run("trap 2: waits for what is promised and not accounted for, though nothing is ready", func(t *testing.T) {
		t.Parallel()
		rig := newDrainRig()
		rig.stock.Accounted = 9
		if rig.ask(t).Done {
			t.Fatal("one promised unit is missing")
		}
	})
	t.Run("trap 25: waits for a process whose last marks were begun before close", func(t *testing.T) {
		t.Parallel()
		rig := newDrainRig()
		rig.stock.Accounted = 10
		rig.marks.beats[0].Begun = closeOf(rig.stock).Add(-time.Second)
		if rig.ask(t).Done {
			t.Fatal("that process may have been told of more since")
		}
		rig.marks.beats[0].Left = true
		if !rig.ask(t).Done {
			t.Fatal("a process that left has said everything")
		}
	})
	t.Run("trap 32: counts what redis sold though no api process heard of it", func(t *testing.T) {
		t.Parallel()
		rig := newDrainRig()
		rig.stock.High, rig.stock.Accounted = 12, 10
		if got := rig.ask(t); got.Done || got.Target != 12 {
			t.Fatalf("got %+v, want to wait for 12", got)
		}
	})
	t.Run("reports a queue it cannot reach", func(t *testing.T) {
		t.Parallel()
		rig := newDrainRig()
		rig.queue.err = errors.New("connection refused")
		if _, err := rig.drain.Drained(t.Context(), rig.stock); err == nil {
			t.Fatal("no error")
		}
	})
}

func TestCountedDrainGivesUp(t *testing.T) {
	t.Parallel()
	t.Run("after 20 s in which a healthy queue brought nothing", givesUpAfterSilence)
	t.Run("trap 30: not for time in which it did not look", givesUpByLooks)
	t.Run("not while the queue has no consumer or is behind", waitsForTheQueue)
	t.Run("but begins again when a claim comes in", beginsAgainWithAClaim)
}

func givesUpAfterSilence(t *testing.T) {
	t.Parallel()
	rig := newDrainRig()
	rig.ask(t)
	for range 19 {
		rig.clock.Advance(time.Second)
		if rig.ask(t).Done {
			t.Fatal("too early")
		}
	}
	rig.clock.Advance(time.Second)
	if got := rig.ask(t); !got.Done || got.Target != 10 {
		t.Fatalf("got %+v, want done: the rest goes to doubt", got)
	}
}

func givesUpByLooks(t *testing.T) {
	t.Parallel()
	rig := newDrainRig()
	rig.ask(t)
	rig.clock.Advance(time.Hour)
	if rig.ask(t).Done {
		t.Fatal("one look is worth one second")
	}
}

func waitsForTheQueue(t *testing.T) {
	t.Parallel()
	for _, state := range []seckill.QueueState{{Consumers: 0}, {Consumers: 1, Age: queueAgeMax}} {
		rig := newDrainRig()
		rig.queue.state = state
		for range 60 {
			if rig.ask(t).Done {
				t.Fatalf("gave up on a queue like %+v", state)
			}
			rig.clock.Advance(time.Second)
		}
	}
}

func beginsAgainWithAClaim(t *testing.T) {
	t.Parallel()
	rig := newDrainRig()
	rig.ask(t)
	for i := range 30 {
		rig.clock.Advance(time.Second)
		if i == 15 {
			rig.stock.ClaimedAt = rig.clock.Now()
		}
		if rig.ask(t).Done {
			t.Fatalf("gave up %d s after the last claim", i-15)
		}
	}
}
