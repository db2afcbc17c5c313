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
	must(e.T, e.Events.Failed(e.Context(), e.shard, shopA, []seckill.Setback{{Event: 1, Failure: string(long)}}))
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
	dead, err := e.Events.Dead(e.Context(), e.shard, "", after, limit)
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

// deadTo is what Dead says of one endpoint, or of all.
func (e eventsTest) deadTo(endpoint string, after seckill.ID, limit int) []seckill.Dispatch {
	e.Helper()
	dead, err := e.Events.Dead(e.Context(), e.shard, endpoint, after, limit)
	must(e.T, err)
	return dead
}

func (e eventsTest) wantBatch(got seckill.DeadBatch, err error, dispatches int, last seckill.ID) {
	e.Helper()
	must(e.T, err)
	if got.Dispatches != dispatches || got.Last != last {
		e.Fatalf("got %+v, want %d and %d", got, dispatches, last)
	}
}

// diedAndLives has four dead events, of which each endpoint was told one, and a living one.
func (e eventsTest) diedAndLives() {
	e.Helper()
	e.died([]string{shopA, shopB}, event(1, 10, 1), event(2, 20, 1))
	e.died([]string{shopA}, event(3, 30, 1))
	e.died([]string{shopB}, event(4, 40, 1))
	e.told([]string{shopA, shopB}, event(5, 50, 1))
}

func replaysManyDead(e eventsTest) {
	e.diedAndLives()
	e.want(e.deadTo(shopA, 0, 2), 1, 2)
	e.want(e.deadTo(shopA, 2, 2), 3)
	first, err := e.Events.ReplayDead(e.Context(), e.shard, shopA, 0, 2)
	e.wantBatch(first, err, 2, 2)
	e.want(e.deadTo(shopA, 0, 10), 3)
	rest, err := e.Events.ReplayDead(e.Context(), e.shard, shopA, first.Last, 2)
	e.wantBatch(rest, err, 1, 0)
	e.want(e.deadTo("", 0, 10), 1, 2, 4)
	again, err := e.Events.ReplayDead(e.Context(), e.shard, shopA, 0, 2)
	e.wantBatch(again, err, 0, 0)
	all, err := e.Events.ReplayDead(e.Context(), e.shard, "", 0, 10)
	e.wantBatch(all, err, 3, 0)
	for _, due := range e.due(shopB) {
		if due.Tries != 0 || due.Failure != "" {
			e.Fatalf("got %+v", due)
		}
	}
}

func discardsManyDead(e eventsTest) {
	e.diedAndLives()
	first, err := e.Events.DiscardDead(e.Context(), e.shard, shopB, 0, 1)
	e.wantBatch(first, err, 1, 1)
	e.want(e.deadTo(shopB, 0, 10), 2, 4)
	e.wantLeft(5, 7) // the other endpoint has still to be told of the event
	both, err := e.Events.DiscardDead(e.Context(), e.shard, "", 0, 2)
	e.wantBatch(both, err, 3, 2)
	rest, err := e.Events.DiscardDead(e.Context(), e.shard, "", both.Last, 10)
	e.wantBatch(rest, err, 2, 0)
	e.wantLeft(1, 2)
	e.wantDue(shopA, 5)
}

func givesUpWhatWaits(e eventsTest) {
	e.told([]string{shopA, shopB}, event(1, 10, 1), event(2, 20, 1), event(3, 30, 1))
	e.wantDue(shopA, 1, 2, 3) // somebody is telling these
	for _, want := range []int{2, 1, 0} {
		n, err := e.Events.GiveUp(e.Context(), e.shard, shopA, 2)
		if err != nil || n != want {
			e.Fatalf("gave up %d, %v, want %d", n, err, want)
		}
	}
	e.want(e.deadTo(shopA, 0, 10), 1, 2, 3)
	if err := e.Events.Told(e.Context(), e.shard, shopA, []seckill.ID{1}); err != nil {
		e.Fatal(err)
	}
	if err := e.Events.Failed(e.Context(), e.shard, shopA, []seckill.Setback{{Event: 2, Failure: "no answer"}}); err != nil {
		e.Fatal(err)
	}
	e.want(e.deadTo(shopA, 0, 10), 2, 3)
	rest, err := e.Events.DiscardDead(e.Context(), e.shard, shopA, 0, 10)
	e.wantBatch(rest, err, 2, 0)
	if err := e.Events.Told(e.Context(), e.shard, shopA, []seckill.ID{3}); err != nil {
		e.Fatal(err)
	}
	e.wantLeft(3, 3) // the other endpoint is still to be told of each
	e.wantDue(shopB, 1, 2, 3)
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
