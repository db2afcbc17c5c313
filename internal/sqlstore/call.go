package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Guard stands before every call to one shard. It is asked here, where all calls pass, and not in a decorator for each
// port: a port spreads over shards and only this package knows which of them a call is for, and which errors mean that
// nobody answered.
type Guard interface {
	// Do makes the call and returns its error, which counts against the shard; or it does not make the call, and says why.
	Do(ctx context.Context, call func(ctx context.Context) error) error
}

const (
	// callTimeout bounds a guarded call whose caller is more patient, or has set no deadline: longer than any wait for a
	// row, so that who hears nothing until then was not answered.
	callTimeout = 5 * time.Second
	// countTimeout bounds one that counts all of an item's rows.
	countTimeout = 30 * time.Second
)

// call makes one call to a shard behind its guard. A call that the guard does not let through wraps
// seckill.ErrTransient: nothing was written.
func (s *Store) call(ctx context.Context, shard int, do func(ctx context.Context) error) error {
	return s.callWithin(ctx, shard, callTimeout, do)
}

func (s *Store) callWithin(ctx context.Context, shard int, limit time.Duration, do func(ctx context.Context) error) error {
	guard := s.shards[shard].guard
	if guard == nil {
		return do(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var answer error
	made := false
	refusal := guard.Do(ctx, func(ctx context.Context) error {
		made = true
		answer = do(ctx)
		return silence(answer)
	})
	if !made && refusal != nil {
		return fmt.Errorf("shard %d: %w: %w", shard, seckill.ErrTransient, refusal)
	}
	return answer
}

// inTx runs do in one write transaction of a shard. An error that wraps seckill.ErrTransient says that nothing was
// written and the same call may be repeated; inTx itself repeats nothing. What do returns comes back as it is otherwise,
// so refusals and seckill.ErrNotFound pass through. errUnknownCommit says that it cannot be known what happened: those
// who can be repeated pass it through repeatable.
func (s *Store) inTx(ctx context.Context, shard int, do func(tx *gorm.DB) error) error {
	return s.call(ctx, shard, func(ctx context.Context) error { return s.transact(ctx, shard, do) })
}

// transact is inTx without the guard.
func (s *Store) transact(ctx context.Context, shard int, do func(tx *gorm.DB) error) error {
	if group := s.shards[shard].group; group != nil {
		return group.transact(ctx, do)
	}
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
	return commitError(unsent(ctx, tx.Commit().Error))
}

// unsent gives the end of a call back its name: database/sql, which rolls back as soon as a context ends, may call it a
// transaction that is over when the commit comes. The guard counts it as a shard that does not answer.
func unsent(ctx context.Context, err error) error {
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// alone runs what is a single statement: a transaction of its own, which some databases make of it by themselves.
func (s *Store) alone(ctx context.Context, shard int, do func(tx *gorm.DB) error) error {
	if s.dialect.writing() != nil || s.shards[shard].group != nil {
		return s.inTx(ctx, shard, do)
	}
	return s.call(ctx, shard, func(ctx context.Context) error {
		return dbError(do(s.shards[shard].write.WithContext(ctx)))
	})
}

// exec runs one write statement and tells how many rows it changed.
func (s *Store) exec(ctx context.Context, shard int, statement string, args ...any) (changed int64, err error) {
	err = s.alone(ctx, shard, func(tx *gorm.DB) error {
		result := tx.Exec(statement, args...)
		changed = result.RowsAffected
		return result.Error
	})
	if err != nil {
		return 0, err
	}
	return changed, nil
}

// read reads a shard outside of any transaction, after every commit so far: never on a replica.
func (s *Store) read(ctx context.Context, shard int, do func(db *gorm.DB) error) error {
	return s.call(ctx, shard, func(ctx context.Context) error { return dbError(do(s.primary(ctx, shard))) })
}

// snapshot runs several reads of one shard that see the same state.
func (s *Store) snapshot(ctx context.Context, shard int, do func(tx *gorm.DB) error) error {
	return s.snapshotWithin(ctx, shard, callTimeout, do)
}

func (s *Store) snapshotWithin(ctx context.Context, shard int, limit time.Duration, do func(tx *gorm.DB) error) error {
	return s.callWithin(ctx, shard, limit, func(ctx context.Context) error {
		return dbError(s.primary(ctx, shard).Transaction(do, s.dialect.reading()))
	})
}

// primary is a shard's readers, on the server that is written to.
func (s *Store) primary(ctx context.Context, shard int) *gorm.DB {
	sh := s.shards[shard]
	db := sh.read.WithContext(ctx)
	if len(sh.replicas) == 0 {
		return db
	}
	return db.Clauses(dbresolver.Write).Session(&gorm.Session{})
}

const (
	// replicaTimeout bounds a read on a replica, so that the primary can still be asked; replicaRest is how long the
	// replicas are left alone after one that failed.
	replicaTimeout = time.Second
	replicaRest    = 5 * time.Second
)

// lagging reads what may be some seconds old: on a replica if there is one, on the primary when that fails, for whatever
// reason: it may be away, or behind the last migration. Never what a shopper has just done, and nothing that anybody
// decides on.
func (s *Store) lagging(ctx context.Context, shard int, do func(db *gorm.DB) error) error {
	if s.replicasAnswer(shard) {
		err := s.readReplica(ctx, shard, do)
		if err == nil || ctx.Err() != nil {
			return dbError(err)
		}
		s.shards[shard].resting.Store(s.clock.Now().Add(replicaRest).UnixNano())
		s.log.Warn("a replica is of no use, reading from the primary", "shard", shard, "error", err)
	}
	return s.read(ctx, shard, do)
}

func (s *Store) replicasAnswer(shard int) bool {
	sh := s.shards[shard]
	return len(sh.replicas) > 0 && s.clock.Now().UnixNano() >= sh.resting.Load()
}

func (s *Store) readReplica(ctx context.Context, shard int, do func(db *gorm.DB) error) error {
	ctx, cancel := context.WithTimeout(ctx, replicaTimeout)
	defer cancel()
	return do(s.shards[shard].read.WithContext(ctx))
}

// now is a shard's clock.
func (s *Store) now(ctx context.Context, shard int) (now time.Time, err error) {
	err = s.read(ctx, shard, func(db *gorm.DB) (err error) {
		now, err = s.clockOf(db)
		return err
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("read the clock of shard %d: %w", shard, err)
	}
	return now, nil
}

func (s *Store) clockOf(db *gorm.DB) (time.Time, error) {
	var milli int64
	err := db.Raw("SELECT " + s.dialect.now()).Scan(&milli).Error
	return fromMilli(milli), err
}

// Ping asks whether a shard answers, past its guard.
func (s *Store) Ping(ctx context.Context, shard int) error {
	write, err := s.shards[shard].write.DB()
	if err == nil {
		err = write.PingContext(ctx)
	}
	if err != nil {
		return fmt.Errorf("shard %d does not answer: %w", shard, dbError(err))
	}
	return nil
}
