package testenv_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/seckill-dev/seckill/internal/testenv"
)

// dial opens a database for a test.
func dial(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	server, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	server.Logger = &mysql.NopLogger{} // what it would say is what the test has done
	connector, err := mysql.NewConnector(server)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// tell runs a statement that must succeed.
func tell(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// answer is the one value that a query returns.
func answer(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	var value string
	if err := db.QueryRowContext(t.Context(), query).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestMariaDB(t *testing.T) {
	t.Parallel()
	t.Run("gives each test a database of its own on one server", func(t *testing.T) {
		t.Parallel()
		first, second := env.MariaDB(t), env.MariaDB(t)
		if first == second {
			t.Fatal("two tests have the same database")
		}
		tell(t, dial(t, first), "CREATE TABLE x (n INT)")
		tell(t, dial(t, second), "CREATE TABLE x (n INT)")
		if one, other := answer(t, dial(t, first), "SELECT @@port"), answer(t, dial(t, second), "SELECT @@port"); one != other {
			t.Fatalf("there are two servers: %s and %s", one, other)
		}
	})
	t.Run("commits to disk and is strict", func(t *testing.T) {
		t.Parallel()
		db := dial(t, testenv.StartMariaDB(t).Database(t))
		if got := answer(t, db, "SELECT @@innodb_flush_log_at_trx_commit"); got != "1" {
			t.Errorf("flushes with %s", got)
		}
		if got := answer(t, db, "SELECT @@sql_mode"); !strings.Contains(got, "STRICT_TRANS_TABLES") {
			t.Errorf("runs in mode %s", got)
		}
	})
}

func TestMariaDBLosesWhatTheTestTakesAway(t *testing.T) {
	t.Parallel()
	m := testenv.StartMariaDB(t)
	db := dial(t, m.Database(t))
	tell(t, db, "CREATE TABLE x (n INT)")
	tell(t, db, "INSERT INTO x VALUES (7)")
	m.Kill(t)
	if err := db.PingContext(t.Context()); err == nil {
		t.Fatal("answers after it was killed")
	}
	m.Restart(t)
	if got := answer(t, db, "SELECT n FROM x"); got != "7" {
		t.Fatalf("has %s after a restart, want what it had committed", got)
	}
	m.RestartEmpty(t)
	if err := db.PingContext(t.Context()); err == nil {
		t.Fatal("still has the database")
	}
	if dial(t, m.Database(t)).PingContext(t.Context()) != nil {
		t.Fatal("does not serve when it is empty")
	}
}

func TestMariaDBHangsWhileStoppedAndCarriesOn(t *testing.T) {
	t.Parallel()
	m := testenv.StartMariaDB(t)
	db := dial(t, m.Database(t))
	tell(t, db, "CREATE TABLE x (n INT)")
	m.Stop(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := db.PingContext(ctx); err == nil {
		t.Fatal("answers while stopped")
	}
	m.Continue(t)
	if got := answer(t, db, "SELECT COUNT(*) FROM x"); got != "0" {
		t.Fatalf("answered %s afterwards", got)
	}
}
