package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

var _ seckill.Books = Books{}

// EventsAfter implements seckill.Books.
func (b Books) EventsAfter(
	ctx context.Context, shard int, after seckill.ID, limit int,
) (events []seckill.BookedEvent, err error) {
	err = b.on(ctx, shard, func(db *database) error {
		alike := make(map[eventOf]int64)
		for _, event := range db.told.events.all() {
			alike[eventOf{event.Subject, event.Version}]++
		}
		for _, event := range page(db.told.events.after(after), limit, nil) {
			booked := db.bookedEvent(event)
			booked.Alike = alike[eventOf{event.Subject, event.Version}]
			events = append(events, booked)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the events of shard %d: %w", shard, err)
	}
	return events, nil
}

// eventOf is what there should be one event of.
type eventOf struct {
	subject seckill.ID
	version int64
}

// bookedEvent is an event with what is said of it elsewhere.
func (db *database) bookedEvent(event eventRow) seckill.BookedEvent {
	booked := seckill.BookedEvent{
		Event: event.Event, Spread: event.spread > 0, Left: max(0, event.spread-1), ReadAt: db.now(),
	}
	row, _ := found(db.orders.byID.get(event.Subject))
	for _, step := range row.steps {
		if step.Version == event.Version && step.Tells == event.ID {
			booked.Step = step.State
		}
	}
	for _, dispatch := range db.dispatchesOf(event.ID) {
		booked.Dispatches = append(booked.Dispatches, dispatch.BookedDispatch)
	}
	return booked
}

// LostDispatches implements seckill.Books. No call of a port leaves any.
func (b Books) LostDispatches(ctx context.Context, shard, limit int) (lost []seckill.Dispatch, err error) {
	err = b.on(ctx, shard, func(db *database) error {
		for _, dispatches := range db.told.endpoints.all() {
			for id, d := range dispatches.all() {
				if db.lost(d) {
					lost = append(lost, seckill.Dispatch{
						Event:    seckill.Event{ID: id, Subject: d.Subject, Version: d.Version},
						Endpoint: d.Endpoint, Tries: d.Tries, Failure: d.Failure, Since: d.Since, Dead: d.Dead,
					})
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for dispatches without events on shard %d: %w", shard, err)
	}
	slices.SortStableFunc(lost, func(a, b seckill.Dispatch) int { return cmp.Compare(a.ID, b.ID) })
	return lost[:min(limit, len(lost))], nil
}
