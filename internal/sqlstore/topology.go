package sqlstore

import (
	"context"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// topologyRow is one fact about how rows are spread, written once when a database is new.
type topologyRow struct {
	Name  string `gorm:"column:name;primaryKey"`
	Value string `gorm:"column:value"`
}

func (topologyRow) TableName() string { return "topology" }

const (
	topologyMap   = "buckets" // the whole bucket map
	topologyShard = "shard"   // which of its shards this database is
)

// topology is what a shard's database must say.
func (s *Store) topology(shard int) []topologyRow {
	return []topologyRow{
		{Name: topologyMap, Value: s.router.describe()},
		{Name: topologyShard, Value: fmt.Sprintf("%d of %d", shard, s.router.Count())},
	}
}

// storeTopology writes the map into a database that has none; what is there stays.
func (s *Store) storeTopology(ctx context.Context, shard int) error {
	for _, row := range s.topology(shard) {
		_, err := s.exec(ctx, shard, "INSERT INTO topology (name, value) VALUES (?, ?)"+s.dialect.skipKnown("name"), row.Name, row.Value)
		if err != nil {
			return fmt.Errorf("store the bucket map: %w", err)
		}
	}
	return nil
}

// Verify refuses databases that were created with another bucket map or are listed in another order: with a wrong map
// every row would be looked for, and made again, in the wrong place.
func (s *Store) Verify(ctx context.Context) error {
	for i := range s.shards {
		if err := s.VerifyShard(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// VerifyShard is Verify for one shard, past its guard.
func (s *Store) VerifyShard(ctx context.Context, shard int) error {
	var rows []topologyRow
	err := s.primary(ctx, shard).Find(&rows).Error
	switch {
	case failureOf(err) == missingFailure:
		return seckill.InvalidField("shards", fmt.Sprintf("shard %d has no schema yet; run `seckill migrate up` first", shard))
	case err != nil:
		return fmt.Errorf("read the bucket map of shard %d: %w", shard, dbError(err))
	}
	stored := make(map[string]string, len(rows))
	for _, row := range rows {
		stored[row.Name] = row.Value
	}
	for _, want := range s.topology(shard) {
		if got := stored[want.Name]; got != want.Value {
			return seckill.InvalidField("shards", fmt.Sprintf(
				"shard %d was created with %s %q and cannot be started with %q", shard, want.Name, got, want.Value))
		}
	}
	return nil
}
