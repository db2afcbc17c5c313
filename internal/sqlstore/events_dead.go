package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Dead implements seckill.Events.
func (e Events) Dead(ctx context.Context, shard int, after seckill.ID, limit int) ([]seckill.Dispatch, error) {
	var rows []dispatchRow
	err := e.read(ctx, shard, func(db *gorm.DB) error {
		var events []seckill.ID
		err := db.Raw("SELECT DISTINCT event FROM dispatches WHERE dead = 1 AND event > ? ORDER BY event LIMIT ?",
			after, min(limit, rowsMax)).Scan(&events).Error
		if err != nil || len(events) == 0 {
			return err
		}
		return db.Raw(selectDispatch+" WHERE d.dead = 1 AND d.event IN ? ORDER BY d.event, d.endpoint", events).Scan(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("read the dead dispatches of shard %d: %w", shard, err)
	}
	return dispatchesOf(rows), nil
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

// Replay implements seckill.Events.
func (e Events) Replay(ctx context.Context, shard int, endpoint string, event seckill.ID) (bool, error) {
	now := e.dialect.now()
	changed, err := e.exec(ctx, shard, "UPDATE dispatches SET dead = 0, tries = 0, failure = '', since = "+now+", next_at = "+now+
		" WHERE endpoint = ? AND event = ? AND dead = 1", endpoint, event)
	if err != nil {
		return false, fmt.Errorf("replay event %s to %s: %w", event, endpoint, err)
	}
	return changed > 0, nil
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
