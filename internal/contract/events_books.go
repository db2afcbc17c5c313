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
	var page []seckill.BookedEvent
	for after, limit := seckill.ID(0), 3; ; after = page[len(page)-1].ID {
		more, err := e.Books.EventsAfter(e.Context(), e.shard, after, limit)
		must(e.T, err)
		if page = append(page, more...); len(more) < limit {
			break
		}
	}
	if len(page) != 4 {
		e.Fatalf("got %+v", page)
	}
	for i, want := range []struct {
		left      int64
		endpoints []string
	}{{1, []string{shopB}}, {2, []string{shopA, shopB}}, {2, []string{shopA, shopB}}, {0, nil}} {
		got := page[i]
		if got.ID != seckill.ID(i+1) || got.Left != want.left || got.Spread != (want.endpoints != nil) || got.Alike != 1 || got.Step != "" ||
			got.ReadAt.Before(got.At) || string(got.Data) != string(event(got.ID, got.Subject, got.Version).Data) {
			e.Fatalf("got %+v", got)
		}
		var endpoints []string
		for _, d := range got.Dispatches {
			endpoints = append(endpoints, d.Endpoint)
			if d.Subject != got.Subject || d.Version != got.Version || d.Since.IsZero() || d.NextAt.IsZero() {
				e.Fatalf("got %+v", d)
			}
		}
		if !slices.Equal(endpoints, want.endpoints) {
			e.Fatalf("event %d is for %v", got.ID, endpoints)
		}
	}
	if dead := page[2].Dispatches[0]; !dead.Dead || dead.Tries != 1 || dead.Failure != "no answer" {
		e.Fatalf("got %+v", dead)
	}
	if lost, err := e.Books.LostDispatches(e.Context(), e.shard, 10); err != nil || len(lost) > 0 {
		e.Fatalf("lost are %+v, %v", lost, err)
	}
}
