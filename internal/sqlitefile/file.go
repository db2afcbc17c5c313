// Package sqlitefile says how every SQLite file of the embedded mode is made and opened, so that a commit is the same promise
// in all of them. It knows no table.
package sqlitefile

import (
	"errors"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"strconv"
	"time"
)

const (
	// Driver is the name of the driver that these addresses are for.
	Driver = "sqlite"

	// busyTimeout is how long a statement waits for another process's lock on the file.
	busyTimeout = 5 * time.Second
	// access is for whoever runs seckill only: the files hold password hashes, and who bought what.
	access = 0o600
)

// Create makes a file that is not there, with the same access under every umask. SQLite gives its log the access of the
// file. One that is there keeps what somebody gave it.
func Create(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, access) //nolint:gosec // the operator names the folder
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(file.Chmod(access), file.Close())
}

// Writer is the address of the one writer. A commit is a promise: WAL with a sync of the log at every commit. Transactions
// take the write lock when they begin, so none fails half-way for having read first. pragmas are settings besides.
func Writer(path string, pragmas ...string) string {
	settings := url.Values{"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_txlock": {"immediate"}}
	if len(pragmas) > 0 {
		settings["_pragma"] = pragmas
	}
	return address(path, settings)
}

// Reader is the address of readers, who see every commit and write nothing.
func Reader(path string) string { return address(path, url.Values{"_query_only": {"1"}}) }

// Existing is the address of a file to attach, which is not made if it is not there.
func Existing(path string) string { return located(path, url.Values{"mode": {"rw"}}) }

func address(path string, settings url.Values) string {
	maps.Copy(settings, url.Values{"_busy_timeout": {strconv.FormatInt(busyTimeout.Milliseconds(), 10)}, "_dqs": {"0"}})
	return located(path, settings)
}

func located(path string, settings url.Values) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + settings.Encode()
}
