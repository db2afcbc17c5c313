package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// mariadbConfig describes a store on empty databases of the package's server, all of whose tables are made.
func mariadbConfig(t testing.TB, shards int) sqlstore.Config {
	t.Helper()
	databases := emptyDatabases.take(t, shards)
	t.Cleanup(func() { emptyDatabases.give(shards, databases) })
	return serverConfig(databases...)
}

// serverConfig describes a store on databases of servers.
func serverConfig(dsns ...string) sqlstore.Config {
	c := sqlstore.Config{Clock: seckill.SystemClock{}, Log: slog.New(slog.DiscardHandler)}
	for _, dsn := range dsns {
		c.Shards = append(c.Shards, sqlstore.ShardConfig{MySQL: &sqlstore.MySQLConfig{DSN: dsn, Writers: 8}, Readers: 8})
	}
	return c
}

// databases are sets of migrated databases that no test uses at the moment, by how many shards they are: emptying the
// tables that a test has written to is ten times faster than making them.
type databases struct {
	mu   sync.Mutex
	free map[int][][]string
}

var emptyDatabases = databases{free: make(map[int][][]string)}

func (d *databases) take(t testing.TB, shards int) []string {
	t.Helper()
	if dsns := d.pop(shards); dsns != nil {
		return dsns
	}
	var dsns []string
	for range shards {
		dsns = append(dsns, env.MariaDB(t))
	}
	store := open(t, serverConfig(dsns...))
	if err := errors.Join(store.Migrate(t.Context()), store.Close()); err != nil {
		t.Fatal(err)
	}
	return dsns
}

func (d *databases) pop(shards int) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	free := d.free[shards]
	if len(free) == 0 {
		return nil
	}
	d.free[shards] = free[:len(free)-1]
	return free[len(free)-1]
}

// give empties databases for the next test. What cannot be emptied is not used again.
func (d *databases) give(shards int, dsns []string) {
	for _, dsn := range dsns {
		if emptyTables(dsn) != nil {
			return
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.free[shards] = append(d.free[shards], dsns)
}

func emptyTables(dsn string) error {
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	tables := []string{
		"payments", "charges", "refunds",
		"sales", "items", "accounts", "audit_log", "nodes", "stock", "stock_moves", "claims", "marks", "outbox", "order_events",
		"events", "dispatches", "sale_summaries",
	}
	for i := range 16 {
		tables = append(tables, fmt.Sprintf("orders_%02d", i))
	}
	for _, table := range tables {
		if _, err := db.ExecContext(context.Background(), "DELETE FROM "+table); err != nil {
			return err
		}
	}
	return nil
}
