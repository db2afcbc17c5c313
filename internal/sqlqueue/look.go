package sqlqueue

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Look implements seckill.QueueWatch. It reads an index, as long as the rows nobody has found yet: consumers that keep
// up leave none.
func (q *Queue) Look(ctx context.Context, shard int) (seckill.QueueState, error) {
	l, err := q.lane(shard)
	if err != nil {
		return seckill.QueueState{}, fmt.Errorf("look at the queue: %w", err)
	}
	state, cursor, oldest := l.state()
	waiting, oldestWaiting, err := readWaiting(ctx, q.file.read, shard, cursor)
	if err != nil {
		return seckill.QueueState{}, fmt.Errorf("look at the queue of shard %d: %w", shard, err)
	}
	if state.Dead, err = readDeadCount(ctx, q.file.read, shard); err != nil {
		return seckill.QueueState{}, fmt.Errorf("count the dead letters of shard %d: %w", shard, err)
	}
	if state.Ready == 0 && waiting > 0 {
		oldest = oldestWaiting // tags rise with time, so what was found is older
	}
	state.Ready += waiting
	if state.Ready > 0 {
		state.Age = max(0, q.Clock.Now().Sub(oldest)) // the clock may have been set back since
	}
	return state, nil
}

// state is what memory knows: Ready counts what was found and oldest is the first of it.
func (l *lane) state() (state seckill.QueueState, cursor uint64, oldest time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ready := l.ready()
	if len(ready) > 0 {
		oldest = ready[0].enqueuedAt
	}
	return seckill.QueueState{
		Ready: int64(len(ready)), Unacked: int64(len(l.found) - len(ready)), Consumers: len(l.subs),
	}, l.cursor, oldest
}

// Drained implements seckill.Drain: done when the queue holds no message of the item and epoch, ready or leased. That
// is exact here, because queue and claims are both on this disk: a message leaves the queue only after its claims are
// committed, and this look comes, in the only writer, after everything handed to Publish before it. Nothing promised is
// then left to be settled, so the target is what is accounted for. It is given as 0, because settling may have accounted
// for more since the stock was read; Rebuild takes what lies below accounted for nothing missing.
func (q *Queue) Drained(ctx context.Context, stock seckill.Stock) (seckill.Drained, error) {
	queued := false
	w := &write{step: func(ctx context.Context, tx *sql.Tx) (err error) {
		queued, err = isQueued(ctx, tx, stock.Item, stock.Epoch)
		return err
	}}
	if err := q.committer.do(ctx, w); err != nil {
		return seckill.Drained{}, fmt.Errorf("look whether epoch %d of item %s is drained: %w", stock.Epoch, stock.Item, err)
	}
	return seckill.Drained{Done: !queued}, nil
}
