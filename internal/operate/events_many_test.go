package operate_test

import (
	"slices"
	"testing"

	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// ids are some events in a row.
func ids(from, to seckill.ID) (all []seckill.ID) {
	for id := from; id <= to; id++ {
		all = append(all, id)
	}
	return all
}

func (w *world) dead(t *testing.T, endpoint string) []seckill.ID {
	t.Helper()
	page, err := w.DeadEvents(t.Context(), endpoint, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	return eventIDs(page)
}

func TestManyDeadEvents(t *testing.T) {
	t.Parallel()
	t.Run("refuses to decide about nothing in particular", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.died(t, 0, 7)
		_, err := w.ReplayEvents(t.Context(), ada, operate.DeadChoice{})
		wantRefusal(t, err, seckill.Invalid, "endpoint")
		_, err = w.DiscardEvents(t.Context(), ada, operate.DeadChoice{}, "a test")
		wantRefusal(t, err, seckill.Invalid, "endpoint")
		_, err = w.ReplayEvents(t.Context(), ada, operate.DeadChoice{Endpoint: "shop", All: true})
		wantRefusal(t, err, seckill.Invalid, "all")
		_, err = w.DiscardEvents(t.Context(), ada, operate.DeadChoice{All: true}, " ")
		wantRefusal(t, err, seckill.Invalid, "reason")
		if got := w.dead(t, ""); len(got) != 2 {
			t.Fatalf("dead are %v", got)
		}
	})
	t.Run("replays those of one endpoint on every shard, with one pair of lines in the log", replaysMany)
	t.Run("discards all for a reason", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.died(t, 0, 7, 9)
		w.died(t, 1, 8)
		got, err := w.DiscardEvents(t.Context(), ada, operate.DeadChoice{All: true}, "known there")
		if err != nil || got != (operate.ManyDecided{Count: 6}) || len(w.dead(t, "")) > 0 {
			t.Fatalf("got %+v, %v", got, err)
		}
		log, err := w.Log(t.Context(), seckill.ActQuery{Targets: []seckill.ID{7}, Limit: 10})
		if err != nil || len(log.Acts) != 2 {
			t.Fatalf("the log says %+v, %v", log, err)
		}
		if act := log.Acts[0]; act.Action != "events.discarded" || act.After != `{"all":true,"count":6,"reason":"known there"}` {
			t.Fatalf("the log says %+v", act)
		}
		again, err := w.DiscardEvents(t.Context(), ada, operate.DeadChoice{All: true}, "known there")
		if err != nil || again != (operate.ManyDecided{}) {
			t.Fatalf("got %+v, %v", again, err)
		}
	})
	t.Run("discards what waits as well, when asked to", discardsWhatWaits)
	t.Run("refuses an endpoint that nobody knows", refusesNobody)
	t.Run("decides about some thousands at a time, and goes on after them", goesOnAfterThousands)
}

func discardsWhatWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.died(t, 0, 7, 9)
	w.died(t, 1, 8)
	if _, err := w.ReplayEvents(t.Context(), ada, operate.DeadChoice{Endpoint: "shop"}); err != nil {
		t.Fatal(err)
	}
	choice := operate.DeadChoice{Endpoint: "shop"}
	if got, err := w.DiscardEvents(t.Context(), ada, choice, "a test"); err != nil || got != (operate.ManyDecided{}) {
		t.Fatalf("got %+v, %v", got, err)
	}
	choice.Waiting = true
	if got, err := w.DiscardEvents(t.Context(), ada, choice, "a test"); err != nil || got != (operate.ManyDecided{Count: 3}) {
		t.Fatalf("got %+v, %v", got, err)
	}
	if got := w.dead(t, ""); !slices.Equal(got, []seckill.ID{7, 8, 9}) {
		t.Fatalf("dead are %v", got)
	}
}

func refusesNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.died(t, 1, 7)
	_, err := w.ReplayEvents(t.Context(), ada, operate.DeadChoice{Endpoint: "nobody"})
	wantRefusal(t, err, seckill.Invalid, "endpoint")
	for range 2 { // the second time it only waits
		if _, err := w.ReplayEvents(t.Context(), ada, operate.DeadChoice{Endpoint: "erp"}); err != nil {
			t.Fatal(err)
		}
	}
}

func replaysMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.died(t, 0, 7, 9)
	w.died(t, 1, 8)
	got, err := w.ReplayEvents(t.Context(), ada, operate.DeadChoice{Endpoint: "shop"})
	if err != nil || got != (operate.ManyDecided{Count: 3}) {
		t.Fatalf("got %+v, %v", got, err)
	}
	for shard, want := range [][]seckill.ID{{7, 9}, {8}} {
		due, err := w.ports.Events.Due(t.Context(), shard, "shop", 10)
		if err != nil || !slices.Equal(eventIDs(operate.EventPage{Dead: due}), want) {
			t.Fatalf("due is %+v, %v", due, err)
		}
	}
	if got := w.dead(t, ""); !slices.Equal(got, []seckill.ID{7, 8, 9}) || len(w.dead(t, "shop")) > 0 {
		t.Fatalf("dead are %v", got)
	}
	if got := w.actions(t, 7); !slices.Equal(got, []string{ada + " events.replay", ada + " events.replayed"}) {
		t.Fatalf("the log says %v", got)
	}
}

func goesOnAfterThousands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.died(t, 0, ids(1, 2100)...)
	w.died(t, 1, 3000)
	choice := operate.DeadChoice{Endpoint: "erp"}
	first, err := w.DiscardEvents(t.Context(), ada, choice, "a test")
	if err != nil || first != (operate.ManyDecided{Count: 2001, Next: 2000}) {
		t.Fatalf("got %+v, %v", first, err)
	}
	choice.After = first.Next
	rest, err := w.DiscardEvents(t.Context(), ada, choice, "a test")
	if err != nil || rest != (operate.ManyDecided{Count: 100}) || len(w.dead(t, "erp")) > 0 {
		t.Fatalf("got %+v, %v", rest, err)
	}
	if got := w.actions(t, 2001); len(got) != 2 {
		t.Fatalf("the log says %v", got)
	}
}
