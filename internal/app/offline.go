package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// AuditOffline audits what is stored, without asking any process: a data folder that none has open (ErrDataInUse when one
// has), or the shards, whoever uses them. It writes nothing.
func AuditOffline(ctx context.Context, config Config, sale *seckill.ID, log *slog.Logger) (audit.Report, error) {
	if config.Backend == BackendServices {
		return auditShards(ctx, config, sale, log)
	}
	return auditFolder(ctx, config, sale, log)
}

// auditShards holds the shards against each other, and against Redis as far as that answers.
func auditShards(ctx context.Context, config Config, sale *seckill.ID, log *slog.Logger) (report audit.Report, err error) {
	b := &Backend{}
	defer func() { err = errors.Join(err, b.Close()) }()
	doors, err := config.shardEntrances()
	if err != nil {
		return audit.Report{}, err
	}
	redis, err := config.entrance("redis", config.Redis.Login, config.Redis.TLS)
	if err != nil {
		return audit.Report{}, err
	}
	store, err := b.openShards(ctx, config, doors, nil, log)
	if err != nil {
		return audit.Report{}, err
	}
	if err := store.Verify(ctx); err != nil {
		return audit.Report{}, err
	}
	if _, err := b.useRedis(config, redis, log); err != nil {
		return audit.Report{}, err
	}
	return b.audit(log).Run(ctx, sale)
}

// audit is the use case on the ports that are filled.
func (b *Backend) audit(log *slog.Logger) *audit.Service {
	return audit.New(audit.Ports{
		Catalog: b.Catalog, Books: b.Books, Claims: b.Claims, Lent: b.Lent, Owing: b.Owing, Shards: b.Shards,
		Clock: seckill.SystemClock{}, Log: log,
	})
}

// checkFolder refuses a data folder without a database: to look for a sale must not make one.
func (c Config) checkFolder() error {
	if _, err := os.Stat(filepath.Join(c.Data, databaseFile)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("data: there is no sale in %s; name the folder with --data", c.Data)
	}
	return nil
}

func auditFolder(ctx context.Context, config Config, sale *seckill.ID, log *slog.Logger) (report audit.Report, err error) {
	if err := config.checkFolder(); err != nil {
		return audit.Report{}, err
	}
	b := &Backend{}
	defer func() { err = errors.Join(err, b.Close()) }()
	if err := b.lockData(ctx, config.Data, 0); err != nil {
		return audit.Report{}, err
	}
	store, err := b.openTables(ctx, config, log)
	if err != nil {
		return audit.Report{}, err
	}
	if err := store.Verify(ctx); err != nil {
		return audit.Report{}, err
	}
	return b.audit(log).Run(ctx, sale)
}
