package testenv

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	mariadbReadyWithin = 30 * time.Second      // an idle machine needs a third of a second
	mariadbReadyPoll   = 20 * time.Millisecond // between two questions whether it is ready
	mariadbUser        = "seckill"
)

// MariaDB is a private mariadbd: every commit on disk before it is answered, strict about data, small.
type MariaDB struct {
	port     int
	dir      string
	password string
	process  *process
}

// StartMariaDB starts a server for this test alone, which may kill, stop and empty it. It ends with the test.
func StartMariaDB(t testing.TB) *MariaDB {
	t.Helper()
	m, err := openMariaDB()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.close)
	return m
}

// Addr is where the server listens. It stays the same over restarts.
func (m *MariaDB) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(m.port)) }

// Database makes an empty database and returns its DSN.
func (m *MariaDB) Database(t testing.TB) string {
	t.Helper()
	dsn, err := createDatabase(t.Context(), m.dsn())
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

// Password is what the DSNs of this server contain and nothing may print.
func (m *MariaDB) Password() string { return m.password }

// Kill ends the server as kill -9 does. What it had committed is in its folder.
func (m *MariaDB) Kill(t testing.TB) {
	t.Helper()
	m.process.kill()
}

// Stop freezes the server (SIGSTOP): connections stay open and nothing answers, as behind a cut network.
func (m *MariaDB) Stop(t testing.TB) {
	t.Helper()
	m.signal(t, syscall.SIGSTOP)
	m.awaitStopped(t)
}

// Continue ends a Stop; what clients sent meanwhile is carried out now.
func (m *MariaDB) Continue(t testing.TB) {
	t.Helper()
	m.signal(t, syscall.SIGCONT)
}

// Restart kills the server, if it still runs, and starts it on the same port with the data it had.
func (m *MariaDB) Restart(t testing.TB) {
	t.Helper()
	m.process.kill()
	if err := m.start(); err != nil {
		t.Fatal(err)
	}
}

// RestartEmpty is Restart with nothing left, not even the databases: a lost disk.
func (m *MariaDB) RestartEmpty(t testing.TB) {
	t.Helper()
	m.process.kill()
	if err := errors.Join(os.RemoveAll(m.data()), m.install()); err != nil {
		t.Fatal(err)
	}
	m.Restart(t)
}

// awaitStopped waits until each of the server's threads stands still: the signal is sent, not obeyed, when kill returns.
func (m *MariaDB) awaitStopped(t testing.TB) {
	t.Helper()
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	for deadline := time.After(readyWithin); m.anyThreadRuns(); {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("mariadbd did not stop within %v", readyWithin)
		}
	}
}

// anyThreadRuns reads the states of the threads; where there is no /proc it knows of none.
func (m *MariaDB) anyThreadRuns() bool {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", m.process.pid))
	return slices.ContainsFunc(files, func(file string) bool {
		line, err := os.ReadFile(file)
		_, state, _ := strings.Cut(string(line), ") ") // the name comes before it, in parentheses
		return err == nil && !strings.HasPrefix(state, "T")
	})
}

func (m *MariaDB) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := m.process.signal(sig); err != nil {
		t.Fatal(err)
	}
}

// openMariaDB starts a server on a port that nobody else has. Its password is its own, so that whoever was quicker to the
// port is not taken for it.
func openMariaDB() (*MariaDB, error) {
	dir, err := os.MkdirTemp("", "seckill-mariadb-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for mariadbd: %w", err)
	}
	m := &MariaDB{dir: dir, password: rand.Text()}
	if err = m.install(); err == nil {
		err = m.startSomewhere()
	}
	if err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func (m *MariaDB) startSomewhere() (err error) {
	for range portAttempts {
		if m.port, err = freePort(); err != nil {
			return err
		}
		if err = m.start(); !errors.Is(err, errExited) {
			return err
		}
	}
	return err
}

// install makes the server's own tables, with our user among them.
func (m *MariaDB) install() error {
	user := "'" + mariadbUser + "'@'127.0.0.1'"
	// The server is installed without privileges; the first statement turns them on.
	begin := "FLUSH PRIVILEGES;\nCREATE USER " + user + " IDENTIFIED BY '" + m.password + "';\n" +
		"GRANT ALL ON *.* TO " + user + ";\n"
	err := errors.Join(os.MkdirAll(m.scratch(), 0o700), os.WriteFile(m.userFile(), []byte(begin), 0o600))
	if err != nil {
		return fmt.Errorf("prepare a folder for mariadbd: %w", err)
	}
	arguments := []string{
		// A temporary folder of its own: every server removes what looks left behind in it when it starts.
		"--no-defaults", "--datadir=" + m.data(), "--tmpdir=" + m.scratch(), "--auth-root-authentication-method=normal", "--skip-test-db",
		"--skip-name-resolve", "--extra-file=" + m.userFile(), "--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M",
	}
	p, err := startProcess(m.dir, "mariadb-install-db", asOurselves(arguments)...)
	if err != nil {
		return err
	}
	<-p.exited
	if p.ending != nil {
		return fmt.Errorf("mariadb-install-db: %w; its log ends:\n%s", p.ending, p.logTail())
	}
	return nil
}

// start starts the server on its port and waits until it serves.
func (m *MariaDB) start() error {
	p, err := startProcess(m.dir, "mariadbd", asOurselves([]string{
		"--no-defaults", "--datadir=" + m.data(), "--tmpdir=" + m.scratch(),
		"--bind-address=127.0.0.1", "--port=" + strconv.Itoa(m.port), "--socket=sock",
		"--pid-file=" + filepath.Join(m.dir, "pid"), "--skip-name-resolve", "--skip-log-bin", "--max-connections=500", "--log-warnings=0",
		// The socket is relative to the data: a path of more than 107 characters cannot be one.
		// A commit is on disk before it is answered, and wrong data is refused: what a sale relies on.
		"--innodb-flush-log-at-trx-commit=1", "--sql-mode=STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION",
		// Small, and quick to make and drop many databases.
		"--innodb-buffer-pool-size=64M", "--innodb-log-file-size=48M", "--innodb-file-per-table=0", "--sync-frm=0",
		"--performance-schema=0", "--innodb-buffer-pool-dump-at-shutdown=0", "--innodb-buffer-pool-load-at-startup=0",
	})...)
	if err != nil {
		return err
	}
	m.process = p
	if err := m.awaitReady(); err != nil {
		p.kill()
		return fmt.Errorf("%w; its log ends:\n%s", err, p.logTail())
	}
	return nil
}

// asOurselves lets root's server run as root, which it refuses unless told so: its folder is root's too.
func asOurselves(arguments []string) []string {
	if os.Geteuid() != 0 {
		return arguments
	}
	return append(arguments, "--user=root")
}

func (m *MariaDB) awaitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), mariadbReadyWithin)
	defer cancel()
	poll := time.NewTicker(mariadbReadyPoll)
	defer poll.Stop()
	for {
		err := askMariaDB(ctx, m.dsn(), "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-poll.C:
		case <-m.process.exited:
			return fmt.Errorf("mariadbd on port %d: %w", m.port, errExited)
		case <-ctx.Done():
			return fmt.Errorf("mariadbd on port %d was not ready within %v: %w", m.port, mariadbReadyWithin, err)
		}
	}
}

// dsn names the server, without a database.
func (m *MariaDB) dsn() string {
	c := mysql.NewConfig()
	c.User, c.Passwd, c.Net, c.Addr = mariadbUser, m.password, "tcp", m.Addr()
	return c.FormatDSN()
}

func (m *MariaDB) data() string     { return filepath.Join(m.dir, "data") }
func (m *MariaDB) scratch() string  { return filepath.Join(m.dir, "tmp") }
func (m *MariaDB) userFile() string { return filepath.Join(m.dir, "user.sql") }

// close ends the server and removes its folder. It may be called before the server has started.
func (m *MariaDB) close() {
	if m.process != nil {
		m.process.kill()
	}
	_ = os.RemoveAll(m.dir) // a left-over temporary folder fails no test
}

// createDatabase makes a database under a random name on the server that a DSN names, and returns its own DSN.
func createDatabase(ctx context.Context, server string) (string, error) {
	c, err := mysql.ParseDSN(server)
	if err != nil {
		return "", errors.New("the DSN of the server cannot be read: write user:password@tcp(host:port)/")
	}
	c.DBName = "seckill_test_" + strings.ToLower(rand.Text())
	if err := askMariaDB(ctx, server, "CREATE DATABASE "+c.DBName); err != nil {
		return "", err
	}
	return c.FormatDSN(), nil
}

// dropDatabase removes what createDatabase has made.
func dropDatabase(ctx context.Context, dsn string) error {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return err
	}
	return askMariaDB(ctx, dsn, "DROP DATABASE "+c.DBName)
}

// askMariaDB sends one statement over a connection of its own.
func askMariaDB(ctx context.Context, dsn, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, mariadbReadyWithin)
	defer cancel()
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return err
	}
	c.Logger, c.Timeout, c.ReadTimeout = &mysql.NopLogger{}, answerWithin, mariadbReadyWithin
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	_, err = db.ExecContext(ctx, statement)
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("mariadb at %s: %w", c.Addr, err)
	}
	return nil
}
