package sqlqueue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver

	"github.com/seckill-dev/seckill/internal/sqlitefile"
	"github.com/seckill-dev/seckill/migrations"
)

const readersMax = 4

// file is the queue's file: one writer, so that writes wait in Go instead of meeting a locked file, and readers that see
// every commit.
type file struct {
	write, read *sql.DB
}

// openFile opens the file, makes it if it is not there, and brings its schema up to date.
func openFile(ctx context.Context, path string) (f file, err error) {
	if err := sqlitefile.Create(path); err != nil {
		return file{}, fmt.Errorf("create the file: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	// The writer first: it turns the write-ahead log on.
	if f.write, err = openPool(ctx, sqlitefile.Writer(path), 1); err != nil {
		return f, err
	}
	if err := migrate(ctx, f.write); err != nil {
		return f, fmt.Errorf("migrate: %w", err)
	}
	f.read, err = openPool(ctx, sqlitefile.Reader(path), readersMax)
	return f, err
}

func (f file) close() error {
	var failed []error
	for _, db := range []*sql.DB{f.read, f.write} {
		if db != nil {
			failed = append(failed, db.Close())
		}
	}
	return errors.Join(failed...)
}

func openPool(ctx context.Context, dsn string, connections int) (*sql.DB, error) {
	db, err := sql.Open(sqlitefile.Driver, dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func migrate(ctx context.Context, write *sql.DB) error {
	schema, err := fs.Sub(migrations.Queue, "queue")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, write, schema)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx) // the provider is not closed: that would close the writer
	return err
}
