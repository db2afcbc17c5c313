package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/pressly/goose/v3"
	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/migrations"
)

const (
	sqliteDriver = "sqlite"
	// sqliteBusyTimeout is how long a statement waits for another process's lock on the file.
	sqliteBusyTimeout = 5 * time.Second
	sqliteReaders     = 4
	// sqliteAccess is for whoever runs seckill only: a database holds password hashes, and who bought what.
	sqliteAccess = 0o600
)

// sqliteDialect is SQLite in one file per shard.
type sqliteDialect struct{}

func (sqliteDialect) now() string { return "CAST(round(unixepoch('subsec') * 1000) AS INTEGER)" }

func (sqliteDialect) skipKnown(string) string { return " ON CONFLICT DO NOTHING" }

func (sqliteDialect) upsert(key, set string) string {
	return " ON CONFLICT (" + key + ") DO UPDATE SET " + set
}

func (sqliteDialect) incoming(column string) string { return "excluded." + column }

func (sqliteDialect) writing() *sql.TxOptions { return nil }

func (sqliteDialect) reading() *sql.TxOptions { return nil }

func (sqliteDialect) open(ctx context.Context, config ShardConfig) (*shard, error) {
	if err := createFile(config.Path); err != nil {
		return nil, fmt.Errorf("create the file: %w", err)
	}
	// The writer first: it turns the write-ahead log on.
	write, err := openSQLite(ctx, sqliteWriterDSN(config.Path), 1)
	if err != nil {
		return nil, err
	}
	sh := &shard{write: write}
	readers := config.Readers
	if readers == 0 {
		readers = sqliteReaders
	}
	if sh.read, err = openSQLite(ctx, sqliteReaderDSN(config.Path), readers); err != nil {
		return nil, errors.Join(err, sh.close())
	}
	return sh, nil
}

// createFile makes a file that is not there, with the same access under every umask. SQLite gives its log the access of
// the file. One that is there keeps what somebody gave it.
func createFile(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, sqliteAccess)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(file.Chmod(sqliteAccess), file.Close())
}

func openSQLite(ctx context.Context, dsn string, connections int) (*gorm.DB, error) {
	raw, err := sql.Open(sqliteDriver, dsn)
	if err != nil {
		return nil, err
	}
	raw.SetMaxOpenConns(connections)
	raw.SetMaxIdleConns(connections)
	if err := raw.PingContext(ctx); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	db, err := gorm.Open(gormsqlite.New(gormsqlite.Config{DriverName: sqliteDriver, Conn: raw}), gormConfig())
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return db, nil
}

// doubts has none: the settings that matter are in the DSNs.
func (sqliteDialect) doubts(string, map[string]string) []string { return nil }

// migrator uses the one writer, which stays the store's: closing the provider would close it.
func (sqliteDialect) migrator(sh *shard) (*migrator, error) {
	write, err := sh.write.DB()
	if err != nil {
		return nil, err
	}
	return newMigrator(goose.DialectSQLite3, write, migrations.SQLite, "sqlite", func() error { return nil })
}

// sqliteWriterDSN opens the file so that a commit is a promise: WAL with a sync of the log at every commit. Transactions
// take the write lock when they begin, so none fails half-way for having read first.
func sqliteWriterDSN(path string) string {
	return sqliteDSN(path, url.Values{
		"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_txlock": {"immediate"},
	})
}

func sqliteReaderDSN(path string) string { return sqliteDSN(path, url.Values{"_query_only": {"1"}}) }

func sqliteDSN(path string, settings url.Values) string {
	settings.Set("_busy_timeout", strconv.FormatInt(sqliteBusyTimeout.Milliseconds(), 10))
	settings.Set("_dqs", "0")
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + settings.Encode()
}
