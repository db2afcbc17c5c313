package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// fate is what becomes of a call, decided before it is carried out.
type fate int

const (
	// done: it takes effect and is answered.
	done fate = iota
	// refused: nothing was done, and the caller knows it.
	refused
	// lost: it takes effect, or not, and the caller does not know.
	lost
	// died: its process is dead, and nobody hears of it.
	died
)

// call is one call of a port. Its goroutine waits in it until the loop releases it, carries it out itself, and runs on: up to
// its next call nothing else of the world moves.
type call struct {
	process *process
	method  method
	about   about
	errand  int64
	// bound is the context's deadline, deadline the call's: zero when there is none.
	bound    time.Time
	deadline time.Time
	release  chan struct{}
	// event is what the loop keeps of it.
	event event
	// again does what the call does, for an effect that comes when nobody waits for it any more.
	again func()

	fate fate
	// ahead says that a lost call has no effect before its caller hears of it; slow is how long its answer takes.
	ahead bool
	slow  time.Duration
	// kills says that the process dies of it, before or after its effect.
	kills bool
	// told is what its caller hears instead of an answer.
	told error
	// over says that its effect has been there, and failure what it said.
	over    bool
	failure error
}

// about is what a call is about: for the order among those that came together, for the faults and the trace.
type about struct {
	shard int
	item  seckill.ID
	id    seckill.ID
	user  seckill.UserID
	// says is printed as it is.
	says []any
}

// redisTimeout bounds every call of Redis, as the adapter does.
const redisTimeout = 500 * time.Millisecond

// errDead is what calls of a dead process answer. Nobody hears it but goroutines that are to end.
var errDead = errors.New("the process is dead")

// ask is how every port is called.
func ask[T any](
	ctx context.Context, p *process, m method, a about, do func(ctx context.Context) (T, error),
) (answer T, err error) {
	var none T
	if p.dead.Load() {
		return none, errDead
	}
	c := &call{process: p, method: m, about: a, errand: errandOf(ctx), release: make(chan struct{}, 1)}
	c.bound, _ = ctx.Deadline()
	c.deadline = c.bound
	if most := time.Now().Add(redisTimeout); m.store() == redisStore && (c.deadline.IsZero() || most.Before(c.deadline)) {
		c.deadline = most
	}
	// Deadlines are the loop's business: the effect may come later than the caller waits.
	ctx = context.WithoutCancel(ctx)
	c.again = func() { _, _ = do(ctx) }
	c.wait()
	if c.fate == refused || c.ahead {
		return none, c.told
	}
	answer, err = do(ctx)
	c.over, c.failure = true, err
	p.loop.trace.called(c, answer)
	if c.slow > 0 {
		c.wait()
	}
	if c.fate == lost || c.fate == died {
		return none, c.told
	}
	return answer, err
}

// tell is ask for what has no answer.
func tell(ctx context.Context, p *process, m method, a about, do func(ctx context.Context) error) error {
	_, err := ask(ctx, p, m, a, func(ctx context.Context) (struct{}, error) { return struct{}{}, do(ctx) })
	return err
}

// wait hands the goroutine over to the loop until the call is released.
func (c *call) wait() {
	c.event = event{
		owner: c.process, call: c, rank: string(c.method), errand: c.errand,
		name: int64(c.about.id) ^ int64(c.about.item) ^ int64(c.about.shard),
	}
	c.process.loop.arrive(&c.event)
	<-c.release
}

// schedule gives a call that has arrived its moment and its fate.
func (l *loop) schedule(e *event) {
	c, now := e.call, l.now()
	if c.process.dead.Load() {
		c.dismiss()
		e.at, e.owner, e.call, e.do = now, nil, nil, func() {}
		return
	}
	wait := c.slow
	if !c.over {
		wait = l.faults.meet(c)
	}
	e.at = now + wait
	if c.deadline.IsZero() {
		return
	}
	if !c.bound.IsZero() {
		l.deadlines.add(c.bound.Sub(l.began))
	}
	if left := max(c.deadline.Sub(l.began), now); e.at > left {
		e.at = left
		l.overdue(c, wait)
	}
}

// overdue lets a caller go at its deadline. What it asked for may come to pass all the same, after wait.
func (l *loop) overdue(c *call, wait time.Duration) {
	c.fate, c.told = lost, fmt.Errorf("%s: %w", c.method, c.method.lostError(context.DeadlineExceeded))
	if c.over {
		return
	}
	c.ahead, c.kills = true, false
	if l.faults.arrivesLate(c) {
		l.after(wait, nil, func() {
			l.trace.late(c)
			c.again()
		})
	}
}

// answer releases a call: to take effect, or to return.
func (l *loop) answer(c *call) {
	if c.kills && !c.over {
		c.process.die(c)
		c.fate, c.told = died, errDead
	}
	if c.ahead || c.fate == refused {
		l.trace.called(c, nil)
	}
	c.release <- struct{}{}
}

// dismiss releases a call of a dead process.
func (c *call) dismiss() {
	c.fate, c.ahead, c.told = died, true, errDead
	c.release <- struct{}{}
}

// first is what a call of several is named after.
func first(ids []seckill.ID) seckill.ID {
	if len(ids) == 0 {
		return 0
	}
	return ids[0]
}
