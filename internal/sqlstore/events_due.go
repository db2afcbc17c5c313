package sqlstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// dispatchRow is a dispatch with its event.
type dispatchRow struct {
	Endpoint string
	ID       seckill.ID
	Type     seckill.EventType
	Subject  seckill.ID
	Version  int64
	Data     string
	At       int64
	Tries    int64
	Failure  string
	Since    int64
	Dead     bool
}

const selectDispatch = `SELECT d.endpoint, d.event AS id, e.type, d.subject, d.version, e.data, e.at, d.tries, d.failure,
	d.since, d.dead FROM dispatches d JOIN events e ON e.id = d.event`

func (r dispatchRow) dispatch() seckill.Dispatch {
	return seckill.Dispatch{
		Event: seckill.Event{
			ID: r.ID, Type: r.Type, Subject: r.Subject, Version: r.Version, Data: []byte(r.Data), At: fromMilli(r.At),
		},
		Endpoint: r.Endpoint, Tries: r.Tries, Failure: r.Failure, Since: fromMilli(r.Since), Dead: r.Dead,
	}
}

func dispatchesOf(rows []dispatchRow) []seckill.Dispatch {
	dispatches := make([]seckill.Dispatch, len(rows))
	for i, row := range rows {
		dispatches[i] = row.dispatch()
	}
	return dispatches
}

// Due implements seckill.Events. It reads as Spread does; whoever then puts all the rows off has them.
func (e Events) Due(ctx context.Context, shard int, endpoint string, limit int) ([]seckill.Dispatch, error) {
	var rows []dispatchRow
	err := e.read(ctx, shard, func(db *gorm.DB) error {
		return db.Raw(selectDispatch+" WHERE d.endpoint = ? AND d.dead = 0 AND d.next_at <= "+e.dialect.now()+
			" AND NOT EXISTS (SELECT 1 FROM dispatches o WHERE o.endpoint = d.endpoint AND o.subject = d.subject"+
			" AND o.dead = 0 AND o.version < d.version) ORDER BY d.next_at, d.event LIMIT ?",
			endpoint, min(limit, rowsMax)).Scan(&rows).Error
	})
	if err == nil && len(rows) > 0 {
		err = e.inTx(ctx, shard, func(tx *gorm.DB) error { return e.lease(tx, endpoint, rows) })
	}
	switch {
	case errors.Is(err, errUnchanged):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read what %s is to be told of shard %d: %w", endpoint, shard, err)
	default:
		return dispatchesOf(rows), nil
	}
}

// theseDispatches selects dispatches to an endpoint by their events. The plus says nothing, but SQLite then finds them by the
// events; it would rather go through all that the endpoint is to be told.
const theseDispatches = "+endpoint = ? AND event IN ?"

// lease puts rows off.
func (e Events) lease(tx *gorm.DB, endpoint string, rows []dispatchRow) error {
	ids := make([]seckill.ID, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	slices.Sort(ids)
	leased := tx.Exec("UPDATE dispatches SET next_at = "+e.dialect.now()+" + ? WHERE "+theseDispatches+
		" AND dead = 0 AND next_at <= "+e.dialect.now(), seckill.DispatchLease.Milliseconds(), endpoint, ids)
	if leased.Error == nil && leased.RowsAffected != int64(len(ids)) {
		return errUnchanged
	}
	return leased.Error
}

// Renew implements seckill.Events.
func (e Events) Renew(ctx context.Context, shard int, endpoint string, events []seckill.ID) error {
	lease, now := seckill.DispatchLease.Milliseconds(), e.dialect.now()
	for chunk := range slices.Chunk(slices.Sorted(slices.Values(events)), rowsMax) {
		_, err := e.exec(ctx, shard, "UPDATE dispatches SET next_at = "+now+" + ? WHERE "+theseDispatches+
			" AND dead = 0 AND next_at > "+now+" AND next_at < "+now+" + ?", lease, endpoint, chunk, lease)
		if err != nil {
			return fmt.Errorf("renew %d dispatches to %s of shard %d: %w", len(chunk), endpoint, shard, repeatable(err))
		}
	}
	return nil
}

// Told implements seckill.Events.
func (e Events) Told(ctx context.Context, shard int, endpoint string, events []seckill.ID) error {
	for chunk := range slices.Chunk(slices.Sorted(slices.Values(events)), rowsMax) {
		err := e.inTx(ctx, shard, func(tx *gorm.DB) error {
			_, err := forget(tx, endpoint, chunk, "")
			return err
		})
		if err != nil {
			return fmt.Errorf("delete %d dispatches to %s of shard %d: %w", len(chunk), endpoint, shard, repeatable(err))
		}
	}
	return nil
}

// forget deletes dispatches, and those of their events that have no others. The events' rows are locked first: of two who
// delete the last two dispatches of one event, the second must see that it is the last. An event that should have more than
// there are stays, for an audit to find.
func forget(tx *gorm.DB, endpoint string, events []seckill.ID, when string) (deleted int64, err error) {
	going, err := lockDispatches(tx, endpoint, events, when)
	if err != nil || len(going) == 0 {
		return 0, err
	}
	if err := tx.Exec("DELETE FROM dispatches WHERE "+theseDispatches, endpoint, going).Error; err != nil {
		return 0, err
	}
	if err := tx.Exec("UPDATE events SET spread = spread - 1 WHERE id IN ? AND spread > 1", going).Error; err != nil {
		return 0, err
	}
	var told []newEvent
	err = tx.Table("events").Select("id, subject").Where("id IN ? AND spread = 1 AND"+
		" NOT EXISTS (SELECT 1 FROM dispatches WHERE dispatches.event = events.id)", going).Find(&told).Error
	if err != nil {
		return 0, err
	}
	return int64(len(going)), drop(tx, told)
}

// lockDispatches locks events, and then those of their dispatches to an endpoint that there are; it returns the events of these.
func lockDispatches(tx *gorm.DB, endpoint string, events []seckill.ID, when string) (going []seckill.ID, err error) {
	locked := clause.Locking{Strength: clause.LockingStrengthUpdate}
	var known []seckill.ID
	err = tx.Table("events").Clauses(locked).Select("id").Where("id IN ? AND spread > 0", events).Order("id").Find(&known).Error
	if err != nil || len(known) == 0 {
		return nil, err
	}
	err = tx.Table("dispatches").Clauses(locked).Select("event").Where(theseDispatches+when, endpoint, known).Order("event").Find(&going).Error
	return going, err
}

// drop deletes events that nobody has still to be told, and lets the orders' steps forget them.
func drop(tx *gorm.DB, events []newEvent) error {
	if len(events) == 0 {
		return nil
	}
	subjects := make([]seckill.ID, len(events))
	for i, event := range events {
		subjects[i] = event.Subject
	}
	slices.Sort(subjects)
	ids := idsOfNew(events)
	err := tx.Exec("UPDATE order_events SET tells = 0 WHERE order_id IN ? AND tells IN ?", slices.Compact(subjects), ids).Error
	if err != nil {
		return err
	}
	return tx.Exec("DELETE FROM events WHERE id IN ?", ids).Error
}

func idsOfNew(events []newEvent) []seckill.ID {
	ids := make([]seckill.ID, len(events))
	for i, event := range events {
		ids[i] = event.ID
	}
	return ids
}

// Failed implements seckill.Events.
func (e Events) Failed(ctx context.Context, shard int, endpoint string, setbacks []seckill.Setback) error {
	ordered := slices.SortedFunc(slices.Values(setbacks), func(a, b seckill.Setback) int { return cmp.Compare(a.Event, b.Event) })
	for chunk := range slices.Chunk(ordered, rowsMax) {
		statement, args := e.putOff(endpoint, chunk)
		if _, err := e.exec(ctx, shard, statement, args...); err != nil {
			return fmt.Errorf("note that %d tries to tell %s failed on shard %d: %w", len(chunk), endpoint, shard, err)
		}
	}
	return nil
}

// putOff is one statement for many setbacks. since is judged before tries grows: MySQL assigns from left to right.
func (e Events) putOff(endpoint string, setbacks []seckill.Setback) (statement string, args []any) {
	var failures, waits, dead []any
	ids := make([]seckill.ID, len(setbacks))
	for i, setback := range setbacks {
		ids[i] = setback.Event
		failures = append(failures, setback.Event, clip(setback.Failure))
		waits = append(waits, setback.Event, setback.Wait.Milliseconds())
		dead = append(dead, setback.Event, flag(setback.Dead))
	}
	now, each := e.dialect.now(), "CASE event"+strings.Repeat(" WHEN ? THEN ?", len(setbacks))+" END"
	return "UPDATE dispatches SET since = CASE WHEN tries = 0 THEN " + now + " ELSE since END, tries = tries + 1," +
		" failure = " + each + ", next_at = " + now + " + " + each + ", dead = " + each + " WHERE " + theseDispatches +
		" AND dead = 0", slices.Concat(failures, waits, dead, []any{endpoint, ids})
}

// Waiting implements seckill.Events.
func (e Events) Waiting(ctx context.Context, shard int, endpoint string) (int64, time.Duration, error) {
	var waiting struct{ Dispatches, Oldest int64 }
	err := e.lagging(ctx, shard, func(db *gorm.DB) error {
		return db.Raw("SELECT COUNT(*) AS dispatches, COALESCE("+e.dialect.now()+" - MIN(since), 0) AS oldest"+
			" FROM dispatches WHERE endpoint = ? AND dead = 0", endpoint).Scan(&waiting).Error
	})
	if err != nil {
		return 0, 0, fmt.Errorf("count what waits for %s on shard %d: %w", endpoint, shard, err)
	}
	return waiting.Dispatches, time.Duration(waiting.Oldest) * time.Millisecond, nil
}
