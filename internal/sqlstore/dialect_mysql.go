package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/seckill-dev/seckill/migrations"
)

// mysqlDialect is MySQL 8.0.16 and later, MariaDB 10.11 and later, TiDB and Vitess: what they have in common.
type mysqlDialect struct{}

// now counts from 1970 in UTC: no session time zone and no 2038 bends it.
func (mysqlDialect) now() string {
	return "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)"
}

// skipKnown sets a column to what it is: a row that does not change is not counted, since clientFoundRows is off.
func (mysqlDialect) skipKnown(key string) string {
	return " ON DUPLICATE KEY UPDATE " + key + " = " + key
}

func (mysqlDialect) upsert(_, set string) string { return " ON DUPLICATE KEY UPDATE " + set }

// incoming uses VALUES(): MariaDB does not know MySQL's row alias.
func (mysqlDialect) incoming(column string) string { return "VALUES(" + column + ")" }

// through is an order: USE INDEX would still let the server read the whole table. Statistics are minutes old at times, and
// after a crowd a table that is taken for an empty one has millions of rows.
func (mysqlDialect) through(index string) string { return " FORCE INDEX (" + index + ")" }

// writing is READ COMMITTED: what is read after the stock row was locked is what the last holder of the lock committed,
// and nothing but rows is locked, no gaps. Here rather than in the DSN, whose variable has another name on each server.
func (mysqlDialect) writing() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelReadCommitted}
}

func (mysqlDialect) reading() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

func (mysqlDialect) open(_ context.Context, config ShardConfig) (*shard, error) {
	return openMySQL(*config.MySQL)
}

const (
	// migrateLockRetry is how often a second migrator looks whether the first is done, migrateLockTries how many times.
	migrateLockRetry = time.Second
	migrateLockTries = 300
)

// migrator has a connection pool of its own: changing a large table takes longer than any other statement may, and goose
// keeps idle connections that the store's writers lose after ten seconds. A row in a table keeps two migrators apart;
// GET_LOCK does not work through every proxy.
func (mysqlDialect) migrator(sh *shard) (*migrator, error) {
	locker, err := lock.NewMySQLTableLocker(lock.WithTableLockTimeout(migrateLockRetry, migrateLockTries))
	if err != nil {
		return nil, err
	}
	db, err := sh.patient()
	if err != nil {
		return nil, err
	}
	return newMigrator(goose.DialectMySQL, db, migrations.MySQL, "mysql", db.Close, goose.WithLocker(locker))
}
