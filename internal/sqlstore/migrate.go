package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/pressly/goose/v3"
)

// Migration is one step of a shard's schema.
type Migration struct {
	Version int64
	Name    string
	// AppliedAt is zero for a step that is still to be made.
	AppliedAt time.Time
}

// Migrate brings every shard's schema up to date, stores the bucket map in a new database, and verifies it. Any number
// of processes may call it at once; a run that was cut off is continued by the next.
func (s *Store) Migrate(ctx context.Context) error {
	for i := range s.shards {
		if err := s.migrateShard(ctx, i); err != nil {
			return fmt.Errorf("migrate shard %d: %w", i, err)
		}
	}
	return s.Verify(ctx)
}

func (s *Store) migrateShard(ctx context.Context, shard int) (err error) {
	m, err := s.dialect.migrator(s.shards[shard])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.end()) }()
	applied, err := m.Up(ctx)
	if err != nil {
		return dbError(err)
	}
	if len(applied) > 0 {
		s.log.Info("schema migrated", "shard", shard, "migrations", len(applied))
	}
	return s.storeTopology(ctx, shard)
}

// MigrationStatus tells, per shard, every step of the schema and when it was made.
func (s *Store) MigrationStatus(ctx context.Context) ([][]Migration, error) {
	shards := make([][]Migration, len(s.shards))
	for i := range s.shards {
		steps, err := s.shardStatus(ctx, i)
		if err != nil {
			return nil, fmt.Errorf("read the migrations of shard %d: %w", i, dbError(err))
		}
		shards[i] = steps
	}
	return shards, nil
}

func (s *Store) shardStatus(ctx context.Context, shard int) (steps []Migration, err error) {
	m, err := s.dialect.migrator(s.shards[shard])
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.end()) }()
	status, err := m.Status(ctx)
	if err != nil {
		return nil, err
	}
	for _, step := range status {
		made := Migration{Version: step.Source.Version, Name: path.Base(step.Source.Path)}
		if step.State == goose.StateApplied {
			made.AppliedAt = step.AppliedAt
		}
		steps = append(steps, made)
	}
	return steps, nil
}
