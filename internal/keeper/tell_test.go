package keeper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const shop = "shop"

var errAway = errors.New("nobody answers")

// tellRig is the job of one endpoint.
type tellRig struct {
	clock    *handclock.Clock
	events   *fakeEvents
	endpoint *fakeEndpoint
	outcomes map[Telling]int
	job      *Tell
}

func newTellRig(subjects, versions int, answer func(rig *tellRig, event seckill.Event) error) *tellRig {
	rig := &tellRig{clock: handclock.New(), outcomes: make(map[Telling]int)}
	rig.events = newFakeEvents(rig.clock, subjects, versions, shop)
	rig.endpoint = &fakeEndpoint{name: shop, answer: func(_ context.Context, e seckill.Event) error { return answer(rig, e) }}
	var mu sync.Mutex
	rig.job = NewTell(tellPorts(rig.clock, rig.events), rig.endpoint, func(_ string, outcome Telling) {
		mu.Lock()
		defer mu.Unlock()
		rig.outcomes[outcome]++
	})
	return rig
}

func tellPorts(clock seckill.Clock, events seckill.Events) Ports {
	return Ports{Events: events, Shards: oneShard{}, Clock: clock, Log: discard()}
}

// run runs the job once in each step of a stretch of time.
func (r *tellRig) run(t *testing.T, stretch, step time.Duration) {
	t.Helper()
	for passed := time.Duration(0); passed <= stretch; passed += step {
		if err := r.job.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.clock.Advance(step)
	}
}

func TestTell(t *testing.T) {
	t.Parallel()
	t.Run("tells all there is, each subject in order, not too many at once", func(t *testing.T) {
		t.Parallel()
		rig := newTellRig(50, 4, func(*tellRig, seckill.Event) error { return nil })
		rig.run(t, 0, time.Second)
		if len(rig.endpoint.told) != 200 || rig.events.left(shop) > 0 || !rig.endpoint.inOrder() {
			t.Fatalf("%d told, %d left", len(rig.endpoint.told), rig.events.left(shop))
		}
		if rig.endpoint.top > tellLines*tellAtOnce || rig.outcomes[TellingDone] != 200 {
			t.Fatalf("%d at once, %v", rig.endpoint.top, rig.outcomes)
		}
	})
	t.Run("tells the next batch while one is told, each subject in order", tellsSideBySide)
	t.Run("leaves most of a large batch alone when an endpoint goes away", leavesMostAlone)
	t.Run("tells all after an endpoint was down for ten minutes, each subject in order", survivesTenMinutes)
	t.Run("gives up after a day, and goes on with the next", givesUpAfterADay)
	t.Run("gives up at once when it is told so", func(t *testing.T) {
		t.Parallel()
		rig := newTellRig(1, 2, func(_ *tellRig, e seckill.Event) error {
			if e.Version == 1 {
				return fmt.Errorf("410: %w", seckill.ErrUnwanted)
			}
			return nil
		})
		rig.run(t, 10*time.Second, time.Second)
		if len(rig.events.died) != 1 || rig.events.died[0].Tries != 1 || len(rig.endpoint.told) != 1 {
			t.Fatalf("died %+v, told %+v", rig.events.died, rig.endpoint.told)
		}
	})
	t.Run("gives up at once what an endpoint wants nothing of, and does not spare it", givesUpAll)
	t.Run("tells the others while one event fails again and again", func(t *testing.T) {
		t.Parallel()
		rig := newTellRig(20, 2, func(_ *tellRig, e seckill.Event) error {
			if e.Subject == 1 {
				return errAway
			}
			return nil
		})
		rig.run(t, 10*time.Second, 250*time.Millisecond)
		if rig.events.left(shop) != 2 || len(rig.endpoint.told) != 38 {
			t.Fatalf("%d left, %d told", rig.events.left(shop), len(rig.endpoint.told))
		}
	})
	t.Run("is not held up by another endpoint that is slow", isNotHeldUp)
	t.Run("counts nothing against an endpoint when the keeper stops, and keeps what was told", stopsInTheMiddle)
	t.Run("holds what it tells for as long as that takes", holdsWhatItTells)
	t.Run("takes over from a keeper that died, within a lease, each subject in order", takesOver)
}

func givesUpAll(t *testing.T) {
	t.Parallel()
	const subjects, versions = 4 * tellBatch, 2
	rig := newTellRig(subjects, versions, func(*tellRig, seckill.Event) error { return fmt.Errorf("410: %w", seckill.ErrUnwanted) })
	var lines bytes.Buffer
	rig.job.ports.Log = slog.New(slog.NewTextHandler(&lines, nil))
	rig.run(t, 0, time.Second)
	if len(rig.events.died) != subjects*versions || rig.endpoint.tries != subjects*versions || rig.outcomes[TellingDied] != subjects*versions {
		t.Fatalf("%d died after %d tries, %v", len(rig.events.died), rig.endpoint.tries, rig.outcomes)
	}
	if calls := strings.Count(lines.String(), "level=ERROR"); calls == 0 || calls > subjects*versions/tellBatch {
		t.Fatalf("%d calls:\n%s", calls, lines.String())
	}
}

func tellsSideBySide(t *testing.T) {
	t.Parallel()
	var under atomic.Int64
	together := make(chan struct{})
	rig := newTellRig(2*tellBatch, 3, func(*tellRig, seckill.Event) error {
		if under.Add(1) == tellLines*tellAtOnce {
			close(together)
		}
		<-together // nobody is answered before two batches are under way
		return nil
	})
	rig.run(t, 0, time.Second)
	if len(rig.endpoint.told) != 6*tellBatch || !rig.endpoint.inOrder() || rig.endpoint.top != tellLines*tellAtOnce {
		t.Fatalf("%d told, %d at once", len(rig.endpoint.told), rig.endpoint.top)
	}
}

func leavesMostAlone(t *testing.T) {
	t.Parallel()
	const subjects = 4 * tellBatchMax
	var answered atomic.Int64
	rig := newTellRig(subjects, 2, func(*tellRig, seckill.Event) error {
		if answered.Add(1) > subjects/2 {
			return errAway
		}
		return nil
	})
	rig.run(t, 0, time.Second)
	if vain := rig.endpoint.tries - subjects/2; vain < refusalsMax || vain > 2*tellLines*(refusalsMax+tellAtOnce) {
		t.Fatalf("%d tries in vain", vain)
	}
	if !rig.endpoint.inOrder() || rig.outcomes[TellingFailed] != rig.endpoint.tries-subjects/2 {
		t.Fatalf("told %d, %v", len(rig.endpoint.told), rig.outcomes)
	}
}

func survivesTenMinutes(t *testing.T) {
	t.Parallel()
	const down = 10 * time.Minute
	var back time.Time
	rig := newTellRig(200, 3, func(rig *tellRig, _ seckill.Event) error {
		if rig.clock.Now().Before(back) {
			return errAway
		}
		return nil
	})
	back = rig.clock.Now().Add(down)
	rig.run(t, down, time.Second)
	// Not every event has been tried in vain: nobody asks an endpoint that takes nothing that often.
	if tries := rig.endpoint.tries; tries < 10 || tries > tellLines*tellBatch+int(down/restMost)+10 {
		t.Errorf("%d tries in vain", tries)
	}
	rig.run(t, 2*restMost, time.Second)
	if told := len(rig.endpoint.told); told < 300 {
		t.Errorf("%d of 600 told a minute after it was back", told)
	}
	rig.run(t, 15*time.Minute, time.Second)
	if len(rig.endpoint.told) != 600 || rig.events.left(shop) > 0 || len(rig.events.died) > 0 {
		t.Errorf("%d told, %d left, %d dead", len(rig.endpoint.told), rig.events.left(shop), len(rig.events.died))
	}
	if !rig.endpoint.inOrder() {
		t.Error("a subject's events were told out of order")
	}
}

func givesUpAfterADay(t *testing.T) {
	t.Parallel()
	rig := newTellRig(1, 2, func(_ *tellRig, e seckill.Event) error {
		if e.Version == 1 {
			return errAway
		}
		return nil
	})
	rig.run(t, 20*time.Hour, time.Minute)
	if len(rig.events.died) > 0 || len(rig.endpoint.told) > 0 {
		t.Fatalf("died %+v, told %+v", rig.events.died, rig.endpoint.told)
	}
	rig.run(t, 5*time.Hour, time.Minute)
	if len(rig.events.died) != 1 || rig.events.died[0].Tries != triesMax || rig.events.died[0].Failure != errAway.Error() {
		t.Fatalf("died %+v", rig.events.died)
	}
	if len(rig.endpoint.told) != 1 || rig.outcomes[TellingDied] != 1 || rig.outcomes[TellingFailed] != triesMax-1 {
		t.Fatalf("told %+v, %v", rig.endpoint.told, rig.outcomes)
	}
}

func isNotHeldUp(t *testing.T) {
	t.Parallel()
	clock := handclock.New()
	events := newFakeEvents(clock, 5, 2, "slow", "fast")
	asked, answer := make(chan struct{}, tellBatch), make(chan struct{})
	slow := &fakeEndpoint{name: "slow", answer: func(context.Context, seckill.Event) error {
		asked <- struct{}{}
		<-answer
		return nil
	}}
	fast := &fakeEndpoint{name: "fast", answer: func(context.Context, seckill.Event) error { return nil }}
	count := func(string, Telling) {}
	ended := make(chan error)
	go func() { ended <- NewTell(tellPorts(clock, events), slow, count).RunOnce(t.Context()) }()
	<-asked
	if err := NewTell(tellPorts(clock, events), fast, count).RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if events.left("fast") > 0 || events.left("slow") != 10 {
		t.Errorf("%d left for the fast one, %d for the slow one", events.left("fast"), events.left("slow"))
	}
	close(answer)
	if err := <-ended; err != nil || events.left("slow") > 0 {
		t.Fatalf("%d left for the slow one, %v", events.left("slow"), err)
	}
}

func stopsInTheMiddle(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	clock := handclock.New()
	events := newFakeEvents(clock, 4, 1, shop)
	endpoint := &fakeEndpoint{name: shop, answer: func(ctx context.Context, e seckill.Event) error {
		if e.Subject%2 == 0 {
			return nil
		}
		stop()
		<-ctx.Done()
		return ctx.Err()
	}}
	job := NewTell(tellPorts(clock, events), endpoint, func(string, Telling) {})
	if err := job.RunOnce(ctx); err != nil {
		t.Fatal(err)
	}
	left := events.rows
	if len(left)+len(endpoint.told) != 4 || len(left) < 2 {
		t.Fatalf("%d left, %d told", len(left), len(endpoint.told))
	}
	for _, row := range left {
		if row.Tries > 0 {
			t.Errorf("got %+v", row.Dispatch)
		}
	}
}

func holdsWhatItTells(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan struct{}), make(chan struct{})
	rig := newTellRig(1, 2, func(_ *tellRig, e seckill.Event) error {
		if e.Version == 1 {
			asked <- struct{}{}
			<-answer
		}
		return nil
	})
	ended := make(chan error)
	go func() { ended <- rig.job.RunOnce(t.Context()) }()
	<-asked
	for rig.events.renewed() < 10 {
		if rig.clock.Pending() > 0 { // it waits for its next renewal
			rig.clock.Advance(tellRenewEvery)
		}
		if due, err := rig.events.Due(t.Context(), 0, shop, 10); err != nil || len(due) > 0 {
			t.Fatalf("another keeper is given %+v, %v", due, err)
		}
		runtime.Gosched()
	}
	close(answer)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	rig.run(t, 0, time.Second)
	if len(rig.endpoint.told) != 2 || !rig.endpoint.inOrder() || rig.events.left(shop) > 0 {
		t.Fatalf("told %+v", rig.endpoint.told)
	}
	if rig.clock.Advance(time.Hour); rig.clock.Pending() > 0 {
		t.Error("it goes on renewing what is told")
	}
}

func takesOver(t *testing.T) {
	t.Parallel()
	rig := newTellRig(20, 2, func(*tellRig, seckill.Event) error { return nil })
	dead, err := rig.events.Due(t.Context(), 0, shop, 10)
	if err != nil || len(dead) != 10 {
		t.Fatalf("leased %+v, %v", dead, err)
	}
	rig.run(t, seckill.DispatchLease/2, time.Second)
	if len(rig.endpoint.told) != 20 {
		t.Fatalf("%d told, and the ten subjects of the dead one are twice ten", len(rig.endpoint.told))
	}
	rig.run(t, seckill.DispatchLease/2, time.Second)
	if len(rig.endpoint.told) != 40 || !rig.endpoint.inOrder() {
		t.Fatalf("%d told", len(rig.endpoint.told))
	}
}

func TestTellAgain(t *testing.T) {
	t.Parallel()
	t.Run("waits longer each time, for about a day in all", func(t *testing.T) {
		t.Parallel()
		var passed, last time.Duration
		for tries := int64(1); ; tries++ {
			wait, over := tellAgain(tries)
			if over {
				break
			}
			if wait < last*8/10 {
				t.Errorf("waits %v after %v", wait, last)
			}
			passed, last = passed+wait, wait
		}
		if passed < 20*time.Hour || passed > 24*time.Hour {
			t.Errorf("gives up after %v", passed)
		}
	})
}

func TestSpread(t *testing.T) {
	t.Parallel()
	t.Run("spreads until little is left", func(t *testing.T) {
		t.Parallel()
		events := &fakeEvents{clock: handclock.New(), unspread: 2*spreadBatch + 1}
		if err := NewSpread(tellPorts(events.clock, events), []string{shop}).RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(events.spreads, []int{spreadBatch, spreadBatch, 1}) {
			t.Fatalf("spread %v", events.spreads)
		}
	})
}

func TestBacklogs(t *testing.T) {
	t.Parallel()
	t.Run("reports what waits for each endpoint", func(t *testing.T) {
		t.Parallel()
		clock := handclock.New()
		var reported []Backlog
		events := newFakeEvents(clock, 3, 2, "a")
		job := NewBacklogs(tellPorts(clock, events), []string{"a", "b"}, func(b Backlog) { reported = append(reported, b) })
		if err := job.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := []Backlog{{"a", 0, 6, time.Minute}, {"b", 0, 0, time.Minute}}
		if !slices.Equal(reported, want) {
			t.Fatalf("got %+v", reported)
		}
	})
}
