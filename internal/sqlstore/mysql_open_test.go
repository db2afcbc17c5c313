package sqlstore_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/seckill-dev/seckill/internal/sqlstore"
	"github.com/seckill-dev/seckill/internal/testenv"
)

func TestMySQLOpen(t *testing.T) {
	t.Parallel()
	t.Run("sets its writers up to be forgotten when they are stopped, and leaves readers alone", func(t *testing.T) {
		t.Parallel()
		write, read, err := openMariaDB(t).SQL(0)
		if err != nil {
			t.Fatal(err)
		}
		for setting, want := range map[string]string{
			"wait_timeout": "10", "net_read_timeout": "10", "net_write_timeout": "10", "innodb_lock_wait_timeout": "3",
			"collation_connection": "utf8mb4_bin",
		} {
			var got string
			if err := write.QueryRowContext(t.Context(), "SELECT @@SESSION."+setting).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %s, want %s, %v", setting, got, want, err)
			}
		}
		var waits int
		if err := read.QueryRowContext(t.Context(), "SELECT @@SESSION.wait_timeout").Scan(&waits); err != nil || waits < 1000 {
			t.Errorf("readers wait %d s, %v", waits, err)
		}
		if write.Stats().MaxOpenConnections != 8 || read.Stats().MaxOpenConnections != 8 {
			t.Error("the pools are not as large as they were told to be")
		}
	})
	t.Run("takes the password from where it is kept", func(t *testing.T) {
		t.Parallel()
		c := mariadbConfig(t, 1)
		server := parseDSN(t, c.Shards[0].MySQL.DSN)
		c.Shards[0].MySQL.Password, server.Passwd = server.Passwd, ""
		c.Shards[0].MySQL.DSN = server.FormatDSN()
		leased(t, c)
	})
	t.Run("insists on TLS when told to", func(t *testing.T) {
		t.Parallel()
		c := mariadbConfig(t, 1)
		c.Shards[0].MySQL.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		if err := open(t, c).Ping(t.Context(), 0); err == nil || !strings.Contains(err.Error(), "TLS") {
			t.Fatalf("a server without TLS was taken: %v", err)
		}
	})
	t.Run("mixes no files and servers", func(t *testing.T) {
		t.Parallel()
		c := mariadbConfig(t, 1)
		c.Shards = append(c.Shards, config(t.TempDir(), 1).Shards...)
		if _, err := sqlstore.Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "shard 1") {
			t.Fatalf("got %v", err)
		}
	})
}

func parseDSN(t *testing.T, dsn string) *mysql.Config {
	t.Helper()
	server, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func TestMySQLKeepsThePasswordToItself(t *testing.T) {
	t.Parallel()
	const password = "hunter2-hunter2"
	for name, dsn := range map[string]string{
		"in a DSN that cannot be read":   "shop:" + password + "@tcp(127.0.0.1:3306",
		"in a DSN without a database":    "shop:" + password + "@tcp(127.0.0.1:1)/",
		"with an unknown TLS setting":    "shop:" + password + "@tcp(127.0.0.1:1)/shop?tls=" + password,
		"when nobody listens":            "shop:" + password + "@tcp(127.0.0.1:1)/shop",
		"when the server does not agree": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if dsn == "" {
				server := parseDSN(t, env.MariaDB(t))
				server.Passwd = password
				dsn = server.FormatDSN()
			}
			var logged bytes.Buffer
			c := serverConfig(dsn)
			c.Log = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
			store, err := sqlstore.Open(t.Context(), c)
			if err == nil {
				err = errors.Join(store.Verify(t.Context()), store.Ping(t.Context(), 0), store.Close())
			}
			if err == nil || strings.Contains(err.Error(), password) || strings.Contains(logged.String(), password) {
				t.Fatalf("error %q, log %q", err, logged.String())
			}
		})
	}
}

func TestMySQLMigrate(t *testing.T) {
	t.Parallel()
	t.Run("tells what is to be done and what was", func(t *testing.T) {
		t.Parallel()
		store := open(t, serverConfig(env.MariaDB(t), env.MariaDB(t)))
		refused(t, store.Verify(t.Context()))
		wantSteps(t, store, false)
		if err := store.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantSteps(t, store, true)
	})
	t.Run("may be called by several processes at once", func(t *testing.T) {
		t.Parallel()
		dsn := env.MariaDB(t)
		var done sync.WaitGroup
		for range 3 {
			store := open(t, serverConfig(dsn))
			done.Go(func() {
				if err := store.Migrate(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
	})
	t.Run("goes on where it was cut off", func(t *testing.T) {
		t.Parallel()
		store := open(t, serverConfig(env.MariaDB(t)))
		if err := store.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		edit(t, store, 0, "DELETE FROM goose_db_version WHERE version_id > 1")
		edit(t, store, 0, "DROP TABLE orders_07")
		if err := store.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		edit(t, store, 0, "DELETE FROM orders_07")
	})
	t.Run("refuses shards in another order, or of another number", func(t *testing.T) {
		t.Parallel()
		c := mariadbConfig(t, 2)
		refused(t, open(t, serverConfig(c.Shards[1].MySQL.DSN, c.Shards[0].MySQL.DSN)).Verify(t.Context()))
		refused(t, open(t, serverConfig(c.Shards[0].MySQL.DSN)).Verify(t.Context()))
	})
}

// wantSteps wants every step of every shard made, or none.
func wantSteps(t *testing.T, store *sqlstore.Store, made bool) {
	t.Helper()
	shards, err := store.MigrationStatus(t.Context())
	if err != nil || len(shards) != store.Shards().Count() {
		t.Fatalf("got %v, %v", shards, err)
	}
	for _, steps := range shards {
		if len(steps) < 3 || steps[0].Name != "00001_catalog.sql" {
			t.Fatalf("got %+v", steps)
		}
		for _, step := range steps {
			if step.AppliedAt.IsZero() == made {
				t.Fatalf("want %t, got %+v", made, step)
			}
		}
	}
}

func TestMySQLCheck(t *testing.T) {
	t.Parallel()
	t.Run("has nothing to say about a server as it should be", func(t *testing.T) {
		t.Parallel()
		onStores(t, func(t *testing.T, open func(t *testing.T) *sqlstore.Store) {
			t.Helper()
			wantWarnings(t, open(t))
		})
	})
	t.Run("names every setting that may lose an order", func(t *testing.T) {
		t.Parallel()
		server := testenv.StartMariaDB(t)
		store := migratedOn(t, server)
		for _, setting := range []string{"innodb_flush_log_at_trx_commit = 2", "sql_mode = ''", "check_constraint_checks = 0"} {
			edit(t, store, 0, "SET GLOBAL "+setting)
		}
		fresh := open(t, serverConfig(dsnOf(t, store, server)))
		wantWarnings(t, fresh, "STRICT_TRANS_TABLES", "innodb_flush_log_at_trx_commit", "CHECK")
		if rows := countRows(t, fresh, "stock", "1 = 1"); rows != 0 {
			t.Fatal("the trial was left in the stock table")
		}
	})
	t.Run("compares the clocks of the shards", func(t *testing.T) {
		t.Parallel()
		c := mariadbConfig(t, 2)
		c.Shards[1].MySQL.DSN += "?timestamp=1700000000"
		wantWarnings(t, open(t, c), "its clock is", "its clock is")
	})
	t.Run("notices a schema that is behind", func(t *testing.T) {
		t.Parallel()
		store := open(t, serverConfig(env.MariaDB(t)))
		if err := store.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		edit(t, store, 0, "DELETE FROM goose_db_version WHERE version_id > 2")
		wantWarnings(t, store, "migrate it")
	})
}

// dsnOf names the database that a store on one server has.
func dsnOf(t *testing.T, store *sqlstore.Store, server *testenv.MariaDB) string {
	t.Helper()
	write, _, err := store.SQL(0)
	if err != nil {
		t.Fatal(err)
	}
	named := parseDSN(t, server.Database(t))
	if err := write.QueryRowContext(t.Context(), "SELECT DATABASE()").Scan(&named.DBName); err != nil {
		t.Fatal(err)
	}
	return named.FormatDSN()
}

// wantWarnings wants one warning for each word, in order.
func wantWarnings(t *testing.T, store *sqlstore.Store, words ...string) {
	t.Helper()
	var warnings []sqlstore.Warning
	var err error
	for shard := range store.Shards().Count() {
		found, failure := store.Check(t.Context(), shard)
		warnings, err = append(warnings, found...), errors.Join(err, failure)
	}
	if err != nil || len(warnings) != len(words) {
		t.Fatalf("got %v, %v", warnings, err)
	}
	for i, word := range words {
		if !strings.Contains(warnings[i].String(), word) {
			t.Errorf("want %q, got %q", word, warnings[i])
		}
	}
}

func TestMySQLDoubts(t *testing.T) {
	t.Parallel()
	good := func() map[string]string {
		return map[string]string{"sql_mode": "STRICT_TRANS_TABLES", "innodb_flush_log_at_trx_commit": "1", "wsrep_on": "OFF", "log_bin": "ON", "sync_binlog": "1"}
	}
	for version, old := range map[string]bool{
		"8.0.16": false, "8.0.15": true, "5.7.44-log": true, "8.4.0": false, "9.1.0": false,
		"10.11.19-MariaDB-0+deb12u1": false, "10.6.18-MariaDB": true, "11.4.2-MariaDB": false, "5.5.5-10.11.6-MariaDB": false,
		"8.0.11-TiDB-v7.5.0": false, "8.0.30-Vitess": false,
	} {
		if doubts := sqlstore.MySQLDoubts(version, good()); (len(doubts) > 0) != old {
			t.Errorf("%s: %v", version, doubts)
		}
	}
	for setting, value := range map[string]string{
		"wsrep_on": "ON", "sql_mode": "ANSI", "innodb_flush_log_at_trx_commit": "0", "sync_binlog": "0", "log_bin": "OFF",
	} {
		settings := good()
		settings[setting] = value
		if doubts := sqlstore.MySQLDoubts("8.0.36", settings); len(doubts) != 1 || !strings.Contains(doubts[0], setting) {
			t.Errorf("%s = %s: %v", setting, value, doubts)
		}
	}
	settings := good()
	settings["log_bin"] = "OFF" // TiDB has none, and shows nothing that it may lose
	if doubts := sqlstore.MySQLDoubts("8.0.11-TiDB-v7.5.0", settings); len(doubts) > 0 {
		t.Errorf("got %v", doubts)
	}
}
