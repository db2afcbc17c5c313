package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Owing is the outbox of each shard.
type Owing struct{ *Store }

var _ seckill.Owing = Owing{}

type outboxRow struct {
	ID       seckill.ID       `gorm:"column:id;primaryKey"`
	Kind     seckill.OwedKind `gorm:"column:kind"`
	Item     seckill.ID       `gorm:"column:item"`
	Epoch    int64            `gorm:"column:epoch"`
	User     seckill.UserID   `gorm:"column:user_id"`
	Claim    seckill.ID       `gorm:"column:claim"`
	Quantity int64            `gorm:"column:quantity"`
	KeyHash  string           `gorm:"column:key_hash"`
}

func (outboxRow) TableName() string { return "outbox" }

func (r outboxRow) owed() seckill.Owed {
	return seckill.Owed{
		ID: r.ID, Kind: r.Kind, Item: r.Item, Epoch: r.Epoch, User: r.User,
		Entry: seckill.BuyerEntry{ID: r.Claim, Quantity: r.Quantity, KeyHash: r.KeyHash},
	}
}

// owe writes steps into the outbox of the shard that tx is on; their ids are made here, in the items' buckets.
func (s *Store) owe(tx *gorm.DB, owed []seckill.Owed) error {
	rows := make([][]any, len(owed))
	for i, o := range owed {
		id, err := s.ids.Next(o.Item.Bucket())
		if err != nil {
			return err
		}
		rows[i] = []any{id, o.Kind, o.Item, o.Epoch, o.User, o.Entry.ID, o.Entry.Quantity, o.Entry.KeyHash}
	}
	err := insert{
		into: "outbox (id, kind, item, epoch, user_id, claim, quantity, key_hash, at)",
		row:  "(?,?,?,?,?,?,?,?," + s.dialect.now() + ")",
	}.run(tx, rows)
	if err != nil {
		return fmt.Errorf("write %d owed steps: %w", len(owed), err)
	}
	return nil
}

// Owed implements seckill.Owing.
func (o Owing) Owed(
	ctx context.Context, shard int, kind seckill.OwedKind, after seckill.ID, limit int,
) ([]seckill.Owed, error) {
	return o.owed(ctx, shard, limit, "kind = ? AND id > ?", kind, after)
}

// owed reads the oldest rows of which a condition is true.
func (s *Store) owed(ctx context.Context, shard, limit int, when string, args ...any) ([]seckill.Owed, error) {
	var rows []outboxRow
	err := s.read(ctx, shard, func(db *gorm.DB) error {
		return db.Where(when, args...).Order("id").Limit(limit).Find(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("read what shard %d owes: %w", shard, err)
	}
	owed := make([]seckill.Owed, len(rows))
	for i, row := range rows {
		owed[i] = row.owed()
	}
	return owed, nil
}

// Done implements seckill.Owing.
func (o Owing) Done(ctx context.Context, shard int, ids []seckill.ID) error {
	sorted := slices.Sorted(slices.Values(ids))
	for chunk := range slices.Chunk(sorted, rowsMax) {
		if _, err := o.exec(ctx, shard, "DELETE FROM outbox WHERE id IN ?", chunk); err != nil {
			return fmt.Errorf("delete %d done steps of shard %d: %w", len(chunk), shard, repeatable(err))
		}
	}
	return nil
}

// Depth implements seckill.Owing.
func (o Owing) Depth(ctx context.Context, shard int, kind seckill.OwedKind) (int64, error) {
	var depth int64
	err := o.read(ctx, shard, func(db *gorm.DB) error {
		return db.Model(&outboxRow{}).Where("kind = ?", kind).Count(&depth).Error
	})
	if err != nil {
		return 0, fmt.Errorf("count what shard %d owes: %w", shard, err)
	}
	return depth, nil
}
