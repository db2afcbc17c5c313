package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Events is the outbox of what the shop is told. told.go writes it; this file spreads it and is for who tells of it,
// events_dead.go is for operators.
type Events struct{ *Ledger }

var _ seckill.Events = Events{}

// Spread implements seckill.Events. It reads first, and others may come in; who comes second changes nothing.
func (e Events) Spread(ctx context.Context, shard int, endpoints []string, limit int) (int, error) {
	var events []seckill.ID
	err := e.on(ctx, shard, func(db *database) error {
		events = db.newEvents(len(endpoints) == 0, limit)
		return nil
	})
	if err == nil && len(events) > 0 {
		err = e.between("spread events")
	}
	if err == nil && len(events) > 0 {
		err = e.on(ctx, shard, func(db *database) error { return db.spread(endpoints, events) })
	}
	switch {
	case errors.Is(err, errUnchanged):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("spread events of shard %d: %w", shard, err)
	default:
		return len(events), nil
	}
}

// newEvents are the oldest events without dispatches and whatever else is new of their subjects, by id.
func (db *database) newEvents(onlyOld bool, limit int) (events []seckill.ID) {
	var all []*eventRow
	for id := range db.told.fresh.all() {
		if event := db.told.events.get(id); !onlyOld || !event.At.After(db.now().Add(-seckill.UntoldFor)) {
			all = append(all, event)
		}
	}
	subjects := make(map[seckill.ID]bool)
	for _, event := range all[:min(limit, len(all))] {
		subjects[event.Subject] = true
	}
	for _, event := range all {
		if subjects[event.Subject] {
			events = append(events, event.ID)
		}
	}
	return events
}

func (db *database) spread(endpoints []string, events []seckill.ID) error {
	for _, id := range events {
		if event := db.told.events.get(id); event == nil || event.spread != 0 {
			return errUnchanged
		}
	}
	now := db.now()
	for _, id := range events {
		event := db.told.events.get(id)
		event.spread = int64(1 + len(endpoints))
		db.told.fresh.drop(id)
		for _, endpoint := range endpoints {
			db.dispatchesTo(endpoint).put(id, dispatchRow{event: id, BookedDispatch: seckill.BookedDispatch{
				Endpoint: endpoint, Subject: event.Subject, Version: event.Version, Since: now, NextAt: now,
			}})
		}
		if len(endpoints) == 0 {
			db.drop(event)
		}
	}
	return nil
}

// dispatchesTo are those to an endpoint, to be written to.
func (db *database) dispatchesTo(endpoint string) *table[seckill.ID, dispatchRow] {
	if db.told.endpoints.get(endpoint) == nil {
		db.told.endpoints.put(endpoint, table[seckill.ID, dispatchRow]{})
	}
	return db.told.endpoints.get(endpoint)
}

// Due implements seckill.Events. It reads as Spread does; whoever then puts all the rows off has them.
func (e Events) Due(ctx context.Context, shard int, endpoint string, limit int) ([]seckill.Dispatch, error) {
	var due []seckill.Dispatch
	err := e.on(ctx, shard, func(db *database) error {
		due = db.due(endpoint, limit)
		return nil
	})
	if err == nil && len(due) > 0 {
		err = e.between("lease dispatches")
	}
	if err == nil && len(due) > 0 {
		err = e.on(ctx, shard, func(db *database) error { return db.lease(endpoint, due) })
	}
	switch {
	case errors.Is(err, errUnchanged):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read what %s is to be told of shard %d: %w", endpoint, shard, err)
	default:
		return due, nil
	}
}

// due is what an endpoint is to be told now: of each subject only the oldest that is not dead. A dispatch whose event is lost
// is nothing to tell, but stands in the way of later ones.
func (db *database) due(endpoint string, limit int) []seckill.Dispatch {
	oldest := make(map[seckill.ID]int64)
	dispatches := db.dispatchesTo(endpoint)
	for _, d := range dispatches.all() {
		if version, known := oldest[d.Subject]; !d.Dead && (!known || d.Version < version) {
			oldest[d.Subject] = d.Version
		}
	}
	now := db.now()
	rows := page(dispatches.all(), unlimited, func(d *dispatchRow) bool {
		oldest := d.Version == oldest[d.Subject] || db.lacks(LackEventOrder)
		return !d.Dead && !d.NextAt.After(now) && oldest && !db.lost(d)
	})
	slices.SortFunc(rows, func(a, b dispatchRow) int { return cmp.Or(a.NextAt.Compare(b.NextAt), cmp.Compare(a.event, b.event)) })
	due := make([]seckill.Dispatch, min(limit, len(rows)))
	for i := range due {
		due[i] = db.dispatch(rows[i])
	}
	return due
}

// lost says that a dispatch has no event any more.
func (db *database) lost(d *dispatchRow) bool { return db.told.events.get(d.event) == nil }

// dispatch is a row with its event.
func (db *database) dispatch(d dispatchRow) seckill.Dispatch {
	return seckill.Dispatch{
		Event: db.told.events.get(d.event).Event, Endpoint: d.Endpoint,
		Tries: d.Tries, Failure: d.Failure, Since: d.Since, Dead: d.Dead,
	}
}

// lease puts dispatches off.
func (db *database) lease(endpoint string, due []seckill.Dispatch) error {
	dispatches, now := db.dispatchesTo(endpoint), db.now()
	for _, d := range due {
		if row := dispatches.get(d.ID); row == nil || (row.Dead || row.NextAt.After(now)) && !db.lacks(LackEventLease) {
			return errUnchanged
		}
	}
	for _, d := range due {
		dispatches.get(d.ID).NextAt = now.Add(seckill.DispatchLease)
	}
	return nil
}

// Renew implements seckill.Events.
func (e Events) Renew(ctx context.Context, shard int, endpoint string, events []seckill.ID) error {
	err := e.on(ctx, shard, func(db *database) error {
		now := db.now()
		for _, id := range events {
			row := db.dispatchesTo(endpoint).get(id)
			if row != nil && !row.Dead && row.NextAt.After(now) && row.NextAt.Before(now.Add(seckill.DispatchLease)) {
				row.NextAt = now.Add(seckill.DispatchLease)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("renew %d dispatches to %s of shard %d: %w", len(events), endpoint, shard, err)
	}
	return nil
}

// Told implements seckill.Events.
func (e Events) Told(ctx context.Context, shard int, endpoint string, events []seckill.ID) error {
	err := e.on(ctx, shard, func(db *database) error {
		for _, id := range events {
			db.forget(endpoint, id)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete %d dispatches to %s of shard %d: %w", len(events), endpoint, shard, err)
	}
	return nil
}

// forget deletes a dispatch, and its event if that has no others. An event that should have more than there are stays, for
// an audit to find.
func (db *database) forget(endpoint string, id seckill.ID) {
	event, dispatches := db.told.events.get(id), db.dispatchesTo(endpoint)
	if event == nil || event.spread == 0 || dispatches.get(id) == nil {
		return
	}
	dispatches.drop(id)
	event.spread = max(1, event.spread-1)
	if event.spread == 1 && len(db.dispatchesOf(id)) == 0 || db.lacks(LackEventLeft) {
		db.drop(event)
	}
}

// dispatchesOf are an event's, by endpoint.
func (db *database) dispatchesOf(id seckill.ID) (all []*dispatchRow) {
	for _, dispatches := range db.told.endpoints.all() {
		if row := dispatches.get(id); row != nil {
			all = append(all, row)
		}
	}
	return all
}

// drop deletes an event that nobody has still to be told, and lets the order's step forget it.
func (db *database) drop(event *eventRow) {
	if row := db.orders.byID.get(event.Subject); row != nil {
		for i := range row.steps {
			if row.steps[i].Tells == event.ID {
				row.steps[i].Tells = 0
			}
		}
		db.ledger.touchOrder(event.Subject)
	}
	db.told.events.drop(event.ID)
}

// Failed implements seckill.Events.
func (e Events) Failed(ctx context.Context, shard int, endpoint string, setbacks []seckill.Setback) error {
	err := e.on(ctx, shard, func(db *database) error {
		now := db.now()
		for _, setback := range setbacks {
			row := db.dispatchesTo(endpoint).get(setback.Event)
			if row == nil || row.Dead {
				continue
			}
			if row.Tries == 0 {
				row.Since = now
			}
			row.Tries, row.Failure, row.Dead = row.Tries+1, clip(setback.Failure), setback.Dead
			row.NextAt = stored(now.Add(setback.Wait))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note that %d tries to tell %s failed on shard %d: %w", len(setbacks), endpoint, shard, err)
	}
	return nil
}

// Waiting implements seckill.Events.
func (e Events) Waiting(ctx context.Context, shard int, endpoint string) (waiting int64, oldest time.Duration, err error) {
	err = e.on(ctx, shard, func(db *database) error {
		for _, d := range db.dispatchesTo(endpoint).all() {
			if !d.Dead {
				waiting++
				oldest = max(oldest, db.now().Sub(d.Since))
			}
		}
		return nil
	})
	if err != nil {
		return 0, 0, fmt.Errorf("count what waits for %s on shard %d: %w", endpoint, shard, err)
	}
	return waiting, oldest, nil
}
