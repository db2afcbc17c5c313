package sqlstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// bookedEventRow is an event with what is said of it elsewhere.
type bookedEventRow struct {
	ID      seckill.ID
	Type    seckill.EventType
	Subject seckill.ID
	Version int64
	Data    string
	At      int64
	Spread  int64
	Step    seckill.OrderState
	Alike   int64
	ReadAt  int64
}

func (r bookedEventRow) event() seckill.BookedEvent {
	return seckill.BookedEvent{
		Event: seckill.Event{
			ID: r.ID, Type: r.Type, Subject: r.Subject, Version: r.Version, Data: []byte(r.Data), At: fromMilli(r.At),
		},
		Spread: r.Spread > 0, Left: max(0, r.Spread-1), Step: r.Step, Alike: r.Alike, ReadAt: fromMilli(r.ReadAt),
	}
}

type bookedDispatchRow struct {
	Endpoint string
	Event    seckill.ID
	Subject  seckill.ID
	Version  int64
	Tries    int64
	Failure  string
	Since    int64
	NextAt   int64
	Dead     bool
}

func (r bookedDispatchRow) dispatch() seckill.BookedDispatch {
	return seckill.BookedDispatch{
		Endpoint: r.Endpoint, Subject: r.Subject, Version: r.Version, Tries: r.Tries, Failure: r.Failure,
		Since: fromMilli(r.Since), NextAt: fromMilli(r.NextAt), Dead: r.Dead,
	}
}

// EventsAfter implements seckill.Books.
func (b Books) EventsAfter(ctx context.Context, shard int, after seckill.ID, limit int) ([]seckill.BookedEvent, error) {
	var events []seckill.BookedEvent
	err := b.snapshot(ctx, shard, func(tx *gorm.DB) (err error) {
		events, err = b.eventsAfter(tx, after, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the events of shard %d: %w", shard, err)
	}
	return events, nil
}

func (b Books) eventsAfter(tx *gorm.DB, after seckill.ID, limit int) ([]seckill.BookedEvent, error) {
	var rows []bookedEventRow
	err := tx.Raw(`SELECT e.id, e.type, e.subject, e.version, e.data, e.at, e.spread,
		COALESCE((SELECT s.state FROM order_events s WHERE s.order_id = e.subject AND s.version = e.version AND s.tells = e.id), '') AS step,
		(SELECT COUNT(*) FROM events o WHERE o.subject = e.subject AND o.version = e.version) AS alike, `+b.dialect.now()+` AS read_at
		FROM events e WHERE e.id > ? ORDER BY e.id LIMIT ?`, after, min(limit, rowsMax)).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	events := each(rows, bookedEventRow.event)
	ids, at := make([]seckill.ID, len(events)), make(map[seckill.ID]*seckill.BookedEvent, len(events))
	for i := range events {
		ids[i], at[events[i].ID] = events[i].ID, &events[i]
	}
	var dispatches []bookedDispatchRow
	err = tx.Table("dispatches").Where("event IN ?", ids).Order("event, endpoint").Find(&dispatches).Error
	for _, row := range dispatches {
		at[row.Event].Dispatches = append(at[row.Event].Dispatches, row.dispatch())
	}
	return events, err
}

// LostDispatches implements seckill.Books.
func (b Books) LostDispatches(ctx context.Context, shard, limit int) ([]seckill.Dispatch, error) {
	var rows []bookedDispatchRow
	err := b.read(ctx, shard, func(db *gorm.DB) error {
		return db.Table("dispatches").Where("NOT EXISTS (SELECT 1 FROM events WHERE events.id = dispatches.event)").
			Order("event, endpoint").Limit(limit).Find(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("look for dispatches without events on shard %d: %w", shard, err)
	}
	lost := make([]seckill.Dispatch, len(rows))
	for i, row := range rows {
		lost[i] = seckill.Dispatch{
			Event:    seckill.Event{ID: row.Event, Subject: row.Subject, Version: row.Version},
			Endpoint: row.Endpoint, Tries: row.Tries, Failure: row.Failure, Since: fromMilli(row.Since), Dead: row.Dead,
		}
	}
	return lost, nil
}
