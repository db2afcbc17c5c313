package sim

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// faults decides what goes wrong.
type faults struct {
	*plan

	random *rand.Rand
	// healed says that nothing goes wrong any more.
	healed bool
	// waiting are the faults that come with a certain call.
	waiting []*chance
	// strike lets one of a kind happen; count counts them.
	strike func(k kind)
	count  map[kind]int
	// writes are the methods that change something.
	writes map[method]bool
}

// chance is a fault that comes with the nth call of a method, and with it another one, "" for none.
type chance struct {
	method method
	nth    int
	kind   kind
	beside kind
	// after says that it comes when the call has had its effect.
	after bool
}

// Bounds of what can be waited for. What a process is stopped for, and what a message is late for, is bounded by what the
// protocol promises to outlive.
const (
	callLeast, callMost = 20 * time.Microsecond, 3 * time.Millisecond
	slowLeast, slowMost = 5 * time.Millisecond, 4 * time.Second
)

// sudden are the kinds that a chance may be of.
func sudden() []kind {
	return []kind{
		crashes, crashes, loses, loses, refuses, slow, slow, doubles, echoes, stops, cuts, operates, operates, arrives, idless, failover, wipe, restart, zombie, redisDown, reconnect, brokerDown,
		brokerWipe, shardAway,
	}
}

// strikes says whether a kind happens to the world rather than to a call.
func (k kind) strikes() bool {
	switch k {
	case crashes, loses, refuses, slow, doubles, echoes, stops, cuts, idless:
		return false
	default:
		return true
	}
}

func newFaults(plan *plan, random *rand.Rand) *faults {
	f := &faults{plan: plan, random: random, count: make(map[kind]int), writes: make(map[method]bool)}
	for _, m := range changing() {
		f.writes[m] = true
	}
	var possible []kind
	for _, k := range sudden() {
		if plan.faults[k] {
			possible = append(possible, k)
		}
	}
	for range plan.moments {
		if len(possible) == 0 {
			break
		}
		it := &chance{
			method: plan.turns[random.IntN(len(plan.turns))], nth: 1 + random.IntN(1+random.IntN(5)),
			kind: possible[random.IntN(len(possible))], after: random.IntN(2) == 0,
		}
		if beside := possible[random.IntN(len(possible))]; random.IntN(3) == 0 && beside.strikes() {
			it.beside = beside
		}
		f.waiting = append(f.waiting, it)
	}
	return f
}

// echo is a connection that brings again what a process has sent since a moment, in the same order.
type echo struct{ until, later time.Duration }

// meet decides what becomes of a call, and how long it takes until its effect.
func (f *faults) meet(c *call) time.Duration {
	wait := f.decide(c)
	if f.writes[c.method] && c.process.loop.now() < c.process.echo.until {
		c.comesAgain(wait + c.process.echo.later)
	}
	return wait
}

func (f *faults) decide(c *call) time.Duration {
	wait := callLeast + time.Duration(f.random.Int64N(int64(callMost-callLeast)))
	if f.healed {
		return wait
	}
	if c.process.cutOff[c.method.store()] > c.process.loop.now() {
		c.fate, c.told = refused, c.method.refusedError()
		return wait
	}
	for _, it := range f.waiting {
		if it.method == c.method {
			if it.nth--; it.nth == 0 {
				wait = f.come(it, c, wait)
				if it.beside != "" {
					c.process.loop.after(callMost, nil, func() { f.strike(it.beside) })
				}
			}
		}
	}
	if c.fate != done || c.kills {
		return wait
	}
	switch x := f.random.Float64(); {
	case x < f.rate:
		f.fail(c, refuses)
	case x < 2*f.rate:
		f.fail(c, loses)
	case x < 3*f.rate:
		return f.slow(c, wait)
	case x < 3*f.rate+f.rate/8:
		f.fail(c, crashes)
	case x < 5*f.rate:
		f.double(c, wait)
	}
	return wait
}

// double has a call made twice: whoever sends it again has forgotten that it has, or never heard of it. The other one comes
// first, or last.
func (f *faults) double(c *call, wait time.Duration) {
	if !f.faults[doubles] || !f.writes[c.method] {
		return
	}
	f.count[doubles]++
	most := 2 * time.Second
	if c.method == marksBeat {
		most = 2 * seckill.JudgeAfter // later than the next one
	}
	c.comesAgain(wait + between2(f.random, time.Millisecond, most))
}

// comesAgain lets the effect of a call come once more. What redis has lost in between nobody has asked for again: a load and
// its opening are sent once.
func (c *call) comesAgain(wait time.Duration) {
	l, book := c.process.loop, c.process.book
	losses := book.losses
	l.after(wait, nil, func() {
		if c.method.store() == redisStore && book.losses != losses {
			return
		}
		l.trace.late(c)
		c.again()
	})
}

func (f *faults) slow(c *call, wait time.Duration) time.Duration {
	if !f.faults[slow] {
		return wait
	}
	f.count[slow]++
	long := time.Duration(float64(slowLeast) * math.Exp(f.random.Float64()*math.Log(float64(slowMost/slowLeast))))
	if f.random.IntN(2) == 0 {
		c.slow = long
		return wait
	}
	return wait + long
}

// fail has a call fail in one way, if the schedule has such faults.
func (f *faults) fail(c *call, k kind) {
	if !f.faults[k] {
		return
	}
	f.count[k]++
	switch k {
	case refuses:
		c.fate, c.told = refused, c.method.refusedError()
	case loses:
		c.fate, c.ahead, c.told = lost, f.random.IntN(2) == 0, c.method.lostError(errCut)
	case crashes:
		c.kills, c.ahead = true, f.random.IntN(2) == 0
	default:
	}
}

// come lets a chance come.
func (f *faults) come(it *chance, c *call, wait time.Duration) time.Duration {
	switch it.kind {
	case refuses, loses, crashes:
		f.fail(c, it.kind)
		c.ahead = c.ahead && !it.after
	case slow:
		return f.slow(c, wait)
	case doubles:
		f.double(c, wait)
	case echoes:
		f.count[echoes]++
		now := c.process.loop.now()
		c.process.echo = echo{now + between2(f.random, 10*time.Millisecond, time.Second), between2(f.random, 50*time.Millisecond, 2*time.Second)}
	case stops:
		f.count[stops]++
		c.process.stop(f.standing(f.random))
	case cuts:
		f.count[cuts]++
		c.process.cut(c.method.store(), between2(f.random, 50*time.Millisecond, 15*time.Second))
	default:
		if it.after {
			wait2 := wait + time.Microsecond
			c.process.loop.after(wait2, nil, func() { f.strike(it.kind) })
			return wait
		}
		f.strike(it.kind)
		if it.kind == operates || it.kind == arrives {
			return wait + between2(f.random, 0, meanwhile) // what follows of it comes first
		}
	}
	return wait
}

// meanwhile is how long a call may take during which somebody does something.
const meanwhile = 400 * time.Millisecond

// standingMost is how long a process stands still at most.
const standingMost = 8 * time.Second

// standing is how long a process stands still.
func (p *plan) standing(r *rand.Rand) time.Duration {
	return between2(r, max(p.pause, 50*time.Millisecond), standingMost)
}

// arrivesLate says whether a call whose caller has given up has an effect after all.
func (f *faults) arrivesLate(*call) bool {
	if f.healed || !f.faults[lates] || f.random.IntN(2) == 0 {
		return false
	}
	f.count[lates]++
	return true
}
