package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// What dispatches say that nobody tells any more, and that an operator did not want to wait for.
const (
	retired = "nobody of this name is told any more"
	givenUp = "an operator has given it up"
)

// some are dispatches to one endpoint or, with "", to all, by event and endpoint: those that are wanted of at most limit
// events with ids above after.
func (db *database) some(endpoint string, after seckill.ID, limit int, want func(d *dispatchRow) bool) []*dispatchRow {
	var all []*dispatchRow
	for name, dispatches := range db.told.endpoints.all() {
		if endpoint != "" && endpoint != name {
			continue
		}
		for _, row := range dispatches.after(after) {
			if want(row) {
				all = append(all, row)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *dispatchRow) int { return cmp.Compare(a.event, b.event) })
	for i, events := 0, 0; i < len(all); i++ {
		if i == 0 || all[i].event != all[i-1].event {
			events++
		}
		if events > limit {
			return all[:i]
		}
	}
	return all
}

func isDead(d *dispatchRow) bool { return d.Dead }

// Dead implements seckill.Events.
func (e Events) Dead(
	ctx context.Context, shard int, endpoint string, after seckill.ID, limit int,
) (dead []seckill.Dispatch, err error) {
	err = e.on(ctx, shard, func(db *database) error {
		for _, row := range db.some(endpoint, after, limit, isDead) {
			if !db.lost(row) {
				dead = append(dead, db.dispatch(*row))
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the dead dispatches of shard %d: %w", shard, err)
	}
	return dead, nil
}

// Retire implements seckill.Events.
func (e Events) Retire(ctx context.Context, shard int, endpoints []string, limit int) (int, error) {
	return e.bury(ctx, shard, "", limit, retired, func(db *database, d *dispatchRow) bool {
		return !slices.Contains(endpoints, d.Endpoint) && !d.Since.After(db.now().Add(-seckill.UntoldFor))
	})
}

// GiveUp implements seckill.Events.
func (e Events) GiveUp(ctx context.Context, shard int, endpoint string, limit int) (int, error) {
	return e.bury(ctx, shard, endpoint, limit, givenUp, func(*database, *dispatchRow) bool { return true })
}

// bury marks dispatches dead that are not, and are wanted.
func (e Events) bury(
	ctx context.Context, shard int, endpoint string, limit int, why string, want func(db *database, d *dispatchRow) bool,
) (buried int, err error) {
	err = e.on(ctx, shard, func(db *database) error {
		rows := db.some(endpoint, 0, limit, func(d *dispatchRow) bool { return !d.Dead && want(db, d) })
		for _, row := range rows {
			row.Dead, row.Failure = true, why
		}
		buried = len(rows)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("bury what waits on shard %d: %w", shard, err)
	}
	return buried, nil
}

// revive makes a dead dispatch as if it were new.
func (db *database) revive(row *dispatchRow) {
	now := db.now()
	row.Dead, row.Tries, row.Failure, row.Since, row.NextAt = false, 0, "", now, now
}

// Replay implements seckill.Events.
func (e Events) Replay(ctx context.Context, shard int, endpoint string, event seckill.ID) (bool, error) {
	return e.decide(ctx, shard, endpoint, event, func(db *database, row *dispatchRow) { db.revive(row) })
}

// Discard implements seckill.Events.
func (e Events) Discard(ctx context.Context, shard int, endpoint string, event seckill.ID) (bool, error) {
	return e.decide(ctx, shard, endpoint, event, func(db *database, row *dispatchRow) { db.forget(endpoint, row.event) })
}

// decide does something about a dead dispatch; false when there is no such one.
func (e Events) decide(
	ctx context.Context, shard int, endpoint string, event seckill.ID, do func(db *database, row *dispatchRow),
) (decided bool, err error) {
	err = e.on(ctx, shard, func(db *database) error {
		row := db.dispatchesTo(endpoint).get(event)
		if decided = row != nil && row.Dead; decided {
			do(db, row)
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("decide about event %s to %s: %w", event, endpoint, err)
	}
	return decided, nil
}

// ReplayDead implements seckill.Events.
func (e Events) ReplayDead(
	ctx context.Context, shard int, endpoint string, after seckill.ID, limit int,
) (seckill.DeadBatch, error) {
	return e.decideMany(ctx, shard, endpoint, after, limit, func(db *database, row *dispatchRow) { db.revive(row) })
}

// DiscardDead implements seckill.Events.
func (e Events) DiscardDead(
	ctx context.Context, shard int, endpoint string, after seckill.ID, limit int,
) (seckill.DeadBatch, error) {
	return e.decideMany(ctx, shard, endpoint, after, limit, func(db *database, row *dispatchRow) {
		db.forget(row.Endpoint, row.event)
	})
}

// decideMany does something about what Dead would list.
func (e Events) decideMany(
	ctx context.Context, shard int, endpoint string, after seckill.ID, limit int, do func(db *database, row *dispatchRow),
) (batch seckill.DeadBatch, err error) {
	err = e.on(ctx, shard, func(db *database) error {
		rows := db.some(endpoint, after, limit, isDead)
		events := make(map[seckill.ID]struct{})
		for _, row := range rows {
			events[row.event] = struct{}{}
		}
		batch.Dispatches = len(rows)
		if len(events) == limit && limit > 0 {
			batch.Last = rows[len(rows)-1].event
		}
		for _, row := range rows {
			do(db, row)
		}
		return nil
	})
	if err != nil {
		return seckill.DeadBatch{}, fmt.Errorf("decide about dead events of shard %d: %w", shard, err)
	}
	return batch, nil
}
