package sim

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing/synctest"
	"time"
)

// loop decides what happens next. Everything that can happen is an event with a moment: a call that somebody waits in, a
// timer, an act of somebody outside, a fault. One event is carried out at a time, and then all goroutines run until each of
// them waits again.
type loop struct {
	random *rand.Rand
	faults *faults
	trace  *trace
	began  time.Time
	// current is the call that is being carried out.
	current *call
	steps   int
	// course is a hash of all steps and their moments.
	course uint64

	mu sync.Mutex
	// arrived are what goroutines have asked for since the last event.
	arrived []*event

	hands hands
	// deadlines are those of the contexts that are known.
	deadlines moments

	queue events
	made  int64
	named int64
}

// names numbers what goroutines will say when they are done.
func (l *loop) names() int64 {
	l.named++
	return l.named
}

// event happens at a moment since the beginning. Of two at the same moment the one that was made first comes first.
type event struct {
	at    time.Duration
	order int64
	// owner is the process to which it happens, nil when that is nobody's: a stopped process waits for it, a dead one never
	// sees it.
	owner *process
	call  *call
	do    func()
	// rank, name and errand sort what arrived together: goroutines arrive in no order.
	rank   string
	name   int64
	errand int64
}

func newLoop(random *rand.Rand, faults *faults, trace *trace) *loop {
	return &loop{random: random, faults: faults, trace: trace, began: time.Now(), course: fnvBasis}
}

// now is the time since the beginning.
func (l *loop) now() time.Duration { return time.Since(l.began) }

// arrive is for goroutines other than the loop's: what they ask for is given its moment after they all wait.
func (l *loop) arrive(e *event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.arrived = append(l.arrived, e)
}

// after is for the loop's own goroutine.
func (l *loop) after(wait time.Duration, owner *process, do func()) {
	l.push(&event{at: l.now() + wait, owner: owner, do: do})
}

func (l *loop) push(e *event) {
	l.made++
	e.order = l.made
	l.queue.push(e)
}

// admit gives everything that has arrived its moment.
func (l *loop) admit() {
	l.mu.Lock()
	arrived := l.arrived
	l.arrived = nil
	l.mu.Unlock()
	if len(arrived) > 1 {
		slices.SortStableFunc(arrived, func(a, b *event) int {
			return cmp.Or(cmp.Compare(a.number(), b.number()), cmp.Compare(a.rank, b.rank), cmp.Compare(a.name, b.name),
				cmp.Compare(a.errand, b.errand))
		})
	}
	for _, e := range arrived {
		if e.call != nil {
			l.schedule(e)
		}
		l.push(e)
	}
}

func (e *event) number() int {
	if e.owner == nil {
		return 0
	}
	return e.owner.number
}

// settle waits until every goroutine waits, and takes in what they asked for.
func (l *loop) settle() {
	synctest.Wait()
	l.admit()
}

// step carries out the next event, and lets everybody run until they wait again; false when there is none before the end.
func (l *loop) step(end time.Duration) bool {
	for len(l.queue) > 0 {
		e := l.queue[0]
		if e.at > end {
			return false
		}
		if wait := e.at - l.now(); wait > 0 {
			l.pass(wait)
			if l.queue[0] != e {
				continue
			}
		}
		l.queue.pop()
		if l.put(e) {
			l.steps++
			l.carryOut(e)
			l.settle()
			return true
		}
	}
	return false
}

// pass lets time pass. Deadlines of contexts may be over then; who sees that runs first. Nobody else does: time has not passed
// before everybody waited.
func (l *loop) pass(wait time.Duration) {
	time.Sleep(wait) //nolint:forbidigo // the time of a bubble, which passes only while everybody waits
	if l.deadlines.may(l.now()) {
		synctest.Wait()
	}
	l.admit()
}

// bounded is the context of an errand, with a deadline that the loop knows of. Two errands of a process may ask the same at the
// same moment: their numbers tell them apart.
func (l *loop) bounded(parent context.Context, errand int64, within time.Duration) (context.Context, context.CancelFunc) {
	l.deadlines.add(l.now() + within)
	return context.WithTimeout(context.WithValue(parent, errandKey{}, errand), within)
}

type errandKey struct{}

// errandOf is the number of the errand that a call is made on; 0 when its process asks for itself.
func errandOf(ctx context.Context) int64 {
	errand, _ := ctx.Value(errandKey{}).(int64)
	return errand
}

// put says whether the event happens now: not to a process that is dead, and later to one that is stopped.
func (l *loop) put(e *event) bool {
	switch {
	case e.owner == nil:
		return true
	case e.owner.dead.Load():
		return false
	case e.owner.stopped > e.at:
		e.at = e.owner.stopped
		l.push(e)
		return false
	default:
		return true
	}
}

func (l *loop) carryOut(e *event) {
	l.note(e)
	if e.call == nil {
		e.do()
		return
	}
	l.current = e.call
	l.answer(e.call)
}

// FNV-1a, 64 bits.
const (
	fnvBasis = 14695981039346656037
	fnvPrime = 1099511628211
)

// note adds a step to the course.
func (l *loop) note(e *event) {
	for i := range len(e.rank) {
		l.course = (l.course ^ uint64(e.rank[i])) * fnvPrime
	}
	l.course = (l.course ^ uint64(e.at)) * fnvPrime //nolint:gosec // any bits will do
}
