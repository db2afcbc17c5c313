package contract

import (
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func putsOffWhatFailed(e eventsTest) {
	e.told([]string{shopA}, event(1, 10, 1), event(2, 10, 2))
	e.wantDue(shopA, 1)
	e.fail(shopA, 1, time.Minute, false)
	e.Elapse(e.T, e.shard, 50*time.Second)
	e.wantDue(shopA)
	e.Elapse(e.T, e.shard, 10*time.Second)
	due := e.wantDue(shopA, 1)
	if due[0].Tries != 1 || due[0].Failure != "no answer" {
		e.Fatalf("got %+v", due[0])
	}
}

func countsTries(e eventsTest) {
	e.told([]string{shopA}, event(1, 10, 1))
	e.Elapse(e.T, e.shard, time.Hour) // nobody asked
	since := e.wantDue(shopA, 1)[0].Since
	e.fail(shopA, 1, 0, false)
	first := e.wantDue(shopA, 1)[0]
	if first.Since.Sub(since) < time.Hour-time.Minute {
		e.Fatalf("first failed at %v, spread at %v", first.Since, since)
	}
	long := make([]rune, 1000)
	for i := range long {
		long[i] = 'é'
	}
	must(e.T, e.Events.Failed(e.Context(), e.shard, shopA, 1, 0, string(long), false))
	second := e.wantDue(shopA, 1)[0]
	if second.Tries != 2 || !second.Since.Equal(first.Since) || len([]rune(second.Failure)) != 200 {
		e.Fatalf("got %+v after %+v", second, first)
	}
}

func passesTheDead(e eventsTest) {
	e.told([]string{shopA}, event(1, 10, 1), event(2, 10, 2))
	e.wantDue(shopA, 1)
	e.fail(shopA, 1, 0, true)
	e.wantDue(shopA, 2)
	e.markTold(shopA, 2)
	e.wantLeft(1, 1)
	// What is dead fails no more.
	e.fail(shopA, 1, 0, false)
	e.wantDue(shopA)
	dead := e.dead(0, 10)
	e.want(dead, 1)
	if !dead[0].Dead || dead[0].Tries != 1 || dead[0].Failure != "no answer" || dead[0].Endpoint != shopA {
		e.Fatalf("got %+v", dead[0])
	}
}

func keepsEndpointsApart(e eventsTest) {
	e.told([]string{shopA, shopB}, event(1, 10, 1), event(2, 10, 2))
	e.wantDue(shopA, 1)
	e.fail(shopA, 1, time.Hour, false)
	e.wantDue(shopB, 1)
	e.markTold(shopB, 1)
	e.wantDue(shopB, 2)
	e.markTold(shopB, 2)
	e.wantLeft(2, 2)
}

func (e eventsTest) dead(after seckill.ID, limit int) []seckill.Dispatch {
	e.Helper()
	dead, err := e.Events.Dead(e.Context(), e.shard, after, limit)
	must(e.T, err)
	return dead
}

// died makes events that have died at endpoints.
func (e eventsTest) died(endpoints []string, events ...seckill.Event) {
	e.Helper()
	e.told(endpoints, events...)
	for _, endpoint := range endpoints {
		for _, dispatch := range e.due(endpoint) {
			e.fail(endpoint, dispatch.ID, 0, true)
		}
	}
}

func replaysTheDead(e eventsTest) {
	e.died([]string{shopA}, event(1, 10, 1))
	before := e.dead(0, 10)[0]
	e.Elapse(e.T, e.shard, time.Hour)
	if !e.replay(1) || e.replay(1) {
		e.Fatal("not replayed exactly once")
	}
	again := e.wantDue(shopA, 1)[0]
	if again.Dead || again.Tries != 0 || again.Failure != "" || again.Since.Before(before.Since) {
		e.Fatalf("got %+v", again)
	}
	e.want(e.dead(0, 10))
}

func (e eventsTest) replay(id seckill.ID) bool {
	e.Helper()
	done, err := e.Events.Replay(e.Context(), e.shard, shopA, id)
	must(e.T, err)
	return done
}

func (e eventsTest) discard(endpoint string, id seckill.ID) bool {
	e.Helper()
	done, err := e.Events.Discard(e.Context(), e.shard, endpoint, id)
	must(e.T, err)
	return done
}

func discardsTheDead(e eventsTest) {
	e.died([]string{shopA, shopB}, event(1, 10, 1))
	if !e.discard(shopA, 1) || e.discard(shopA, 1) {
		e.Fatal("not discarded exactly once")
	}
	e.wantLeft(1, 1)
	if !e.discard(shopB, 1) {
		e.Fatal("not discarded")
	}
	e.wantLeft(0, 0)
}

func leavesTheLiving(e eventsTest) {
	e.Tell(e.T, e.shard, event(1, 10, 1))
	for _, id := range []seckill.ID{1, 2} {
		if e.discard(shopA, id) || e.replay(id) {
			e.Fatalf("event %d has no dispatch", id)
		}
	}
	e.spread([]string{shopA}, 1)
	if e.discard(shopA, 1) || e.replay(1) {
		e.Fatal("the dispatch is not dead")
	}
	e.wantDue(shopA, 1)
}

func retiresTheForgotten(e eventsTest) {
	e.told([]string{shopA, shopB}, event(1, 10, 1), event(2, 20, 1))
	e.Elapse(e.T, e.shard, seckill.UntoldFor)
	e.told([]string{shopA, shopB}, event(3, 30, 1))
	for _, want := range []int{1, 1, 0} {
		n, err := e.Events.Retire(e.Context(), e.shard, []string{shopA}, 1)
		must(e.T, err)
		if n != want {
			e.Fatalf("%d retired, want %d", n, want)
		}
	}
	e.want(e.dead(0, 10), 1, 2)
	e.wantDue(shopA, 1, 2, 3)
	e.wantDue(shopB, 3)
	// Nobody at all is named any more.
	e.Elapse(e.T, e.shard, seckill.UntoldFor)
	n, err := e.Events.Retire(e.Context(), e.shard, nil, 100)
	must(e.T, err)
	if n != 4 {
		e.Fatalf("%d retired, want the other 4", n)
	}
}

func pagesTheDead(e eventsTest) {
	e.died([]string{shopA, shopB}, event(1, 10, 1), event(2, 20, 1), event(3, 30, 1))
	e.told([]string{shopA}, event(4, 40, 1))
	first := e.dead(0, 2)
	e.want(first, 1, 1, 2, 2)
	if first[0].Endpoint != shopA || first[1].Endpoint != shopB {
		e.Fatalf("got %+v", first)
	}
	e.want(e.dead(2, 2), 3, 3)
	e.want(e.dead(3, 2))
}

func countsWaiting(e eventsTest) {
	e.died([]string{shopA}, event(1, 10, 1))
	e.wantWaiting(shopA, 0, 0)
	e.told([]string{shopA, shopB}, event(2, 20, 1))
	e.Elapse(e.T, e.shard, time.Hour)
	e.told([]string{shopA}, event(3, 20, 2))
	e.wantWaiting(shopA, 2, time.Hour)
	e.wantWaiting(shopB, 1, time.Hour)
	e.wantWaiting("nobody", 0, 0)
}

func (e eventsTest) wantWaiting(endpoint string, want int64, atLeast time.Duration) {
	e.Helper()
	count, age, err := e.Events.Waiting(e.Context(), e.shard, endpoint)
	must(e.T, err)
	if count != want || age < atLeast || age > atLeast+patience {
		e.Fatalf("%d wait for %s, the oldest for %v; want %d and %v", count, endpoint, age, want, atLeast)
	}
}

func tellsTwice(e eventsTest) {
	e.told([]string{shopA}, event(1, 10, 1), event(2, 20, 1))
	e.Tell(e.T, e.shard, event(3, 30, 1))
	for range 2 {
		e.markTold(shopA, 1, 3, 99)
		e.wantLeft(2, 1)
	}
	e.markTold(shopA)
	e.spread([]string{shopA}, 1)
	// One caller gave up, another's answer came after all.
	e.fail(shopA, 2, 0, true)
	e.markTold(shopA, 2)
	e.wantLeft(1, 1)
}
