package sqlstore_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

const testPID = 4711

// fleetOf is processes that come and go on one machine, whose clock a test sets, and have one node number between them.
type fleetOf struct {
	t       *testing.T
	config  sqlstore.Config
	clock   *setClock
	machine *sqlstore.Machine
	number  int64
	drawn   [][]seckill.ID
}

// newFleet has one process that holds the number, and has made as many ids as it could.
func newFleet(t *testing.T, e engine) (f *fleetOf, first *sqlstore.Store) {
	t.Helper()
	f = &fleetOf{
		t: t, config: e.fresh(t, 1), clock: newSetClock(),
		machine: &sqlstore.Machine{Name: "here", Running: map[int]int64{}, Up: time.Hour},
	}
	f.config.Clock = f.clock
	if f.config.Shards[0].MySQL == nil {
		copyMigrated(t, f.config)
	}
	first = f.run(testPID, 1)
	must(t, first.IDs().Acquire(t.Context()))
	f.number = node(f.exhaust(first))
	onlyNode(t, first, f.number)
	return f, first
}

// run opens a process that has no number yet.
func (f *fleetOf) run(pid int, started int64) *sqlstore.Store {
	f.t.Helper()
	store := open(f.t, f.config)
	store.RunOn(f.machine, pid, started)
	return store
}

func (f *fleetOf) pass(d time.Duration) {
	f.clock.step(d)
	f.machine.Up += d
}

// exhaust draws until the ids are as far ahead of the clock as they may be, and returns the last one.
func (f *fleetOf) exhaust(store *sqlstore.Store) seckill.ID {
	f.t.Helper()
	var all []seckill.ID
	for id, err := store.IDs().Next(0); err == nil; id, err = store.IDs().Next(0) {
		all = append(all, id)
	}
	if len(all) == 0 {
		f.t.Fatal("made no ids")
	}
	f.drawn = append(f.drawn, all)
	return all[len(all)-1]
}

// ahead is how far an id is ahead of the clock.
func (f *fleetOf) ahead(id seckill.ID) time.Duration { return id.Time().Sub(f.clock.Now()) }

func TestNodeOfTheDead(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		happens func(f *fleetOf)
		taken   bool
	}{
		"takes the number of a process that is gone":                  {func(f *fleetOf) { delete(f.machine.Running, testPID) }, true},
		"takes the number of one whose pid somebody else has":         {func(f *fleetOf) { f.machine.Running[testPID] = 2 }, true},
		"leaves a process its number that runs":                       {func(*fleetOf) {}, false},
		"leaves a process its number that ran on another machine":     {func(f *fleetOf) { f.moves("there") }, false},
		"leaves a process its number after the machine was restarted": {func(f *fleetOf) { f.moves("here, another boot") }, false},
		"leaves a number to a holder that says nothing of itself":     {func(f *fleetOf) { f.rename("GLSXJ7XQ2OFNE3YBMMYK6LNQPA") }, false},
		"leaves a number to a holder that is not understood":          {func(f *fleetOf) { f.rename("here.3mv.!.4711.X") }, false},
	}
	onEngines(t, func(t *testing.T, e engine) {
		t.Helper()
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				f, _ := newFleet(t, e)
				c.happens(f)
				second := f.run(testPID+1, 3)
				if err := second.IDs().Acquire(t.Context()); (err == nil) != c.taken {
					t.Fatalf("taken: %v", err)
				}
				if c.taken {
					f.exhaust(second)
					distinct(t, f.drawn...)
				}
			})
		}
	})
}

func (f *fleetOf) moves(name string) {
	f.machine.Name = name
	delete(f.machine.Running, testPID)
}

// rename puts another holder into the row.
func (f *fleetOf) rename(holder string) {
	delete(f.machine.Running, testPID)
	edit(f.t, open(f.t, f.config), 0, "UPDATE nodes SET holder = ? WHERE node = ?", holder, f.number)
}

// A process that is not known to be dead may come back, so what it may use stays its own until its lease has run out.
func TestNodeOfTheMissing(t *testing.T) {
	t.Parallel()
	f, first := newFleet(t, engines()[0])
	f.moves("there")
	edit(t, first, 0, "UPDATE nodes SET leased_until = 1 WHERE node = ?", f.number)
	second := f.run(testPID+1, 3)
	must(t, second.IDs().Acquire(t.Context()))
	id := f.exhaust(second)
	f.pass(8 * time.Minute)
	f.exhaust(first)
	distinct(t, f.drawn...)
	if ahead := f.ahead(id); ahead < time.Minute {
		t.Fatalf("is only %v ahead of the clock", ahead)
	}
}

func TestNodeOfTheDeadAgainAndAgain(t *testing.T) {
	t.Parallel()
	for name, setBack := range map[string]time.Duration{"as it was": 0, "set back": time.Hour} {
		t.Run(fmt.Sprintf("does not run away from a clock that is %s", name), func(t *testing.T) {
			t.Parallel()
			f, _ := newFleet(t, engines()[0])
			f.clock.step(-setBack)
			var last seckill.ID
			for i := range 50 {
				delete(f.machine.Running, testPID+i)
				f.pass(time.Millisecond)
				store := f.run(testPID+i+1, 1)
				must(t, store.IDs().Acquire(t.Context()))
				last = f.exhaust(store)
				must(t, store.Close())
			}
			distinct(t, f.drawn...)
			if ahead := f.ahead(last); ahead > setBack+time.Second {
				t.Fatalf("is %v ahead of the clock", ahead)
			}
		})
	}
}

func TestNodeFollowsTheClock(t *testing.T) {
	t.Parallel()
	f, first := newFleet(t, engines()[0])
	first.IDs().Lag(time.Hour)
	unavailable(t, first.IDs()) // an hour behind what it has made
	must(t, first.IDs().Renew(t.Context()))
	f.pass(10 * time.Millisecond)
	if ahead := f.ahead(f.exhaust(first)); ahead < 0 {
		t.Fatalf("is %v behind the clock", -ahead)
	}
	delete(f.machine.Running, testPID)
	second := f.run(testPID+1, 3)
	must(t, second.IDs().Acquire(t.Context()))
	f.exhaust(second)
	distinct(t, f.drawn...)
	if numbers := []int64{node(f.drawn[0][0]), node(slices.Concat(f.drawn[2:]...)[0])}; numbers[0] != numbers[1] {
		t.Fatalf("numbers %v", numbers)
	}
}
