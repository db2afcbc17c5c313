package sqlstore

import (
	"context"
	"database/sql/driver"
	"fmt"

	"modernc.org/sqlite"
)

// keptMax is how many statements a connection keeps: those of all tables that settling writes, in all their lengths.
const keptMax = 128

// keepingConnector opens SQLite connections that keep the statements of the hot batches: to read a statement of hundreds of
// rows costs a third of what it does.
type keepingConnector struct{ driver.Connector }

func newKeepingConnector(dsn string) (keepingConnector, error) {
	connector, err := sqlite.NewConnector(dsn)
	return keepingConnector{connector}, err
}

// Connect implements driver.Connector.
func (c keepingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	plain, ok := opened.(plainConn)
	if !ok {
		return nil, fmt.Errorf("a connection of %T cannot all that is needed", opened)
	}
	return &keepingConn{plainConn: plain, kept: make(map[string]keptStmt)}, nil
}

// plainConn is what database/sql uses of the driver's connection.
type plainConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type keptStmt interface {
	driver.Stmt
	driver.StmtExecContext
}

// keepingConn writes manyRows with statements that it has read before. database/sql lets one caller at a time use it.
type keepingConn struct {
	plainConn
	kept map[string]keptStmt
}

// manyRows are the argument of an insert that the connection cuts into statements that it keeps.
type manyRows struct {
	insert  insert
	columns int
	values  []any // int64 and string, row after row
}

// CheckNamedValue implements driver.NamedValueChecker.
func (c *keepingConn) CheckNamedValue(value *driver.NamedValue) error {
	if _, many := value.Value.(manyRows); many {
		return nil
	}
	return driver.ErrSkip
}

// ExecContext implements driver.ExecerContext.
func (c *keepingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if len(args) == 1 {
		if rows, many := args[0].Value.(manyRows); many {
			return c.execRows(ctx, rows)
		}
	}
	return c.plainConn.ExecContext(ctx, query, args)
}

// execRows stops at the first statement that is refused. What was written before stays: it is for transactions only.
func (c *keepingConn) execRows(ctx context.Context, rows manyRows) (driver.Result, error) {
	var written int64
	for left := rows.values; len(left) > 0; {
		size := chunkOf(len(left) / rows.columns)
		args := left[:size*rows.columns]
		left = left[len(args):]
		count, err := c.execKept(ctx, rows.insert.statement(size), args)
		if err != nil {
			return nil, err
		}
		written += count
	}
	return driver.RowsAffected(written), nil
}

// chunkOf is how many of these rows the next statement takes: few lengths, so that each is soon kept.
func chunkOf(rows int) int {
	switch {
	case rows >= 100:
		return 100
	case rows >= 10:
		return 10
	default:
		return 1
	}
}

func (c *keepingConn) execKept(ctx context.Context, statement string, values []any) (changed int64, err error) {
	stmt, err := c.keep(ctx, statement)
	if err != nil {
		return 0, err
	}
	args := make([]driver.NamedValue, len(values))
	for i, value := range values {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: value}
	}
	result, err := stmt.ExecContext(ctx, args)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (c *keepingConn) keep(ctx context.Context, query string) (keptStmt, error) {
	if stmt, known := c.kept[query]; known {
		return stmt, nil
	}
	if len(c.kept) >= keptMax {
		if err := c.drop(); err != nil {
			return nil, err
		}
	}
	prepared, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	stmt, ok := prepared.(keptStmt)
	if !ok {
		return nil, fmt.Errorf("a statement of %T cannot be kept", prepared)
	}
	c.kept[query] = stmt
	return stmt, nil
}

func (c *keepingConn) drop() error {
	for query, stmt := range c.kept {
		delete(c.kept, query)
		if err := stmt.Close(); err != nil {
			return err
		}
	}
	return nil
}

// Close implements driver.Conn.
func (c *keepingConn) Close() error {
	failed := c.drop()
	if err := c.plainConn.Close(); err != nil {
		return err
	}
	return failed
}
