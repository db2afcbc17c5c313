package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"

	"github.com/rogpeppe/go-internal/testscript"
)

const orderTables = 16

// withDatabase opens the tables in the data folder.
func withDatabase(ts *testscript.TestScript, do func(context.Context, *sql.Conn) error) {
	withFile(ts, "seckill.db", do)
}

// withFile opens a file of the data folder as a curious hand would: the driver is in the product already. Checks are off, or
// SQL would refuse half of what an audit has to find.
func withFile(ts *testscript.TestScript, name string, do func(context.Context, *sql.Conn) error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	file := filepath.Join(ts.Getenv("SECKILL_DATA"), name)
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(10000)&_pragma=ignore_check_constraints(1)")
	ts.Check(err)
	conn, err := db.Conn(ctx)
	ts.Check(err)
	ts.Check(errors.Join(do(ctx, conn), conn.Close(), db.Close()))
}

func query(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: query name select")
	}
	withDatabase(ts, func(ctx context.Context, conn *sql.Conn) error {
		var value string
		if err := conn.QueryRowContext(ctx, args[1]).Scan(&value); err != nil {
			return err
		}
		ts.Setenv(args[0], value)
		return nil
	})
}

func tamper(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tamper table assignments|away")
	}
	withDatabase(ts, func(ctx context.Context, conn *sql.Conn) error {
		table, key, row, err := findRow(ctx, conn, args[0])
		if err != nil {
			return err
		}
		change := fmt.Sprintf("UPDATE %s SET %s WHERE %s = '%s'", table, args[1], key, row)
		if args[1] == "away" {
			change = fmt.Sprintf("DELETE FROM %s WHERE %s = '%s'", table, key, row)
		}
		ts.Setenv("TABLE", table)
		ts.Setenv("ROW", row)
		_, err = conn.ExecContext(ctx, change)
		return err
	})
}

// findRow returns the first row of a table, of orders the first one of any of their tables.
func findRow(ctx context.Context, conn *sql.Conn, name string) (table, key, row string, err error) {
	tables, key := []string{name}, "id"
	switch name {
	case "stock":
		key = "item"
	case "dispatches":
		key = "event"
	case "orders":
		tables = nil
		for n := range orderTables {
			tables = append(tables, fmt.Sprintf("orders_%02d", n))
		}
	}
	for _, table := range tables {
		query := fmt.Sprintf("SELECT CAST(MIN(%s) AS TEXT) FROM %s HAVING COUNT(*) > 0", key, table)
		err = conn.QueryRowContext(ctx, query).Scan(&row)
		if err == nil {
			return table, key, row, nil
		}
	}
	return "", "", "", fmt.Errorf("find a row of %s: %w", name, err)
}

func compile(ts *testscript.TestScript, text string) *regexp.Regexp {
	pattern, err := regexp.Compile("(?m)" + text)
	ts.Check(err)
	return pattern
}
