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
