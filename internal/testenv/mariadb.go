package testenv

import (
	"testing"

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

// Database makes an empty database and returns its DSN.
func (m *MariaDB) Database(t testing.TB) string {
	t.Helper()
	dsn, err := m.server.Database(lasting(t))
	must(t, err)
	return dsn
}

// Password is what the DSNs of this server contain and nothing may print.
func (m *MariaDB) Password() string { return m.server.Password() }
