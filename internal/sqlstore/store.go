package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Store is the open shards. The ports are views of it: Catalog{store}, Orders{store} and so on.
type Store struct {
	shards []*shard
	router router
	ids    *IDs
	clock  seckill.Clock
	log    *slog.Logger
}

// shard is one database. On SQLite write has a single connection, so that writers queue in Go instead of meeting a
// locked file; read sees every commit.
type shard struct {
	write, read *gorm.DB
}

// Shards tells where rows live.
func (s *Store) Shards() seckill.Shards { return s.router }

// IDs is the id generator. It makes nothing until its Acquire has leased a node number.
func (s *Store) IDs() *IDs { return s.ids }

// SQL hands out a shard's connections, for the embedded queue that shares the one writer. They stay the store's to close.
func (s *Store) SQL(shard int) (write, read *sql.DB, err error) {
	if write, err = s.shards[shard].write.DB(); err != nil {
		return nil, nil, fmt.Errorf("writer of shard %d: %w", shard, err)
	}
	if read, err = s.shards[shard].read.DB(); err != nil {
		return nil, nil, fmt.Errorf("reader of shard %d: %w", shard, err)
	}
	return write, read, nil
}

// Close closes every connection.
func (s *Store) Close() error {
	var failures []error
	for _, sh := range s.shards {
		failures = append(failures, sh.close())
	}
	return errors.Join(failures...)
}

func (sh *shard) close() error {
	var failures []error
	for _, db := range []*gorm.DB{sh.read, sh.write} {
		if db == nil {
			continue
		}
		raw, err := db.DB()
		if err == nil {
			err = raw.Close()
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// inTx runs do in one write transaction of a shard. An error that wraps seckill.ErrTransient says that nothing was
// written and the same call may be repeated; inTx itself repeats nothing. What do returns comes back as it is otherwise,
// so refusals and seckill.ErrNotFound pass through.
func (s *Store) inTx(ctx context.Context, shard int, do func(tx *gorm.DB) error) error {
	return dbError(s.shards[shard].write.WithContext(ctx).Transaction(do))
}

// exec runs one write statement, its own transaction, and tells how many rows it changed.
func (s *Store) exec(ctx context.Context, shard int, statement string, args ...any) (int64, error) {
	result := s.shards[shard].write.WithContext(ctx).Exec(statement, args...)
	return result.RowsAffected, dbError(result.Error)
}

// reader reads a shard outside of any transaction, after every commit so far. Pass what it returns through dbError.
func (s *Store) reader(ctx context.Context, shard int) *gorm.DB {
	return s.shards[shard].read.WithContext(ctx)
}

// now is a shard's clock.
func (s *Store) now(ctx context.Context, shard int) (time.Time, error) {
	var milli int64
	if err := s.reader(ctx, shard).Raw("SELECT " + nowMillis).Scan(&milli).Error; err != nil {
		return time.Time{}, fmt.Errorf("read the clock of shard %d: %w", shard, dbError(err))
	}
	return fromMilli(milli), nil
}

// fromMilli and toMilli translate between columns and the domain; 0 is the zero time.
func fromMilli(milli int64) time.Time {
	if milli == 0 {
		return time.Time{}
	}
	return time.UnixMilli(milli).UTC()
}

func toMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
