package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/pressly/goose/v3"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/migrations"
)

// ShardConfig names one database.
type ShardConfig struct {
	// Path is the SQLite file; it is created when it is missing.
	Path string
	// Readers is how many statements may read at once; 0 is readersDefault.
	Readers int
}

// Config is what a store needs.
type Config struct {
	// Shards in their order; the catalog lives on the first. Order and number are part of the stored bucket map.
	Shards []ShardConfig
	Clock  seckill.Clock
	Log    *slog.Logger
	// Alone says that no other process can have these databases open (their folder is locked), so that every node lease
	// found was left by a dead one.
	Alone bool
}

const (
	readersDefault = 4
	// fileAccess is for whoever runs seckill only: a database holds password hashes, and who bought what.
	fileAccess = 0o600
)

// Open opens the shards. It writes nothing but the files themselves: Migrate makes the schema, Verify checks it.
func Open(ctx context.Context, config Config) (*Store, error) {
	if len(config.Shards) == 0 || len(config.Shards) > seckill.Buckets {
		return nil, fmt.Errorf("open the SQL store: want 1-%d shards, not %d", seckill.Buckets, len(config.Shards))
	}
	s := &Store{router: newRouter(len(config.Shards)), clock: config.Clock, log: config.Log}
	s.ids = newIDs(s, config.Alone)
	for i, sc := range config.Shards {
		sh, err := openShard(ctx, sc)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open shard %d: %w", i, err), s.Close())
		}
		s.shards = append(s.shards, sh)
	}
	return s, nil
}

func openShard(ctx context.Context, config ShardConfig) (*shard, error) {
	if err := createFile(config.Path); err != nil {
		return nil, fmt.Errorf("create the file: %w", err)
	}
	// The writer first: it turns the write-ahead log on.
	write, err := openPool(ctx, writerDSN(config.Path), 1)
	if err != nil {
		return nil, err
	}
	sh := &shard{write: write}
	readers := config.Readers
	if readers == 0 {
		readers = readersDefault
	}
	if sh.read, err = openPool(ctx, readerDSN(config.Path), readers); err != nil {
		return nil, errors.Join(err, sh.close())
	}
	return sh, nil
}

// createFile makes a file that is not there, with the same access under every umask. SQLite gives its log the access of
// the file. One that is there keeps what somebody gave it.
func createFile(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, fileAccess)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(file.Chmod(fileAccess), file.Close())
}

func openPool(ctx context.Context, dsn string, connections int) (*gorm.DB, error) {
	raw, err := sql.Open(driverName, dsn)
	if err != nil {
		return nil, err
	}
	raw.SetMaxOpenConns(connections)
	raw.SetMaxIdleConns(connections)
	if err := raw.PingContext(ctx); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	db, err := gorm.Open(dialector(raw), &gorm.Config{
		SkipDefaultTransaction: true,
		Logger:                 logger.Discard,
		DisableAutomaticPing:   true,
	})
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return db, nil
}

// Migrate brings every shard's schema up to date, stores the bucket map in a new database, and verifies it.
func (s *Store) Migrate(ctx context.Context) error {
	schema, err := fs.Sub(migrations.SQLite, "sqlite")
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	for i := range s.shards {
		if err := s.migrateShard(ctx, i, schema); err != nil {
			return fmt.Errorf("migrate shard %d: %w", i, err)
		}
	}
	return s.Verify(ctx)
}

func (s *Store) migrateShard(ctx context.Context, shard int, schema fs.FS) error {
	write, _, err := s.SQL(shard)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, write, schema)
	if err != nil {
		return err
	}
	// The provider is not closed: it would take the store's connection with it.
	applied, err := provider.Up(ctx)
	if err != nil {
		return dbError(err)
	}
	if len(applied) > 0 {
		s.log.Info("schema migrated", "shard", shard, "migrations", len(applied))
	}
	return s.storeTopology(ctx, shard)
}
