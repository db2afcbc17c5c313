package sqlstore

import (
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	gormmysql "gorm.io/driver/mysql"
	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"
)

// MySQLConfig says how to reach one shard on a server.
type MySQLConfig struct {
	// DSN is user@tcp(host:port)/database, in the words of go-sql-driver; what this package relies on cannot be set there.
	DSN string
	// Password, when it is not empty, replaces the one in the DSNs.
	Password string
	// Replicas are DSNs of servers that follow this one. Only lists that may be some seconds old are read there.
	Replicas []string
	// Writers is how many transactions may write at once; Readers of ShardConfig is how many statements may read. 0 is the
	// default of each.
	Writers int
	readers int
	// ConnectTimeout, ReadTimeout and WriteTimeout bound what one step on the network may take; 0 is the default of each.
	ConnectTimeout, ReadTimeout, WriteTimeout time.Duration
	// TLS is nil for an unencrypted connection.
	TLS *tls.Config

	log *slog.Logger
}

const (
	mysqlWriters = 16
	mysqlReaders = 16

	mysqlConnectTimeout = 2 * time.Second
	mysqlReadTimeout    = 10 * time.Second
	mysqlWriteTimeout   = 5 * time.Second

	// mysqlIdle is after how long the server ends a writer that sends nothing: a stopped process must not keep the lock of
	// a stock row (trap 19). connIdle is after how long the pool gives an idle connection up, well before that.
	mysqlIdle = 10 * time.Second
	connIdle  = 5 * time.Second
	// mysqlLockWait is how long a statement waits for a row before the server says so: shorter than the guard's deadline
	// and the callers' own, after which the server would go on waiting for nobody, and a locked row would be taken for a
	// server that does not answer.
	mysqlLockWait = 3 * time.Second
	// mysqlSlowWrite is how long a statement may take besides. A COMMIT hears of no deadline, so that this is also how
	// long a server that stopped in the middle of one is waited for.
	mysqlSlowWrite = 3 * time.Second
)

// openMySQL makes the pools of a server: writers, readers of the same server, and its replicas. It connects to none: a
// server may be away while the others sell.
func openMySQL(config MySQLConfig) (*shard, error) {
	server, err := config.parse(config.DSN)
	if err != nil {
		return nil, err
	}
	sh := &shard{}
	sh.patient = func() (*sql.DB, error) { return config.connect(config.patient(server), 0) }
	if sh.write, err = config.pool(config.writer(server), orDefault(config.Writers, mysqlWriters)); err != nil {
		return nil, errors.Join(err, sh.close())
	}
	readers := orDefault(config.readers, mysqlReaders)
	if sh.read, err = config.pool(server, readers); err != nil {
		return nil, errors.Join(err, sh.close())
	}
	if err := config.addReplicas(sh, readers); err != nil {
		return nil, errors.Join(err, sh.close())
	}
	return sh, nil
}

// parse reads a DSN and sets what this package relies on. Its errors do not quote the DSN, which may hold a password.
func (c MySQLConfig) parse(dsn string) (*mysql.Config, error) {
	server, err := mysql.ParseDSN(dsn)
	if err != nil || server.DBName == "" {
		return nil, errors.New("the DSN cannot be read: write user@tcp(host:port)/database, and the password apart")
	}
	if c.Password != "" {
		server.Passwd = c.Password
	}
	if c.TLS != nil {
		server.TLS = c.TLS.Clone()
	}
	server.Timeout = orDefault(c.ConnectTimeout, mysqlConnectTimeout)
	server.ReadTimeout = orDefault(c.ReadTimeout, mysqlReadTimeout)
	server.WriteTimeout = orDefault(c.WriteTimeout, mysqlWriteTimeout)
	server.InterpolateParams = true // one round trip per statement
	server.ClientFoundRows = false  // affected rows are changed rows: conditional updates are judged by them
	server.MultiStatements = false
	server.CheckConnLiveness = true
	server.ParseTime = true // for goose; our own times are numbers
	server.Logger = quietLogger{log: c.log, server: server.Addr}
	return server, server.Apply(mysql.Charset("utf8mb4", "utf8mb4_bin"))
}

// writer is the server for writing: it forgets us when we are stopped, and a server that has become a replica is left.
func (MySQLConfig) writer(server *mysql.Config) *mysql.Config {
	writer := server.Clone()
	writer.RejectReadOnly = true
	writer.ReadTimeout = min(writer.ReadTimeout, mysqlLockWait+mysqlSlowWrite)
	writer.Params = maps.Clone(writer.Params)
	if writer.Params == nil {
		writer.Params = make(map[string]string)
	}
	for name, value := range map[string]time.Duration{
		"wait_timeout": mysqlIdle, "net_read_timeout": mysqlIdle, "net_write_timeout": mysqlIdle,
		"innodb_lock_wait_timeout": mysqlLockWait,
	} {
		writer.Params[name] = fmt.Sprintf("%d", int(value.Seconds()))
	}
	return writer
}

// patient is the server for statements that may take long.
func (MySQLConfig) patient(server *mysql.Config) *mysql.Config {
	patient := server.Clone()
	patient.ReadTimeout = 0
	return patient
}

// connect makes a pool; 0 connections is no limit.
func (MySQLConfig) connect(server *mysql.Config, connections int) (*sql.DB, error) {
	connector, err := mysql.NewConnector(server)
	if err != nil {
		return nil, scrub(err, server)
	}
	raw := sql.OpenDB(connector)
	raw.SetMaxOpenConns(connections)
	raw.SetMaxIdleConns(connections)
	raw.SetConnMaxIdleTime(connIdle)
	return raw, nil
}

// pool makes a pool for gorm.
func (c MySQLConfig) pool(server *mysql.Config, connections int) (*gorm.DB, error) {
	raw, err := c.connect(server, connections)
	if err != nil {
		return nil, err
	}
	db, err := gorm.Open(mysqlDialector(raw), gormConfig())
	if err != nil {
		return nil, errors.Join(scrub(err, server), raw.Close())
	}
	return db, nil
}

// mysqlDialector makes gorm speak to an open pool. Without RETURNING, which gorm uses on MariaDB and then miscounts; and
// without a look at the server's version, of which nothing here depends.
func mysqlDialector(raw *sql.DB) gorm.Dialector {
	return gormmysql.New(gormmysql.Config{Conn: raw, SkipInitializeWithVersion: true, DisableWithReturning: true})
}

// addReplicas lets dbresolver choose among the replicas for reads that do not insist on the primary. They are not asked
// whether they answer: a sale goes on without them.
func (c MySQLConfig) addReplicas(sh *shard, connections int) error {
	if len(c.Replicas) == 0 {
		return nil
	}
	var dialectors []gorm.Dialector
	for i, dsn := range c.Replicas {
		server, err := c.parse(dsn)
		if err != nil {
			return fmt.Errorf("replica %d: %w", i, err)
		}
		raw, err := c.connect(server, connections)
		if err != nil {
			return fmt.Errorf("replica %d: %w", i, err)
		}
		sh.replicas = append(sh.replicas, raw)
		dialectors = append(dialectors, mysqlDialector(raw))
	}
	return sh.read.Use(dbresolver.Register(dbresolver.Config{Replicas: dialectors}))
}

// scrub takes the password out of an error's words; the chain is kept for whoever has to classify it.
func scrub(err error, server *mysql.Config) error {
	if server.Passwd == "" || !strings.Contains(err.Error(), server.Passwd) {
		return err
	}
	return scrubbed{text: strings.ReplaceAll(err.Error(), server.Passwd, "***"), cause: err}
}

type scrubbed struct {
	text  string
	cause error
}

func (s scrubbed) Error() string { return s.text }

func (s scrubbed) Is(target error) bool { return errors.Is(s.cause, target) }

func (s scrubbed) As(target any) bool { return errors.As(s.cause, target) }

// quietLogger takes the driver's remarks on lost connections: what matters comes back as an error.
type quietLogger struct {
	log    *slog.Logger
	server string
}

// Print implements mysql.Logger.
func (l quietLogger) Print(words ...any) {
	l.log.Debug("mysql driver", "server", l.server, "says", fmt.Sprint(words...))
}

func orDefault[N int | time.Duration](value, standard N) N {
	if value == 0 {
		return standard
	}
	return value
}
