package server

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// CreateDatabase makes a database under a random name on the server that a DSN names, and returns its own DSN.
func CreateDatabase(ctx context.Context, server string) (string, error) {
	c, err := mysql.ParseDSN(server)
	if err != nil {
		return "", errors.New("the DSN of the server cannot be read: write user:password@tcp(host:port)/")
	}
	c.DBName = "seckill_test_" + strings.ToLower(rand.Text())
	if err := AskMariaDB(ctx, server, "CREATE DATABASE "+c.DBName); err != nil {
		return "", err
	}
	return c.FormatDSN(), nil
}

// EnsureDatabase makes a database of that name, which the server may have already.
func (m *MariaDB) EnsureDatabase(ctx context.Context, name string) error {
	return AskMariaDB(ctx, m.DSN(), "CREATE DATABASE IF NOT EXISTS "+name)
}

// DropDatabase removes what CreateDatabase has made.
func DropDatabase(ctx context.Context, dsn string) error {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return err
	}
	return AskMariaDB(ctx, dsn, "DROP DATABASE "+c.DBName)
}

// AskMariaDB sends one statement over a connection of its own.
func AskMariaDB(ctx context.Context, dsn, statement string) error {
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
