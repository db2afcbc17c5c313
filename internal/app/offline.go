package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/httpapi"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// AuditOffline audits what is stored, without asking any process: a data folder that none has open (ErrDataInUse when one
// has), or the shards, whoever uses them. It writes nothing.
func AuditOffline(ctx context.Context, config Config, sale *seckill.ID, log *slog.Logger) (wire api.AuditReport, err error) {
	stored, err := OpenStored(ctx, config, log)
	if err != nil {
		return wire, err
	}
	defer func() { err = errors.Join(err, stored.Close()) }()
	report, err := stored.Audit(ctx, sale)
	return httpapi.WireAudit(report), err
}

// Stored is what a system has stored, to be read.
type Stored struct {
	backend *Backend
	log     *slog.Logger
}

// OpenStored opens what is stored, as AuditOffline says.
func OpenStored(ctx context.Context, config Config, log *slog.Logger) (stored *Stored, err error) {
	b := &Backend{}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	open := b.openFolder
	if config.Backend == BackendServices {
		open = b.openServers
	}
	if err := open(ctx, config, log); err != nil {
		return nil, err
	}
	return &Stored{b, log}, nil
}

// Audit audits one sale, or all.
func (s *Stored) Audit(ctx context.Context, sale *seckill.ID) (audit.Report, error) {
	return s.backend.audit(s.log).Run(ctx, sale)
}

// Books reads everything that an audit compares.
func (s *Stored) Books() seckill.Books { return s.backend.Books }

// Shards says where everything lives.
func (s *Stored) Shards() seckill.Shards { return s.backend.Shards }

// Close ends the reading.
func (s *Stored) Close() error { return s.backend.Close() }

// openServers opens the shards, and Redis as far as that answers.
func (b *Backend) openServers(ctx context.Context, config Config, log *slog.Logger) error {
	doors, err := config.shardEntrances()
	if err != nil {
		return err
	}
	redis, err := config.entrance("redis", config.Redis.Login, config.Redis.TLS)
	if err != nil {
		return err
	}
	store, err := b.openShards(ctx, config, doors, nil, log)
	if err != nil {
		return err
	}
	if err := store.Verify(ctx); err != nil {
		return err
	}
	_, err = b.useRedis(config, redis, log)
	return err
}

// audit is the use case on the ports that are filled.
func (b *Backend) audit(log *slog.Logger) *audit.Service {
	return audit.New(b.auditPorts(log))
}

func (b *Backend) auditPorts(log *slog.Logger) audit.Ports {
	return audit.Ports{
		Catalog: b.Catalog, Books: b.Books, Claims: b.Claims, Lent: b.Lent, Owing: b.Owing, Shards: b.Shards,
		Clock: seckill.SystemClock{}, Log: log,
	}
}

// checkFolder refuses a data folder without a database: to look for a sale must not make one.
func (c Config) checkFolder() error {
	if _, err := os.Stat(filepath.Join(c.Data, databaseFile)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("data: there is no sale in %s; name the folder with --data", c.Data)
	}
	return nil
}

// openFolder opens the tables in a data folder that no process has.
func (b *Backend) openFolder(ctx context.Context, config Config, log *slog.Logger) error {
	if err := config.checkFolder(); err != nil {
		return err
	}
	if err := b.lockData(ctx, config.Data, 0); err != nil {
		return err
	}
	store, err := b.openTables(ctx, config, log)
	if err != nil {
		return err
	}
	return store.Verify(ctx)
}
