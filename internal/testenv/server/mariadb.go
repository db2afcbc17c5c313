package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/seckill-dev/seckill/internal/testenv/process"
)

const (
	mariadbReadyWithin = 90 * time.Second      // an idle machine needs a third of a second
	mariadbReadyPoll   = 20 * time.Millisecond // between two questions whether it is ready
	mariadbUser        = "seckill"
)

// MariaDB is a private mariadbd: every commit on disk before it is seen, strict about data, small.
type MariaDB struct {
	*machine

	more []string // arguments
}

// OpenMariaDB starts a server on a port that nobody else has. Its password is its own, so that whoever was quicker to the
// port is not taken for it.
func OpenMariaDB(ctx context.Context, options Options) (*MariaDB, error) {
	return openMariaDB(ctx, options)
}

func openMariaDB(ctx context.Context, options Options, more ...string) (*MariaDB, error) {
	base, err := newMachine("mariadbd", options)
	if err != nil {
		return nil, err
	}
	m := &MariaDB{base, more}
	base.launch = m.start
	base.empty = m.install
	if base.isNew() {
		base.id.Password = rand.Text()
		if err := m.install(ctx); err != nil {
			m.Close()
			return nil, err
		}
	}
	if err := m.settle(ctx, m.choosePort); err != nil {
		return nil, err
	}
	return m, nil
}

// Database makes an empty database and returns its DSN.
func (m *MariaDB) Database(ctx context.Context) (string, error) { return CreateDatabase(ctx, m.DSN()) }

// User is who the DSNs of this server log in as.
func (m *MariaDB) User() string { return mariadbUser }

// Password is what the DSNs of this server contain and nothing may print.
func (m *MariaDB) Password() string { return m.id.Password }

// DSN names the server, without a database.
func (m *MariaDB) DSN() string {
	c := mysql.NewConfig()
	c.User, c.Passwd, c.Net, c.Addr = mariadbUser, m.id.Password, "tcp", m.Addr()
	return c.FormatDSN()
}

// install makes the server's own tables, with our user among them, where nothing else is left.
func (m *MariaDB) install(ctx context.Context) error {
	user := "'" + mariadbUser + "'@'127.0.0.1'"
	// The server is installed without privileges; the first statement turns them on.
	begin := "FLUSH PRIVILEGES;\nCREATE USER " + user + " IDENTIFIED BY '" + m.id.Password + "';\n" +
		"GRANT ALL ON *.* TO " + user + " WITH GRANT OPTION;\n"
	err := errors.Join(os.RemoveAll(m.data()), os.MkdirAll(m.scratch(), 0o700), os.WriteFile(m.userFile(), []byte(begin), 0o600))
	if err != nil {
		return fmt.Errorf("prepare a folder for mariadbd: %w", err)
	}
	arguments := []string{
		// A temporary folder of its own: every server removes what looks left behind in it when it starts.
		"--no-defaults", "--datadir=" + m.data(), "--tmpdir=" + m.scratch(), "--auth-root-authentication-method=normal", "--skip-test-db",
		"--skip-name-resolve", "--extra-file=" + m.userFile(), "--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M",
	}
	p, err := m.spawn(process.Command{Args: append([]string{"mariadb-install-db"}, asOurselves(arguments)...)})
	if err != nil {
		return err
	}
	select {
	case <-p.Exited():
	case <-ctx.Done():
		p.Kill()
	}
	if err := p.Ending(); err != nil {
		return fmt.Errorf("mariadb-install-db: %w; its log ends:\n%s", err, m.logTail())
	}
	return nil
}

// start starts the server on its port and waits until it serves.
func (m *MariaDB) start(ctx context.Context) error {
	arguments := asOurselves(append([]string{
		"mariadbd", "--no-defaults", "--datadir=" + m.data(), "--tmpdir=" + m.scratch(),
		"--bind-address=127.0.0.1", "--port=" + strconv.Itoa(m.id.Port), "--socket=sock",
		"--pid-file=" + m.file("pid"), "--skip-name-resolve", "--max-connections=500", "--log-warnings=0",
		// The socket is relative to the data: a path of more than 107 characters cannot be one.
		// A commit is on disk before anybody sees it, and wrong data is refused: what a sale relies on.
		"--innodb-flush-log-at-trx-commit=1", "--log-bin=binlog", "--sync-binlog=1", "--binlog-format=ROW", "--server-id=1",
		"--sql-mode=STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION",
		// Small, and quick to make and drop many databases.
		"--innodb-buffer-pool-size=64M", "--innodb-log-file-size=48M", "--innodb-file-per-table=0", "--sync-frm=0",
		"--performance-schema=0", "--innodb-buffer-pool-dump-at-shutdown=0", "--innodb-buffer-pool-load-at-startup=0",
	}, m.more...))
	if m.tls != nil {
		arguments = append(arguments, "--ssl-ca="+m.tls.CAFile, "--ssl-cert="+m.tls.CertFile, "--ssl-key="+m.tls.KeyFile)
	}
	return m.run(process.Command{Args: arguments}, func() error { return m.awaitReady(ctx) })
}

// asOurselves lets root's server run as root, which it refuses unless told so: its folder is root's too.
func asOurselves(arguments []string) []string {
	if os.Geteuid() != 0 {
		return arguments
	}
	return append(arguments, "--user=root")
}

func (m *MariaDB) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, mariadbReadyWithin)
	defer cancel()
	poll := time.NewTicker(mariadbReadyPoll)
	defer poll.Stop()
	for {
		err := AskMariaDB(ctx, m.DSN(), "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-poll.C:
		case <-m.process.Exited():
			return fmt.Errorf("mariadbd on port %d: %w", m.id.Port, process.ErrExited)
		case <-ctx.Done():
			return fmt.Errorf("mariadbd on port %d was not ready within %v: %w", m.id.Port, mariadbReadyWithin, err)
		}
	}
}

func (m *MariaDB) scratch() string  { return m.file("tmp") }
func (m *MariaDB) userFile() string { return m.file("user.sql") }
