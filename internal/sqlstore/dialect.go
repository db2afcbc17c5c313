package sqlstore

import (
	"context"
	"database/sql"
	"io/fs"

	"github.com/pressly/goose/v3"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// dialect is everything that one database says differently from another; dialect_sqlite.go and dialect_mysql.go are the
// two there are. What their errors mean is in errors.go.
type dialect interface {
	// now is the database's clock in Unix milliseconds; it stands still within one statement.
	now() string
	// skipKnown ends an INSERT: rows whose key exists are left alone and not counted. key is a column of the primary key.
	// Never INSERT IGNORE, which hides bad data as well.
	skipKnown(key string) string
	// upsert ends an INSERT whose known rows take other values. Inside set, incoming names the value of the row that was
	// to be inserted.
	upsert(key, set string) string
	incoming(column string) string
	// through follows a table's name where its rows are to be found by this index and no other, whatever the database thinks
	// it knows of the table.
	through(index string) string

	// writing is how a transaction that writes begins; nil when a statement alone is as good as one in a transaction.
	writing() *sql.TxOptions
	// reading is how a transaction begins whose reads all see the same state.
	reading() *sql.TxOptions

	// open connects to one shard.
	open(ctx context.Context, config ShardConfig) (*shard, error)
	// doubts are what the settings of a server leave to be desired for a sale that must not lose anything.
	doubts(version string, settings map[string]string) []string
	// migrator is what brings the schema of one shard up to date. It has to be ended.
	migrator(sh *shard) (*migrator, error)
}

// migrator is goose on one shard.
type migrator struct {
	*goose.Provider
	end func() error
}

// newMigrator makes one from a folder of the embedded schema.
func newMigrator(
	kind goose.Dialect, db *sql.DB, schema fs.FS, folder string, end func() error, options ...goose.ProviderOption,
) (*migrator, error) {
	files, err := fs.Sub(schema, folder)
	if err != nil {
		return nil, err
	}
	provider, err := goose.NewProvider(kind, db, files, options...)
	if err != nil {
		return nil, err
	}
	return &migrator{Provider: provider, end: end}, nil
}

// gormConfig switches gorm's surprises off.
func gormConfig() *gorm.Config {
	return &gorm.Config{SkipDefaultTransaction: true, Logger: logger.Discard, DisableAutomaticPing: true}
}
