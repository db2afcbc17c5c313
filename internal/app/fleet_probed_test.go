package app_test

import (
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv/fleet"
)

const (
	// probedWithin is how soon the shop must sell again when what was broken is back; tests share their machine, so they allow
	// more.
	probedWithin     = 5 * time.Second
	probedWithinBusy = 3 * probedWithin
)

// probedFleet is a fleet that is broken in one way after the other, with one long sale at which a probe sees what a shopper
// would hear.
type probedFleet struct {
	*distributed
	probe *probe
	logs  *fleetLogs
}

func startProbed(t *testing.T) *probedFleet {
	t.Helper()
	logs := &fleetLogs{t: t}
	f := &probedFleet{logs: logs, distributed: startFleet(t, func(c *fleet.Config) { c.Output = logs.writer })}
	f.create(probeUnits)
	if err := f.preload(); err != nil {
		t.Fatal(err)
	}
	f.probe = newProbe(f.distributed)
	return f
}

// probing is a way to break a probed fleet.
type probing struct {
	does string
	test func(f *probedFleet)
}

// play breaks the fleet in one way after the other, and sees to it in the end that the probe has all it was promised.
func (f *probedFleet) play(ways ...probing) {
	f.t.Helper()
	for _, it := range ways {
		f.t.Run(it.does, func(t *testing.T) {
			f.within(t)
			it.test(f)
		})
	}
	f.probe.settle()
}

// within runs the rest of the fleet's life inside a subtest.
func (f *probedFleet) within(t *testing.T) {
	t.Helper()
	outer := f.t
	f.t, f.probe.t = t, t
	f.logs.begin(t)
	t.Cleanup(func() {
		f.t, f.probe.t = outer, outer
		f.logs.begin(outer)
	})
}

func (f *probedFleet) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// without freezes every process of a role for a while.
func (f *probedFleet) without(role string, do func()) {
	f.t.Helper()
	for _, node := range f.Nodes[role] {
		f.must(node.Stop())
	}
	defer func() {
		for _, node := range f.Nodes[role] {
			f.must(node.Continue())
		}
	}()
	do()
}

// withoutWorkers lets what is accepted stay in the queue.
func (f *probedFleet) withoutWorkers(do func()) {
	f.t.Helper()
	f.without(fleet.Worker, func() {
		f.probe.mustBuy()
		do()
	})
}

// closes waits until every api answers busy.
func (f *probedFleet) closes() {
	f.t.Helper()
	began := time.Now()
	for door := range f.probe.doors {
		f.await("an api closes admission", func() bool { return f.probe.buy(door) == seckill.Busy })
	}
	wantWithin(f.t, "admission closed", time.Since(began), probedWithin)
}

// touchesNoStock has shoppers come to a shop that is busy.
func (f *probedFleet) touchesNoStock() {
	f.t.Helper()
	before := f.probe.available()
	f.hearsBusy()
	if after := f.probe.available(); after != before {
		f.t.Errorf("%d units were available before shoppers heard busy, %d after", before, after)
	}
}

func (f *probedFleet) hearsBusy() {
	f.t.Helper()
	for n := range 20 {
		if reason := f.probe.buy(n % len(f.probe.doors)); reason != seckill.Busy {
			f.t.Errorf("a shopper hears %q", reason)
		}
	}
}

// sellsAgain waits until every api accepts a purchase. The time counts from the call: what was away is back.
func (f *probedFleet) sellsAgain() {
	f.t.Helper()
	began := time.Now()
	for door := range f.probe.doors {
		f.await("an api sells again", func() bool { return f.probe.buy(door) == "" })
	}
	took := time.Since(began)
	f.t.Logf("wanted within %v on an idle machine", probedWithin)
	wantWithin(f.t, "sells again", took, probedWithinBusy)
}

func (f *probedFleet) wantAlarm(text string) {
	f.t.Helper()
	f.await("an alarm says "+text, func() bool { return f.logs.has("level=ERROR", text) })
}

// wantWithin tells how long something took, and fails the test if that is more than the bound.
func wantWithin(t *testing.T, what string, took, bound time.Duration) {
	t.Helper()
	t.Logf("%s after %v", what, took.Round(time.Millisecond))
	if took > bound {
		t.Errorf("%s after %v, want %v at most", what, took, bound)
	}
}
