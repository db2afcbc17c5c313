package sqlqueue

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// readMax is how many rows are read at once.
const readMax = 256

// serve hands out one shard's messages until ctx ends.
func (q *Queue) serve(ctx context.Context, l *lane) {
	tick := q.Clock.After(pollEvery)
	for {
		q.handOut(ctx, l)
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		case <-tick:
			tick = q.Clock.After(pollEvery)
			if expired := l.poll(q.Clock.Now()); expired > 0 {
				q.Log.WarnContext(ctx, "leases ran out: a consumer hangs or died", slog.Int("shard", l.shard), slog.Int("messages", expired))
			}
		}
	}
}

// handOut hands out what there is room for. What fails now is tried again at the next look.
func (q *Queue) handOut(ctx context.Context, l *lane) {
	for handed := 1; handed > 0; {
		var err error
		if handed, err = q.handSome(ctx, l); err != nil && ctx.Err() == nil {
			q.Log.WarnContext(ctx, "queue hands out nothing", slog.Int("shard", l.shard), slog.Any("error", err))
		}
	}
}

func (q *Queue) handSome(ctx context.Context, l *lane) (int, error) {
	if err := q.discover(ctx, l); err != nil {
		return 0, err
	}
	tags, counted := l.choose()
	if len(tags) == 0 {
		return 0, nil
	}
	// What cannot be counted stays; its neighbours that need no count are not held up.
	countErr := q.count(ctx, l, counted)
	rows, err := readRows(ctx, q.file.read, tags)
	if err != nil {
		return 0, err
	}
	l.forget(missing(tags, rows))
	rows, err = q.giveUp(ctx, l, rows)
	if err != nil {
		return 0, err
	}
	return l.hand(rows, q.Clock.Now().Add(q.Lease)), countErr
}

// discover looks for rows above the cursor.
func (q *Queue) discover(ctx context.Context, l *lane) error {
	cursor, limit := l.search()
	if limit == 0 {
		return nil
	}
	rows, err := readAfter(ctx, q.file.read, l.shard, cursor, limit)
	l.find(rows, err != nil || len(rows) == limit)
	return err
}

// count writes down that messages are handed out again, before they are.
func (q *Queue) count(ctx context.Context, l *lane, tags []uint64) error {
	if len(tags) == 0 {
		return nil
	}
	w := &write{
		step: func(ctx context.Context, tx *sql.Tx) error { return countTags(ctx, tx, tags) },
		then: func() { l.countedOnce(tags) },
	}
	if err := q.committer.do(ctx, w); err != nil {
		return fmt.Errorf("count redeliveries: %w", err)
	}
	return nil
}

// giveUp sends what was redelivered too often to the dead letters and returns the others.
func (q *Queue) giveUp(ctx context.Context, l *lane, rows []row) ([]row, error) {
	kept := rows[:0]
	for _, r := range rows {
		if r.redeliveries <= int64(q.RedeliveriesMax) {
			kept = append(kept, r)
			continue
		}
		cause := fmt.Sprintf("delivered %d times", r.redeliveries)
		q.Log.ErrorContext(ctx, "message goes to the dead letters", slog.Int("shard", l.shard),
			slog.String("cause", cause), slog.String("body", string(r.body)))
		if err := q.deadLetter(ctx, l, seckill.Delivery{Tag: r.tag, Body: r.body}, cause); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// missing returns the tags without a row: they were acknowledged late.
func missing(tags []uint64, rows []row) []uint64 {
	there := make(map[uint64]bool, len(rows))
	for _, r := range rows {
		there[r.tag] = true
	}
	var gone []uint64
	for _, tag := range tags {
		if !there[tag] {
			gone = append(gone, tag)
		}
	}
	return gone
}
