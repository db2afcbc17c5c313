package ledger

import (
	"context"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Owing is the outbox of each shard.
type Owing struct{ *Ledger }

var _ seckill.Owing = Owing{}

// Owed implements seckill.Owing.
func (o Owing) Owed(
	ctx context.Context, shard int, kind seckill.OwedKind, after seckill.ID, limit int,
) (owed []seckill.Owed, err error) {
	err = o.on(ctx, shard, func(db *database) error {
		owed = page(db.outbox.after(after), limit, func(row *seckill.Owed) bool { return row.Kind == kind })
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what shard %d owes: %w", shard, err)
	}
	return owed, nil
}

// Done implements seckill.Owing.
func (o Owing) Done(ctx context.Context, shard int, ids []seckill.ID) error {
	err := o.on(ctx, shard, func(db *database) error {
		for _, id := range ids {
			if owed := db.outbox.get(id); owed != nil {
				db.touchOwed(*owed)
				db.outbox.drop(id)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete %d done steps of shard %d: %w", len(ids), shard, err)
	}
	return nil
}

// Depth implements seckill.Owing.
func (o Owing) Depth(ctx context.Context, shard int, kind seckill.OwedKind) (depth int64, err error) {
	err = o.on(ctx, shard, func(db *database) error {
		for _, row := range db.outbox.all() {
			if row.Kind == kind {
				depth++
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("count what shard %d owes: %w", shard, err)
	}
	return depth, nil
}
