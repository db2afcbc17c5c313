package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// Migrate brings the schema of every shard up to date; any number of processes may do so at once.
func Migrate(ctx context.Context, config Config, log *slog.Logger) error {
	return withShards(ctx, config, log, func(store *sqlstore.Store) error { return store.Migrate(ctx) })
}

// MigrationStatus says of every shard which steps of the schema it has.
func MigrationStatus(ctx context.Context, config Config, log *slog.Logger) (status [][]sqlstore.Migration, err error) {
	err = withShards(ctx, config, log, func(store *sqlstore.Store) (err error) {
		status, err = store.MigrationStatus(ctx)
		return err
	})
	return status, err
}

func withShards(ctx context.Context, config Config, log *slog.Logger, do func(*sqlstore.Store) error) (err error) {
	if config.Backend != BackendServices {
		return fmt.Errorf("backend: is %s, which migrates itself when it starts; set %s", config.Backend, BackendServices)
	}
	b := &Backend{}
	defer func() { err = errors.Join(err, b.Close()) }()
	doors, err := config.shardEntrances()
	if err != nil {
		return err
	}
	store, err := b.openShards(ctx, config, doors, nil, log)
	if err != nil {
		return err
	}
	if err := do(store); err != nil {
		return fmt.Errorf("shards: %w", err)
	}
	return nil
}
