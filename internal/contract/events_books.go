package contract

import (
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func showsEvents(e eventsTest) {
	e.told([]string{shopB, shopA}, event(1, 10, 1), event(2, 10, 2), event(3, 20, 1))
	e.Tell(e.T, e.shard, event(4, 30, 1))
	e.wantDue(shopA, 1, 3)
	e.markTold(shopA, 1)
	e.markTold(shopA, 1) // it is told once
	e.fail(shopA, 3, 0, true)
	page := e.booked(3)
	if len(page) != 4 {
		e.Fatalf("got %+v", page)
	}
	e.wantBooked(page[0], 1, 1, shopB)
	e.wantBooked(page[1], 2, 2, shopA, shopB)
	e.wantBooked(page[2], 3, 2, shopA, shopB)
	e.wantBooked(page[3], 4, 0)
	if dead := page[2].Dispatches[0]; !dead.Dead || dead.Tries != 1 || dead.Failure != "no answer" {
		e.Fatalf("got %+v", dead)
	}
	if lost, err := e.Books.LostDispatches(e.Context(), e.shard, 10); err != nil || len(lost) > 0 {
		e.Fatalf("lost are %+v, %v", lost, err)
	}
}

// booked reads all events, so many at a time.
func (e eventsTest) booked(limit int) (all []seckill.BookedEvent) {
	e.Helper()
	for after := seckill.ID(0); ; after = all[len(all)-1].ID {
		page, err := e.Books.EventsAfter(e.Context(), e.shard, after, limit)
		must(e.T, err)
		if all = append(all, page...); len(page) < limit {
			return all
		}
	}
}

func (e eventsTest) wantBooked(got seckill.BookedEvent, id seckill.ID, left int64, endpoints ...string) {
	e.Helper()
	want := event(id, got.Subject, got.Version)
	if got.ID != id || got.Left != left || got.Spread != (left > 0) || got.Alike != 1 || got.Step != "" || got.ReadAt.Before(got.At) ||
		string(got.Data) != string(want.Data) {
		e.Fatalf("got %+v", got)
	}
	var found []string
	for _, d := range got.Dispatches {
		found = append(found, d.Endpoint)
		if d.Subject != got.Subject || d.Version != got.Version || d.Since.IsZero() || d.NextAt.IsZero() {
			e.Fatalf("got %+v", d)
		}
	}
	if !slices.Equal(found, endpoints) {
		e.Fatalf("event %d is for %v", id, found)
	}
}
