package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"github.com/pressly/goose/v3"
	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/sqlitefile"
	"github.com/seckill-dev/seckill/migrations"
)

const (
	sqliteReaders = 4
	// sqliteCacheKB is how much of a file the writer may keep in memory. The users of a sale are all over an index: pages that
	// do not stay are written, and read again, for every few of them.
	sqliteCacheKB = 64 << 10
)

// sqliteDialect is SQLite in one file per shard.
type sqliteDialect struct{}

func (sqliteDialect) now() string { return "CAST(round(unixepoch('subsec') * 1000) AS INTEGER)" }

func (sqliteDialect) skipKnown(string) string { return " ON CONFLICT DO NOTHING" }

func (sqliteDialect) upsert(key, set string) string {
	return " ON CONFLICT (" + key + ") DO UPDATE SET " + set
}

func (sqliteDialect) incoming(column string) string { return "excluded." + column }

// through is nothing: without statistics SQLite takes an index whenever there is one.
func (sqliteDialect) through(string) string { return "" }

func (sqliteDialect) writing() *sql.TxOptions { return nil }

func (sqliteDialect) reading() *sql.TxOptions { return nil }

func (sqliteDialect) open(ctx context.Context, config ShardConfig) (*shard, error) {
	if err := sqlitefile.Create(config.Path); err != nil {
		return nil, fmt.Errorf("create the file: %w", err)
	}
	// The writer first: it turns the write-ahead log on.
	write, err := openSQLite(ctx, sqliteWriter(config.Path), 1)
	if err != nil {
		return nil, err
	}
	sh := &shard{write: write, group: &commitGroup{db: write}}
	readers := config.Readers
	if readers == 0 {
		readers = sqliteReaders
	}
	if sh.read, err = openSQLite(ctx, sqlitefile.Reader(config.Path), readers); err != nil {
		return nil, errors.Join(err, sh.close())
	}
	return sh, nil
}

func openSQLite(ctx context.Context, dsn string, connections int) (*gorm.DB, error) {
	connector, err := newKeepingConnector(dsn)
	if err != nil {
		return nil, err
	}
	raw := sql.OpenDB(connector)
	raw.SetMaxOpenConns(connections)
	raw.SetMaxIdleConns(connections)
	if err := raw.PingContext(ctx); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	db, err := gorm.Open(gormsqlite.New(gormsqlite.Config{DriverName: sqlitefile.Driver, Conn: raw}), gormConfig())
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

// sqliteWriter is the writer's address. What undoes a statement that fails half-way stays in memory.
func sqliteWriter(path string) string {
	return sqlitefile.Writer(path, "cache_size(-"+strconv.Itoa(sqliteCacheKB)+")", "temp_store(MEMORY)")
}
