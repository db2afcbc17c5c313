package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/seckill-dev/seckill/internal/testenv/server"
)

// AddrMySQL is the environment variable that names a running MySQL or MariaDB (user:password@tcp(host:port)/) to share
// instead of starting one. Tests make databases called seckill_test_… there and drop them at their end.
const AddrMySQL = "SECKILL_TEST_MYSQL"

// sharedMariaDB is the server of a package's tests and the databases to drop at their end.
type sharedMariaDB struct {
	shared
	mu        sync.Mutex
	databases []string
}

// MariaDB makes an empty database on the package's server and returns its DSN. It lives as long as the tests of the
// package, so that they may hand it on to each other.
func (e *Env) MariaDB(t testing.TB) string {
	t.Helper()
	e.mariadb.once.Do(e.mariadb.open)
	if e.mariadb.err != nil {
		t.Fatal(e.mariadb.err)
	}
	dsn, err := server.CreateDatabase(t.Context(), e.mariadb.addr)
	if err != nil {
		t.Fatal(err)
	}
	e.mariadb.mu.Lock()
	defer e.mariadb.mu.Unlock()
	e.mariadb.databases = append(e.mariadb.databases, dsn)
	return dsn
}

func (s *sharedMariaDB) open() {
	if s.addr = os.Getenv(AddrMySQL); s.addr != "" {
		if err := server.AskMariaDB(context.Background(), s.addr, "SELECT 1"); err != nil {
			s.err = fmt.Errorf("%s names a server that does not answer: %w", AddrMySQL, err)
		}
		s.stop = s.dropAll
		return
	}
	m, err := server.OpenMariaDB(context.Background(), server.Options{})
	if err != nil {
		s.err = err
		return
	}
	s.addr, s.stop = m.DSN(), m.Close
}

// dropAll leaves somebody else's server as it was.
func (s *sharedMariaDB) dropAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var failures []error
	for _, dsn := range s.databases {
		failures = append(failures, server.DropDatabase(context.Background(), dsn))
	}
	if err := errors.Join(failures...); err != nil {
		fmt.Fprintln(os.Stderr, "testenv: databases are left behind:", err)
	}
}

// end stops the server, or drops the databases of one that is not ours.
func (s *sharedMariaDB) end() {
	s.once.Do(func() {})
	if s.stop != nil {
		s.stop()
	}
}
