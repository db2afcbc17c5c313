package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Store is the open shards. The ports are views of it: Catalog{store}, Orders{store} and so on.
type Store struct {
	shards  []*shard
	router  router
	dialect dialect
	ids     *IDs
	clock   seckill.Clock
	log     *slog.Logger
}

// shard is one database. On SQLite write has a single connection, so that writers queue in Go instead of meeting a
// locked file; read sees every commit.
type shard struct {
	write, read *gorm.DB
	// replicas are behind read: whatever does not insist on the primary goes there.
	replicas []*sql.DB
	// patient opens a pool for statements that may take long; MySQL only.
	patient func() (*sql.DB, error)
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
	for _, replica := range sh.replicas {
		failures = append(failures, replica.Close())
	}
	return errors.Join(failures...)
}

// inTx runs do in one write transaction of a shard. An error that wraps seckill.ErrTransient says that nothing was
// written and the same call may be repeated; inTx itself repeats nothing. What do returns comes back as it is otherwise,
// so refusals and seckill.ErrNotFound pass through. errUnknownCommit says that it cannot be known what happened: those
// who can be repeated pass it through repeatable.
func (s *Store) inTx(ctx context.Context, shard int, do func(tx *gorm.DB) error) error {
	tx := s.shards[shard].write.WithContext(ctx).Begin(s.dialect.writing())
	if tx.Error != nil {
		return dbError(tx.Error)
	}
	committing := false
	defer func() {
		if !committing { // also when do panics
			tx.Rollback()
		}
	}()
	if err := do(tx); err != nil {
		return dbError(err)
	}
	committing = true
	return commitError(tx.Commit().Error)
}

// exec runs one write statement, its own transaction, and tells how many rows it changed.
func (s *Store) exec(ctx context.Context, shard int, statement string, args ...any) (int64, error) {
	if s.dialect.writing() == nil {
		result := s.shards[shard].write.WithContext(ctx).Exec(statement, args...)
		return result.RowsAffected, dbError(result.Error)
	}
	var changed int64
	err := s.inTx(ctx, shard, func(tx *gorm.DB) error {
		result := tx.Exec(statement, args...)
		changed = result.RowsAffected
		return result.Error
	})
	if err != nil {
		return 0, err
	}
	return changed, nil
}

// reader reads a shard outside of any transaction, after every commit so far: never on a replica. Pass what it returns
// through dbError.
func (s *Store) reader(ctx context.Context, shard int) *gorm.DB {
	sh := s.shards[shard]
	db := sh.read.WithContext(ctx)
	if len(sh.replicas) == 0 {
		return db
	}
	return db.Clauses(dbresolver.Write).Session(&gorm.Session{})
}

// lagging reads what may be some seconds old: on a replica if there is one, on the primary when that fails. Never what
// a shopper has just done, and nothing that anybody decides on.
func (s *Store) lagging(ctx context.Context, shard int, read func(db *gorm.DB) error) error {
	if len(s.shards[shard].replicas) > 0 {
		err := read(s.shards[shard].read.WithContext(ctx))
		if failureOf(err) != passingFailure {
			return dbError(err)
		}
		s.log.Warn("a replica does not answer, reading from the primary", "shard", shard, "error", err)
	}
	return dbError(read(s.reader(ctx, shard)))
}

// now is a shard's clock.
func (s *Store) now(ctx context.Context, shard int) (time.Time, error) {
	var milli int64
	if err := s.reader(ctx, shard).Raw("SELECT " + s.dialect.now()).Scan(&milli).Error; err != nil {
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
