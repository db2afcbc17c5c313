package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/seckill-dev/seckill/internal/redis"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlqueue"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

const (
	databaseFile = "seckill.db"
	queueFile    = "queue.db"
	lockFile     = "lock"
	lockWait     = 3 * time.Second
	lockRetry    = 20 * time.Millisecond
	idsStopWait  = 5 * time.Second
)

// ErrDataInUse says that another process has the data folder.
var ErrDataInUse = errors.New("the data folder is in use by another seckill process")

// openEmbedded opens the stores of the single-process mode inside the data folder, which it locks: the queue's leases and
// Redis live in this process's memory, so a second process would sell the same units.
func openEmbedded(ctx context.Context, config Config, log *slog.Logger) (backend *Backend, err error) {
	b := &Backend{RedisDies: true, OneWriter: true, Gate: config.Gate}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if err := b.lockData(ctx, config.Data, lockWait); err != nil {
		return nil, err
	}
	store, err := b.openStore(ctx, config, log)
	if err != nil {
		return nil, err
	}
	if err := b.openQueue(ctx, config, store, log); err != nil {
		return nil, err
	}
	return b, b.openRedis(ctx)
}

// lockData takes the folder for this process. It waits for a process that was just killed and is still dying, so that
// whoever restarts it need not.
func (b *Backend) lockData(ctx context.Context, folder string, wait time.Duration) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("data: cannot make the folder: %w", err)
	}
	lock := flock.New(filepath.Join(folder, lockFile))
	held, err := lock.TryLock()
	if !held && err == nil && wait > 0 {
		waiting, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		held, err = lock.TryLockContext(waiting, lockRetry)
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("data: cannot lock %s: %w", folder, err)
	}
	if !held {
		return fmt.Errorf("data: %w (%s); stop it, or choose another folder with --data", ErrDataInUse, folder)
	}
	b.onClose(lock.Close)
	return nil
}

// openStore opens the tables, brings their schema up to date and leases a node number for ids.
func (b *Backend) openStore(ctx context.Context, config Config, log *slog.Logger) (*sqlstore.Store, error) {
	store, err := b.openTables(ctx, config, log)
	if err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx); err != nil {
		return nil, err
	}
	return store, b.leaseIDs(ctx, store)
}

func (b *Backend) openTables(ctx context.Context, config Config, log *slog.Logger) (*sqlstore.Store, error) {
	store, err := sqlstore.Open(ctx, sqlstore.Config{
		Shards: []sqlstore.ShardConfig{{Path: filepath.Join(config.Data, databaseFile)}},
		Tells:  config.isTold(), Clock: seckill.SystemClock{}, Log: log, Alone: true,
	})
	if err != nil {
		return nil, err
	}
	b.onClose(store.Close)
	b.useStore(store)
	return store, nil
}

func (b *Backend) useStore(store *sqlstore.Store) {
	b.Shards = store.Shards()
	b.Catalog = sqlstore.Catalog{Store: store}
	b.Accounts = sqlstore.Accounts{Store: store}
	b.Stocks = sqlstore.Stocks{Store: store}
	b.Adjustments, b.Halts = sqlstore.Stocks{Store: store}, sqlstore.Stocks{Store: store}
	b.Claims = sqlstore.Claims{Store: store}
	b.Orders = sqlstore.Orders{Store: store}
	b.Payments = sqlstore.Payments{Store: store}
	b.Returns = sqlstore.Stocks{Store: store}
	b.Marks = sqlstore.Marks{Store: store}
	b.Owing = sqlstore.Owing{Store: store}
	b.Events = sqlstore.Events{Store: store}
	b.Books = sqlstore.Books{Store: store}
	b.Archives = sqlstore.Archives{Store: store}
}

func (b *Backend) openQueue(ctx context.Context, config Config, store *sqlstore.Store, log *slog.Logger) error {
	queue, err := sqlqueue.Open(ctx, sqlqueue.Config{
		Path: filepath.Join(config.Data, queueFile), Before: filepath.Join(config.Data, databaseFile),
		Shards: store.Shards().Count(), IDs: store.IDs(), Clock: seckill.SystemClock{}, Log: log,
	})
	if err != nil {
		return err
	}
	b.onClose(queue.Close)
	b.Publisher, b.Consumer, b.Queue, b.DeadLetters, b.Drain = queue, queue, queue, queue, queue
	return nil
}

func (b *Backend) openRedis(ctx context.Context) error {
	embedded, err := redis.OpenEmbedded(ctx)
	if err != nil {
		return fmt.Errorf("start redis inside the process: %w", err)
	}
	b.onClose(embedded.Close)
	b.Lent, b.Announcements, b.emptyRedis = embedded.Lent, embedded.Announcements, embedded.FlushAll
	return nil
}
