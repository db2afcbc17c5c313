package sqlstore

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

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
	// tells says that somebody is told of events.
	tells bool
}

// shard is one database. On SQLite write has a single connection, so that writers queue in Go instead of meeting a
// locked file; read sees every commit.
type shard struct {
	write, read *gorm.DB
	// replicas are behind read: whatever does not insist on the primary goes there.
	replicas []*sql.DB
	// resting is until when, in Unix nanoseconds, no replica is asked.
	resting atomic.Int64
	// patient opens a pool for statements that may take long; MySQL only.
	patient func() (*sql.DB, error)
	// guard stands before every call; nil lets all through.
	guard Guard
	// group commits transactions together; SQLite only.
	group *commitGroup
}

// Shards tells where rows live.
func (s *Store) Shards() seckill.Shards { return s.router }

// IDs is the id generator. It makes nothing until its Acquire has leased a node number.
func (s *Store) IDs() *IDs { return s.ids }

// SQL hands out a shard's connections to who has to look past the ports, as tests do. They stay the store's to close.
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
