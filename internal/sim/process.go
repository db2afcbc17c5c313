package sim

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
	"github.com/seckill-dev/seckill/internal/sim/lent"
)

// role is what a process plays.
type role string

const (
	apiRole      role = "api"
	workerRole   role = "worker"
	keeperRole   role = "keeper"
	operatorRole role = "operator"
)

// process is one process from its start to its death. It has no memory but what its use cases keep, and reaches the world
// only through its ports.
type process struct {
	*world
	role   role
	number int
	name   string

	// life ends when the process is told to end, breath when it is dead.
	life   context.Context
	end    context.CancelFunc
	breath context.Context
	kill   context.CancelFunc
	dead   atomic.Bool
	// stopped is until when nothing happens in it.
	stopped time.Duration
	// cutOff is until when each store is out of its reach, leaving that it was told to end.
	cutOff  [shopStore + 1]time.Duration
	leaving bool
	// idless is until when it has no node number, echo what its connections bring again.
	idless time.Duration
	echo   echo
	// stood is how long it stood still in all.
	stood time.Duration

	// publishing is how many batches it is publishing, flagged are the items that it has seen sold out.
	publishing int
	flagged    map[seckill.ID]bool

	// incarnation is what an api is called in its heartbeats.
	incarnation seckill.ID

	clock  clock
	ids    seckill.IDs
	client *lent.Client
	// onDeath is what the world notices.
	onDeath []func()
}

// nodes bounds the numbers of id generators; the ledger has the highest itself.
const nodes = 60

func (w *world) newProcess(role role) *process {
	w.processes++
	p := &process{world: w, role: role, number: w.processes, name: fmt.Sprintf("%s%d", role, w.processes)}
	p.breath, p.kill = context.WithCancel(context.Background())
	p.life, p.end = context.WithCancel(p.breath)
	p.clock = clock{process: p, stretch: w.plan.stretch}
	node := p.number % nodes
	if p.slips(oneNode) {
		node = 1
	}
	p.ids = leased{ledger.NewIDs(node, p.clock), p}
	p.client, p.flagged = w.lent.Client(), map[seckill.ID]bool{}
	w.alive = append(w.alive, p)
	w.loop.trace.say("%s starts", p.name)
	return p
}

// leased makes ids while the process has a node number.
type leased struct {
	seckill.IDs

	p *process
}

// Next implements seckill.IDs.
func (x leased) Next(bucket int) (seckill.ID, error) {
	if x.p.loop.now() < x.p.idless {
		return 0, fmt.Errorf("%w: no node number is leased", seckill.ErrUnavailable)
	}
	return x.IDs.Next(bucket)
}

// die ends the process now. Its goroutines find that out at their next call; except is carried out nevertheless.
func (p *process) die(except *call) {
	if p.dead.Swap(true) {
		return
	}
	p.loop.trace.say("%s is dead", p.name)
	p.end()
	p.kill()
	for _, e := range p.loop.queue {
		if e.owner == p && e.call != nil && e.call != except {
			e.call.dismiss()
			e.call, e.owner, e.do = nil, nil, func() {}
		}
	}
	for _, tell := range p.onDeath {
		tell()
	}
	p.alive = without(p.alive, p)
}

// stop keeps everything from happening in the process for a while, as a pause of its machine does.
func (p *process) stop(d time.Duration) {
	p.loop.trace.say("%s stands still for %s", p.name, d)
	p.stopped = max(p.stopped, p.loop.now()+d)
	p.stood += d
}

// cut keeps the process from reaching a store for a while, which all others reach.
func (p *process) cut(from store, d time.Duration) {
	p.loop.trace.say("%s does not reach store %d for %s", p.name, from, d)
	p.cutOff[from] = max(p.cutOff[from], p.loop.now()+d)
}

// leaveMost is how long a process may take to end.
const leaveMost = 9 * time.Second

// leave ends the process as an operator does: it finishes what it has begun.
func (p *process) leave() {
	if p.leaving || p.dead.Load() {
		return
	}
	p.leaving = true
	p.loop.trace.say("%s is told to end", p.name)
	p.end()
	most := leaveMost
	if p.role == keeperRole || p.role == operatorRole {
		most = between2(p.random, 0, leaveMost)
	}
	p.loop.after(most, nil, func() { p.die(nil) })
}

// finished is a process that has nothing more to do.
func (p *process) finished() {
	p.loop.arrive(&event{at: p.loop.now(), rank: "-5", name: int64(p.number), do: func() { p.die(nil) }})
}

func without[T comparable](all []T, gone T) []T {
	var left []T
	for _, p := range all {
		if p != gone {
			left = append(left, p)
		}
	}
	return left
}

// clock is a process's own. Its timers are events, so that the loop decides when they ring.
type clock struct {
	process *process
	skew    time.Duration
	// stretch is how many times longer everything takes to ring: a slow process is cheap to simulate.
	stretch float64
}

var _ seckill.Clock = clock{}

// daybreak is when schedules begin; a bubble's time begins in the year 2000, before there were ids.
func daybreak(now time.Time) time.Time { return now.Add(bubbleAge) }

// bubbleAge is from the year in which bubbles begin to 2026.
const bubbleAge = 26 * 365 * 24 * time.Hour

// Now implements seckill.Clock.
func (c clock) Now() time.Time { return daybreak(time.Now()).Add(c.skew - c.process.lag()) }

// After implements seckill.Clock.
func (c clock) After(d time.Duration) <-chan time.Time {
	ring := make(chan time.Time, 1)
	p := c.process
	d = steady(d)
	at := p.loop.now() + time.Duration(float64(d)*c.pace())
	p.loop.arrive(&event{at: at, owner: p, rank: "-1", name: int64(d), do: func() { ring <- c.Now() }})
	return ring
}

// endingPace is how slow everybody is when only rest is waited for. What must be younger than a second still is.
const endingPace = 7

func (c clock) pace() float64 {
	if c.process.ending {
		return endingPace
	}
	return c.stretch
}

// steady takes the chance out of a wait. Whoever draws one does so from a generator that knows no seed; such waits are no
// whole milliseconds, and grow to the next step of a ladder that has one for every backoff: a schedule depends on its seed
// alone.
func steady(d time.Duration) time.Duration {
	if d%time.Millisecond == 0 {
		return d
	}
	step := 25 * time.Millisecond
	for step < d {
		if step *= 2; step == 1600*time.Millisecond {
			step = 2 * time.Second
		}
	}
	return step
}
