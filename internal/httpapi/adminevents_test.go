package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	eventID    = seckill.ID(7301444403200101)
	eventsPath = "/admin/v1/dead-events"
	eventPath  = eventsPath + "/7301444403200101/shop"
)

func (f *fakeCorrections) dead() seckill.Dispatch {
	return seckill.Dispatch{
		Event: seckill.Event{
			ID: eventID, Type: seckill.EventOrderPaid, Subject: reservationID, Version: 2, Data: []byte(`{"status":"paid"}`), At: noon(),
		},
		Endpoint: "shop", Tries: 28, Failure: "the receiver answers 503", Since: noon(), Dead: true,
	}
}

func (f *fakeCorrections) DeadEvents(context.Context, seckill.ID, int) (operate.EventPage, error) {
	return operate.EventPage{Dead: []seckill.Dispatch{f.dead()}, Next: f.next}, f.failure
}

func (f *fakeCorrections) ReplayEvent(_ context.Context, _, endpoint string, event seckill.ID) (seckill.Dispatch, error) {
	f.asked = "replay " + event.String() + " to " + endpoint
	return f.dead(), f.failure
}

func (f *fakeCorrections) DiscardEvent(_ context.Context, _, endpoint string, event seckill.ID, reason string) (seckill.Dispatch, error) {
	f.asked, f.reason = "discard "+event.String()+" to "+endpoint, reason
	return f.dead(), f.failure
}

func TestDeadEventCalls(t *testing.T) {
	t.Parallel()
	t.Run("lists what was not told, with the subject as it was", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.operations.next = eventID
		list := read[api.DeadEventList](t, w.operate(http.MethodGet, eventsPath, ""))
		if len(list.Data) != 1 || list.Next == "" {
			t.Fatalf("list is %+v", list)
		}
		got := list.Data[0]
		if got.ID != eventID.String() || got.Endpoint != "shop" || got.Tries != 28 || got.Data["status"] != "paid" || got.Type != "order.paid" {
			t.Errorf("event is %+v", got)
		}
	})
	t.Run("replays, and discards with a reason", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		expectStatus(t, w.operate(http.MethodPost, eventPath+"/replay", ""), http.StatusOK)
		if got := w.operations.fakeCorrections.asked; got != "replay 7301444403200101 to shop" {
			t.Errorf("asked to %s", got)
		}
		expectStatus(t, w.operate(http.MethodPost, eventPath+"/discard", `{"reason":"a test"}`), http.StatusOK)
		if got := w.operations.fakeCorrections.asked; got != "discard 7301444403200101 to shop" || w.operations.reason != "a test" {
			t.Errorf("asked to %s because of %s", got, w.operations.reason)
		}
		if records := w.records("operated"); len(records) != 2 {
			t.Errorf("records are %v", records)
		}
		w.expectProblem(w.operate(http.MethodPost, eventPath+"/discard", `{}`), http.StatusBadRequest, seckill.Invalid, "reason")
	})
	t.Run("refuses malformed names by name", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.operations.failure = errors.New("must not be asked")
		for _, act := range []string{"/replay", "/discard"} {
			w.expectProblem(w.operate(http.MethodPost, eventsPath+"/0/shop"+act, ""), http.StatusBadRequest, seckill.Invalid, "event_id")
			w.expectProblem(w.operate(http.MethodPost, eventsPath+"/7/My_shop"+act, ""), http.StatusBadRequest, seckill.Invalid, "endpoint")
		}
	})
}
