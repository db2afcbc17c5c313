package drill

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"
)

// nemesis plays a schedule.
type nemesis struct {
	stage    *stage
	probes   *probes
	timeline *timeline

	mu    sync.Mutex
	kills map[string]int // by kind
}

// shortestRest is what the system gets between two faults when the schedule lags behind.
const shortestRest = time.Second

// run plays until the schedule or ctx ends, and leaves everything healed; when waiting ends, it need not be got over. It returns
// what was not played any more.
func (n *nemesis) run(ctx, waiting context.Context, acts []act) (left int) {
	began := time.Now()
	for i, a := range acts {
		n.wait(ctx, max(shortestRest, a.at-time.Since(began)))
		if ctx.Err() != nil {
			return len(acts) - i
		}
		n.play(ctx, waiting, a)
	}
	<-ctx.Done()
	return 0
}

// play does one fault and waits until the system has got over it.
func (n *nemesis) play(ctx, waiting context.Context, a act) {
	turn := n.timeline.begin(a)
	b, err := n.strike(ctx, a)
	err = errors.Join(err, n.mend(ctx))
	// What was promised so far is to be kept, also when the drill ends now.
	bounded, cancel := context.WithTimeout(waiting, overWithin)
	defer cancel()
	after := n.probes.over(bounded, b.from)
	n.timeline.end(turn, b, after, waiting.Err() == nil || after.isWhole(), err)
}

// strike does an act, with its companion at the same time.
func (n *nemesis) strike(ctx context.Context, a act) (blow, error) {
	if a.with == nil {
		return a.fault.strike(ctx, n, a)
	}
	var beside sync.WaitGroup
	var other blow
	var failure error
	beside.Go(func() { other, failure = a.with.fault.strike(ctx, n, *a.with) })
	b, err := a.fault.strike(ctx, n, a)
	beside.Wait()
	return b.and(other), errors.Join(err, failure)
}

// and is two blows at a time: it is over when both are.
func (b blow) and(other blow) blow {
	if other.from.After(b.from) {
		b.from = other.from
	}
	switch {
	case b.effect == "":
		b.effect = other.effect
	case other.effect != "":
		b.effect += "; " + other.effect
	}
	return b
}

// kill is kill -9. Whoever does not run cannot be killed.
func (n *nemesis) kill(name string) (effect string, err error) {
	member, err := n.stage.member(name)
	if err != nil || !member.IsUp() {
		return "", err
	}
	n.count(name)
	member.Kill()
	return "killed", nil
}

func (n *nemesis) count(victim string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.kills[kindOf(victim)]++
}

// killed counts what was killed so far.
func (n *nemesis) killed() map[string]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.kills)
}

// revive starts a server again with what it had.
func (n *nemesis) revive(ctx context.Context, name string) error {
	member, err := n.stage.member(name)
	if err != nil {
		return err
	}
	return n.heal(ctx, member.Restart)
}

// mend brings back whatever is away, also what has ended by itself.
func (n *nemesis) mend(ctx context.Context) error { return n.heal(ctx, n.stage.mend) }

// heal does something that must be done, even if the drill was told to end.
func (n *nemesis) heal(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), healWithin)
	defer cancel()
	return do(ctx)
}

// wait lets a fault last.
func (n *nemesis) wait(ctx context.Context, lasts time.Duration) {
	if lasts <= 0 {
		return
	}
	timer := time.NewTimer(lasts)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
