package testenv

import (
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/seckill-dev/seckill/internal/testenv/server"
)

// MariaDB is a private mariadbd: every commit on disk before it is answered, strict about data, small.
type MariaDB struct {
	life

	server *server.MariaDB
}

// StartMariaDB starts a server for this test alone, which may kill, stop and empty it. It ends with the test.
func StartMariaDB(t testing.TB) *MariaDB {
	t.Helper()
	opened, err := server.OpenMariaDB(t.Context(), server.Options{})
	m := started(t, opened, err)
	return &MariaDB{life{m}, m}
}

// StartMariaDBPair starts a server and a replica of it that has every change so much later. Both end with the test.
func StartMariaDBPair(t testing.TB, delay time.Duration) (primary, replica *MariaDB) {
	t.Helper()
	first, second, err := server.OpenMariaDBPair(t.Context(), delay)
	must(t, err)
	t.Cleanup(first.Close)
	t.Cleanup(second.Close)
	return &MariaDB{life{first}, first}, &MariaDB{life{second}, second}
}

// Copy is the DSN of a database of another server, by its DSN there, on this one.
func (m *MariaDB) Copy(t testing.TB, dsn string) string {
	t.Helper()
	named, err := mysql.ParseDSN(dsn)
	must(t, err)
	named.Addr, named.Passwd = m.Addr(), m.Password()
	return named.FormatDSN()
}

// Database makes an empty database and returns its DSN.
func (m *MariaDB) Database(t testing.TB) string {
	t.Helper()
	dsn, err := m.server.Database(lasting(t))
	must(t, err)
	return dsn
}

// Password is what the DSNs of this server contain and nothing may print.
func (m *MariaDB) Password() string { return m.server.Password() }
