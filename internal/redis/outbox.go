package redis

import (
	"context"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// batchesMax bounds one call about batches: Lua unpacks them onto its stack.
const batchesMax = 500

// Sent implements seckill.Lent.
func (l *Lent) Sent(ctx context.Context, item seckill.ID, batches []seckill.ID) error {
	k := keysOf(item)
	return l.eachBatch(ctx, l.scripts.sent, []string{k.unsent(), k.unsettled(), k.tries()}, batches)
}

// Settled implements seckill.Lent.
func (l *Lent) Settled(ctx context.Context, item seckill.ID, batches []seckill.ID) error {
	k := keysOf(item)
	return l.eachBatch(ctx, l.scripts.settled, []string{k.bodies(), k.unsent(), k.unsettled(), k.tries()}, batches)
}

func (l *Lent) eachBatch(ctx context.Context, s script, keys []string, batches []seckill.ID) error {
	for some := range slices.Chunk(batches, batchesMax) {
		args := make([]any, len(some))
		for i, batch := range some {
			args[i] = batch.String()
		}
		if err := l.do(ctx, s, keys, args...); err != nil {
			return err
		}
	}
	return nil
}

// Due implements seckill.Lent: the unsent ones first, each set oldest first. A duration below a millisecond, but not
// zero, means whatever is there.
func (l *Lent) Due(ctx context.Context, item seckill.ID, query seckill.DueQuery) ([]seckill.DueEntry, error) {
	return l.entries(ctx, l.scripts.due, item, dueAge(query.UnsentFor), dueAge(query.UnsettledFor),
		query.TriesMax, query.SlowFor.Milliseconds(), query.Max)
}

// dueAge is an age in milliseconds; empty leaves the set out.
func dueAge(age time.Duration) string {
	if age == 0 {
		return ""
	}
	return decimal(age.Milliseconds())
}

// Outbox implements seckill.Lent: the unsent batches, then the others, each oldest first.
func (l *Lent) Outbox(ctx context.Context, item seckill.ID, offset, limit int) ([]seckill.DueEntry, error) {
	return l.entries(ctx, l.scripts.outbox, item, offset, limit)
}

func (l *Lent) entries(ctx context.Context, s script, item seckill.ID, args ...any) ([]seckill.DueEntry, error) {
	k := keysOf(item)
	r, err := s.run(ctx, l.client, []string{k.bodies(), k.unsent(), k.unsettled(), k.tries()}, args...)
	if err != nil {
		return nil, err
	}
	due := readDue(r)
	return due, r.done(s.name)
}

func readDue(r *reply) []seckill.DueEntry {
	var due []seckill.DueEntry
	for r.more() {
		entry := seckill.DueEntry{Body: seckill.Body{Batch: r.id()}}
		entry.Unsent = r.flag()
		entry.Tries = int(r.number())
		entry.Bytes = r.bytes()
		due = append(due, entry)
	}
	return due
}
