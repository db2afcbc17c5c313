package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Dead implements seckill.Events.
func (e Events) Dead(ctx context.Context, shard int, endpoint string, after seckill.ID, limit int) ([]seckill.Dispatch, error) {
	var rows []dispatchRow
	err := e.read(ctx, shard, func(db *gorm.DB) error {
		events, err := deadEvents(db, endpoint, after, limit)
		if err != nil || len(events) == 0 {
			return err
		}
		when, args := toThese(endpoint, "d.")
		return db.Raw(selectDispatch+" WHERE d.dead = 1 AND d.event IN ?"+when+" ORDER BY d.event, d.endpoint",
			append([]any{events}, args...)...).Scan(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("read the dead dispatches of shard %d: %w", shard, err)
	}
	return dispatchesOf(rows), nil
}

// deadEvents are the next events with dead dispatches.
func deadEvents(db *gorm.DB, endpoint string, after seckill.ID, limit int) (events []seckill.ID, err error) {
	when, args := toThese(endpoint, "")
	err = db.Raw("SELECT DISTINCT event FROM dispatches WHERE dead = 1 AND event > ?"+when+" ORDER BY event LIMIT ?",
		slices.Concat([]any{after}, args, []any{min(limit, rowsMax)})...).Scan(&events).Error
	return events, err
}

// toThese narrows dispatches to those to one endpoint, unless it is "". The plus is for SQLite, as in theseDispatches.
func toThese(endpoint, table string) (when string, args []any) {
	if endpoint == "" {
		return "", nil
	}
	return " AND +" + table + "endpoint = ?", []any{endpoint}
}

// retired is what the dispatches say that nobody tells any more.
const retired = "nobody of this name is told any more"

// Retire implements seckill.Events.
func (e Events) Retire(ctx context.Context, shard int, endpoints []string, limit int) (int, error) {
	const stale = "dead = 0 AND since <= ? AND NOT (endpoint IN ?)"
	now, err := e.now(ctx, shard)
	if err != nil {
		return 0, err
	}
	since, told := toMilli(now.Add(-seckill.UntoldFor)), append([]string{""}, endpoints...)
	var events []seckill.ID
	err = e.read(ctx, shard, func(db *gorm.DB) error {
		return db.Raw("SELECT event FROM dispatches WHERE "+stale+" ORDER BY event LIMIT ?", since, told, min(limit, rowsMax)).Scan(&events).Error
	})
	if err != nil || len(events) == 0 {
		return 0, err
	}
	changed, err := e.exec(ctx, shard, "UPDATE dispatches SET dead = 1, failure = ? WHERE event IN ? AND "+stale, retired, events, since, told)
	if err != nil {
		return 0, fmt.Errorf("retire dispatches of shard %d: %w", shard, repeatable(err))
	}
	return int(changed), nil
}

// givenUp is what the dispatches say that an operator did not want to wait for.
const givenUp = "an operator has given it up"

// GiveUp implements seckill.Events. It needs no lease: whoever has one deletes a dead dispatch when it was told, and leaves it
// alone when it was not.
func (e Events) GiveUp(ctx context.Context, shard int, endpoint string, limit int) (int, error) {
	when, args := toThese(endpoint, "")
	var events []seckill.ID
	err := e.read(ctx, shard, func(db *gorm.DB) error {
		return db.Raw("SELECT DISTINCT event FROM dispatches WHERE dead = 0"+when+" ORDER BY event LIMIT ?",
			slices.Concat(args, []any{min(limit, rowsMax)})...).Scan(&events).Error
	})
	if err != nil {
		return 0, fmt.Errorf("read what waits on shard %d: %w", shard, err)
	}
	if len(events) == 0 {
		return 0, nil
	}
	changed, err := e.exec(ctx, shard, "UPDATE dispatches SET dead = 1, failure = ? WHERE event IN ? AND dead = 0"+when,
		slices.Concat([]any{givenUp, events}, args)...)
	if err != nil {
		return 0, fmt.Errorf("give up what waits on shard %d: %w", shard, repeatable(err))
	}
	return int(changed), nil
}

// revive makes dead dispatches as if they were new.
func (e Events) revive() string {
	now := e.dialect.now()
	return "UPDATE dispatches SET dead = 0, tries = 0, failure = '', since = " + now + ", next_at = " + now + " WHERE dead = 1"
}

// Replay implements seckill.Events.
func (e Events) Replay(ctx context.Context, shard int, endpoint string, event seckill.ID) (bool, error) {
	changed, err := e.exec(ctx, shard, e.revive()+" AND endpoint = ? AND event = ?", endpoint, event)
	if err != nil {
		return false, fmt.Errorf("replay event %s to %s: %w", event, endpoint, err)
	}
	return changed > 0, nil
}

// ReplayDead implements seckill.Events.
func (e Events) ReplayDead(ctx context.Context, shard int, endpoint string, after seckill.ID, limit int) (seckill.DeadBatch, error) {
	batch, err := e.decide(ctx, shard, endpoint, after, limit, func(tx *gorm.DB, events []seckill.ID) (int64, error) {
		when, args := toThese(endpoint, "")
		revived := tx.Exec(e.revive()+" AND event IN ?"+when, append([]any{events}, args...)...)
		return revived.RowsAffected, revived.Error
	})
	if err != nil {
		return seckill.DeadBatch{}, fmt.Errorf("replay dead events of shard %d: %w", shard, err)
	}
	return batch, nil
}

// DiscardDead implements seckill.Events.
func (e Events) DiscardDead(ctx context.Context, shard int, endpoint string, after seckill.ID, limit int) (seckill.DeadBatch, error) {
	batch, err := e.decide(ctx, shard, endpoint, after, limit, func(tx *gorm.DB, events []seckill.ID) (int64, error) {
		endpoints := []string{endpoint}
		if endpoint == "" {
			err := tx.Raw("SELECT DISTINCT endpoint FROM dispatches WHERE dead = 1 AND event IN ? ORDER BY endpoint", events).
				Scan(&endpoints).Error
			if err != nil {
				return 0, err
			}
		}
		return forgetDead(tx, endpoints, events)
	})
	if err != nil {
		return seckill.DeadBatch{}, fmt.Errorf("discard dead events of shard %d: %w", shard, err)
	}
	return batch, nil
}

func forgetDead(tx *gorm.DB, endpoints []string, events []seckill.ID) (deleted int64, err error) {
	for _, endpoint := range endpoints {
		some, err := forget(tx, endpoint, events, " AND dead = 1")
		if err != nil {
			return 0, err
		}
		deleted += some
	}
	return deleted, nil
}

// decide does something about the next events with dead dispatches.
func (e Events) decide(
	ctx context.Context, shard int, endpoint string, after seckill.ID, limit int, do func(tx *gorm.DB, events []seckill.ID) (int64, error),
) (batch seckill.DeadBatch, err error) {
	limit = min(limit, rowsMax)
	err = e.inTx(ctx, shard, func(tx *gorm.DB) error {
		events, err := deadEvents(tx, endpoint, after, limit)
		if err != nil || len(events) == 0 {
			return err
		}
		if len(events) == limit {
			batch.Last = events[limit-1]
		}
		done, err := do(tx, events)
		batch.Dispatches = int(done)
		return err
	})
	return batch, err
}

// Discard implements seckill.Events.
func (e Events) Discard(ctx context.Context, shard int, endpoint string, event seckill.ID) (bool, error) {
	err := e.inTx(ctx, shard, func(tx *gorm.DB) error {
		deleted, err := forget(tx, endpoint, []seckill.ID{event}, " AND dead = 1")
		if err == nil && deleted == 0 {
			return errUnchanged
		}
		return err
	})
	switch {
	case errors.Is(err, errUnchanged):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("discard event %s to %s: %w", event, endpoint, err)
	default:
		return true, nil
	}
}
