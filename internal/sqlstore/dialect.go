package sqlstore

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"modernc.org/sqlite"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Everything that SQLite says differently from the other databases is in this file.

const (
	// nowMillis is the database's clock in Unix milliseconds; it stands still within one statement.
	nowMillis = "CAST(round(unixepoch('subsec') * 1000) AS INTEGER)"
	// skipKnown ends an INSERT: rows whose key exists are left alone and not counted. Never INSERT IGNORE, which hides
	// bad data as well.
	skipKnown = " ON CONFLICT DO NOTHING"
)

// upsert ends an INSERT whose known rows take other values: `ON CONFLICT (key) DO UPDATE SET` here. Inside, incoming
// names the value of the row that was to be inserted.
func upsert(key, set string) string { return " ON CONFLICT (" + key + ") DO UPDATE SET " + set }

func incoming(column string) string { return "excluded." + column }

const (
	driverName = "sqlite"
	// busyTimeout is how long a statement waits for another process's lock on the file.
	busyTimeout = 5 * time.Second
)

// dialector makes gorm speak to an open modernc connection pool.
func dialector(pool gorm.ConnPool) gorm.Dialector {
	return gormsqlite.New(gormsqlite.Config{DriverName: driverName, Conn: pool})
}

// writerDSN opens the file so that a commit is a promise: WAL with a sync of the log at every commit. Transactions take
// the write lock when they begin, so none fails half-way for having read first.
func writerDSN(path string) string {
	return dsn(path, url.Values{
		"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_txlock": {"immediate"},
	})
}

func readerDSN(path string) string { return dsn(path, url.Values{"_query_only": {"1"}}) }

func dsn(path string, settings url.Values) string {
	settings.Set("_busy_timeout", strconv.FormatInt(busyTimeout.Milliseconds(), 10))
	settings.Set("_dqs", "0")
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + settings.Encode()
}

// Primary result codes of SQLite, https://www.sqlite.org/rescode.html.
const (
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqliteFull       = 13
	sqliteConstraint = 19
	primaryCode      = 0xff
)

// dbError turns a driver's error into the domain's: passing ones wrap seckill.ErrTransient, a missing row is
// seckill.ErrNotFound, everything else stays as it is.
func dbError(err error) error {
	switch {
	case err == nil || errors.Is(err, seckill.ErrTransient):
		return err
	case errors.Is(err, gorm.ErrRecordNotFound):
		return seckill.ErrNotFound
	case isTransient(err):
		return fmt.Errorf("%w: %w", seckill.ErrTransient, err)
	default:
		return err
	}
}

func isTransient(err error) bool {
	if errors.Is(err, driver.ErrBadConn) {
		return true
	}
	switch resultCode(err) {
	case sqliteBusy, sqliteLocked, sqliteFull:
		return true
	default:
		return false
	}
}

// isConstraint says that a CHECK, a unique key or NOT NULL refused the write.
func isConstraint(err error) bool { return resultCode(err) == sqliteConstraint }

// refusedData is dbError for statements whose constraints judge nothing but the data given.
func refusedData(err error) error {
	if isConstraint(err) {
		return fmt.Errorf("%w: %w", seckill.ErrPoison, err)
	}
	return dbError(err)
}

func resultCode(err error) int {
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		return 0
	}
	return failure.Code() & primaryCode
}
