package httpapi_test

import (
	"context"
	"errors"
	"fmt"
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

func (f *fakeCorrections) DeadEvents(_ context.Context, endpoint string, _ seckill.ID, _ int) (operate.EventPage, error) {
	f.asked = "list those to " + endpoint
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

func (f *fakeCorrections) ReplayEvents(_ context.Context, _ string, choice operate.DeadChoice) (operate.ManyDecided, error) {
	f.asked = fmt.Sprintf("replay %+v", choice)
	return operate.ManyDecided{Count: 2000, Next: f.next}, f.failure
}

func (f *fakeCorrections) DiscardEvents(
	_ context.Context, _ string, choice operate.DeadChoice, reason string,
) (operate.ManyDecided, error) {
	f.asked, f.reason = fmt.Sprintf("discard %+v", choice), reason
	return operate.ManyDecided{Count: 3}, f.failure
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
	t.Run("lists what one endpoint was not told", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		read[api.DeadEventList](t, w.operate(http.MethodGet, eventsPath+"?endpoint=shop", ""))
		if got := w.operations.fakeCorrections.asked; got != "list those to shop" {
			t.Errorf("asked to %s", got)
		}
		w.expectProblem(w.operate(http.MethodGet, eventsPath+"?endpoint=My_shop", ""), http.StatusBadRequest, seckill.Invalid, "endpoint")
	})
	t.Run("replays and discards those of one endpoint, or all", decidesAboutMany)
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
	t.Run("refuses malformed choices by name", refusesMalformedChoices)
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

func decidesAboutMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.operations.next = eventID
	many := read[api.DeadEventsDecided](t, w.operate(http.MethodPost, eventsPath+"/replay", `{"endpoint":"shop"}`))
	if got := w.operations.fakeCorrections.asked; many.Count != 2000 || many.Next == "" || got != "replay {Endpoint:shop All:false Waiting:false After:0}" {
		t.Errorf("got %+v, asked to %s", many, got)
	}
	rest := read[api.DeadEventsDecided](t, w.operate(http.MethodPost, eventsPath+"/discard",
		`{"all":true,"cursor":"`+many.Next+`","reason":"a test"}`))
	got := w.operations.fakeCorrections.asked
	if rest.Count != 3 || rest.Next != "" || got != "discard {Endpoint: All:true Waiting:false After:7301444403200101}" || w.operations.reason != "a test" {
		t.Errorf("got %+v, asked to %s because of %s", rest, got, w.operations.reason)
	}
	if records := w.records("operated"); len(records) != 2 {
		t.Errorf("records are %v", records)
	}
}

func refusesMalformedChoices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.operations.failure = errors.New("must not be asked")
	for body, field := range map[string]string{
		`{"endpoint":"My_shop","reason":"a test"}`:          "endpoint",
		`{"all":true,"cursor":"%%","reason":"a test"}`:      "cursor",
		`{"all":true,"since":"today","reason":"a test"}`:    "since",
		`{"all":true,"endpoint":"x","reason":"a","id":"7"}`: "id",
	} {
		w.expectProblem(w.operate(http.MethodPost, eventsPath+"/discard", body), http.StatusBadRequest, seckill.Invalid, field)
	}
	w.expectProblem(w.operate(http.MethodPost, eventsPath+"/discard", `{"all":true}`), http.StatusBadRequest, seckill.Invalid, "reason")
}
