package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Events is the outbox of what the shop is told. This file writes and spreads it, events_due.go is for who tells of them,
// events_dead.go for operators.
//
//	events      new (spread 0) --Spread--> spread (1 + dispatches left) --the last one is told or discarded--> deleted
//	dispatches  due --Due--> leased --Told--> deleted
//	             ^            |--Failed, or lease over--> due later
//	             |            `--Failed for good--> dead
//	             `--------------Replay---------------'
//
// The step of an order that an event tells of names the event until it is deleted: an audit knows by it what ought to be here.
type Events struct{ *Store }

var _ seckill.Events = Events{}

// tell writes what the shop is told into the shard that tx is on; the ids are made here, in the subjects' buckets, and set in
// the events. Where nobody is told of anything it writes nothing.
func (s *Store) tell(tx *gorm.DB, events []seckill.Event) error {
	if !s.tells || len(events) == 0 {
		return nil
	}
	rows := make([][]any, len(events))
	for i, e := range events {
		id, err := s.ids.Next(e.Subject.Bucket())
		if err != nil {
			return fmt.Errorf("%w: %w", seckill.ErrTransient, err) // it passes; a worker must not take it for poison
		}
		events[i].ID = id
		rows[i] = []any{id, e.Type, e.Subject, e.Version, string(e.Data)}
	}
	err := insert{
		into: "events (id, type, subject, version, data, at, spread)",
		row:  "(?,?,?,?,?," + s.dialect.now() + ",0)",
	}.run(tx, rows)
	if err != nil {
		return fmt.Errorf("write %d events: %w", len(events), err)
	}
	return nil
}

// newEvent is an event without dispatches.
type newEvent struct {
	ID      seckill.ID
	Subject seckill.ID
	Version int64
}

// Spread implements seckill.Events. It reads without locking anything, which finds nothing almost always; whoever then
// changes all the rows has them, and who comes second changes nothing.
func (e Events) Spread(ctx context.Context, shard int, endpoints []string, limit int) (int, error) {
	var events []newEvent
	err := e.read(ctx, shard, func(db *gorm.DB) (err error) {
		events, err = e.newEvents(db, len(endpoints) == 0, min(limit, rowsMax))
		return err
	})
	if err == nil && len(events) > 0 {
		err = e.inTx(ctx, shard, func(tx *gorm.DB) error { return e.spread(tx, endpoints, events) })
	}
	switch {
	case errors.Is(err, errUnchanged):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("spread events of shard %d: %w", shard, repeatable(err))
	default:
		return len(events), nil
	}
}

// newEvents reads the oldest events without dispatches and whatever else is new of their subjects. Ids are made by many
// processes, so a later event may have the smaller one; it must not be told before the earlier one. Who sees the later one
// sees the earlier one as well, because a subject's row is locked from one commit to the next.
func (e Events) newEvents(db *gorm.DB, onlyOld bool, limit int) ([]newEvent, error) {
	const query = "SELECT id, subject, version FROM events WHERE "
	when := "spread = 0"
	if onlyOld {
		when += " AND at <= " + e.dialect.now() + " - " + number(seckill.UntoldFor.Milliseconds())
	}
	var events []newEvent
	if err := db.Raw(query+when+" ORDER BY id LIMIT ?", limit).Scan(&events).Error; err != nil || len(events) == 0 {
		return nil, err
	}
	subjects := make([]seckill.ID, len(events))
	for i, event := range events {
		subjects[i] = event.Subject
	}
	slices.Sort(subjects)
	events = nil
	// The plus keeps SQLite from going through all that is new.
	err := db.Raw(query+"+"+when+" AND subject IN ? ORDER BY id", slices.Compact(subjects)).Scan(&events).Error
	return events, err
}

func (e Events) spread(tx *gorm.DB, endpoints []string, events []newEvent) error {
	for chunk := range slices.Chunk(events, rowsMax) {
		ids := idsOfNew(chunk)
		taken := tx.Exec("UPDATE events SET spread = ? WHERE id IN ? AND spread = 0", 1+len(endpoints), ids)
		if taken.Error != nil {
			return taken.Error
		}
		if taken.RowsAffected != int64(len(ids)) {
			return errUnchanged
		}
		if len(endpoints) == 0 {
			if err := drop(tx, chunk); err != nil {
				return err
			}
		}
	}
	return e.dispatch(tx, endpoints, events)
}

func (e Events) dispatch(tx *gorm.DB, endpoints []string, events []newEvent) error {
	var rows [][]any
	for _, endpoint := range slices.Sorted(slices.Values(endpoints)) {
		for _, event := range events {
			rows = append(rows, []any{endpoint, event.ID, event.Subject, event.Version})
		}
	}
	now := e.dialect.now()
	err := insert{
		into: "dispatches (endpoint, event, subject, version, tries, failure, since, next_at, dead)",
		row:  "(?,?,?,?,0,''," + now + "," + now + ",0)",
	}.run(tx, rows)
	return err
}
