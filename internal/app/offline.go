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

// AuditOffline audits a data folder that no process has open; ErrDataInUse when one has. It writes nothing.
func AuditOffline(ctx context.Context, config Config, sale *seckill.ID, log *slog.Logger) (report audit.Report, err error) {
	file := filepath.Join(config.Data, databaseFile)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return audit.Report{}, fmt.Errorf("data: there is no sale in %s; name the folder with --data", config.Data)
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
	return audit.New(audit.Ports{
		Catalog: b.Catalog, Books: b.Books, Claims: b.Claims, Owing: b.Owing, Shards: b.Shards,
		Clock: seckill.SystemClock{}, Log: log,
	}).Run(ctx, sale)
}
