package operate_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// died has events on a shard that two endpoints were not told.
func (w *world) died(t *testing.T, shard int, events ...seckill.ID) {
	t.Helper()
	write, _, err := w.store.SQL(shard)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range events {
		if _, err := tx.ExecContext(t.Context(), "INSERT INTO events (id, type, subject, version, data, at, spread)"+
			" VALUES (?, 'order.paid', ?, 2, '{}', 1, 3)", event, event); err != nil {
			t.Fatal(err)
		}
		for _, endpoint := range []string{"erp", "shop"} {
			if _, err := tx.ExecContext(t.Context(), "INSERT INTO dispatches (endpoint, event, subject, version, tries, failure, since, next_at, dead)"+
				" VALUES (?, ?, ?, 2, 28, 'no answer', 1, 1, 1)", endpoint, event, event); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

func eventIDs(page operate.EventPage) (ids []seckill.ID) {
	for _, dead := range page.Dead {
		ids = append(ids, dead.ID)
	}
	return ids
}

func TestDeadEvents(t *testing.T) {
	t.Parallel()
	t.Run("lists what is dead on every shard, page by page", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.died(t, 0, 1, 4, 5)
		w.died(t, 1, 2, 3)
		for after, want := range map[seckill.ID][]seckill.ID{0: {1, 1, 2, 2}, 2: {3, 3, 4, 4}, 4: {5, 5}, 5: nil} {
			page, err := w.DeadEvents(t.Context(), "", after, 2)
			if err != nil || !slices.Equal(eventIDs(page), want) || (page.Next != 0) != (after < 4) {
				t.Errorf("after %d: got %+v, %v", after, page, err)
			}
		}
	})
	t.Run("replays one to one endpoint, with what was intended and what came of it in the log", replaysAnEvent)
	t.Run("discards one for a reason", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.died(t, 0, 7)
		_, err := w.DiscardEvent(t.Context(), ada, "erp", 7, "")
		wantRefusal(t, err, seckill.Invalid, "reason")
		if _, err := w.DiscardEvent(t.Context(), ada, "erp", 7, "known there"); err != nil {
			t.Fatal(err)
		}
		if page, err := w.DeadEvents(t.Context(), "", 0, 10); err != nil || len(page.Dead) != 1 || page.Dead[0].Endpoint != "shop" {
			t.Fatalf("got %+v, %v", page, err)
		}
		if got := w.actions(t, 7); !slices.Equal(got, []string{ada + " event.discard", ada + " event.discarded"}) {
			t.Fatalf("the log says %v", got)
		}
	})
	t.Run("lets one of two operators decide", oneDecides)
}

func replaysAnEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.died(t, 1, 7)
	dead, err := w.ReplayEvent(t.Context(), ada, "shop", 7)
	if err != nil || dead.ID != 7 || dead.Endpoint != "shop" || dead.Tries != 28 {
		t.Fatalf("got %+v, %v", dead, err)
	}
	due, err := w.ports.Events.Due(t.Context(), 1, "shop", 10)
	if err != nil || len(due) != 1 || due[0].Tries != 0 {
		t.Fatalf("due is %+v, %v", due, err)
	}
	if page, err := w.DeadEvents(t.Context(), "", 0, 10); err != nil || len(page.Dead) != 1 || page.Dead[0].Endpoint != "erp" {
		t.Fatalf("got %+v, %v", page, err)
	}
	if got := w.actions(t, 7); !slices.Equal(got, []string{ada + " event.replay", ada + " event.replayed"}) {
		t.Fatalf("the log says %v", got)
	}
	_, err = w.ReplayEvent(t.Context(), ada, "shop", 7)
	wantRefusal(t, err, seckill.NotFound, "")
}

func oneDecides(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var won, lost atomic.Int64
	for event := range seckill.ID(10) {
		w.died(t, 0, event+1)
		var deciding sync.WaitGroup
		for _, decide := range []func() error{
			func() error { _, err := w.ReplayEvent(t.Context(), ada, "shop", event+1); return err },
			func() error { _, err := w.DiscardEvent(t.Context(), ben, "shop", event+1, "not wanted"); return err },
		} {
			deciding.Go(func() {
				switch err := decide(); seckill.ReasonOf(err) {
				case seckill.Conflict, seckill.NotFound:
					lost.Add(1)
				default:
					if err != nil {
						t.Error(err)
					}
					won.Add(1)
				}
			})
		}
		deciding.Wait()
	}
	if won.Load() != 10 || lost.Load() != 10 {
		t.Fatalf("%d won, %d lost", won.Load(), lost.Load())
	}
}
