package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/go-sql-driver/mysql"
	"gorm.io/gorm"
	"modernc.org/sqlite"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// failure is what a database's error means for whoever sent the statement.
type failure int

const (
	otherFailure failure = iota
	// passingFailure: the server or the way to it is to blame; the statement was not carried out, or its transaction is
	// rolled back because no commit follows.
	passingFailure
	// refusedFailure: a CHECK, a length, a type or NOT NULL refuses the data; on SQLite a unique key as well.
	refusedFailure
	// takenFailure: a unique key is taken. What the row's owner wrote can be read now.
	takenFailure
	// missingFailure: the table does not exist.
	missingFailure
)

// errUnknownCommit says that a commit was sent and its answer lost: the transaction happened or it did not.
var errUnknownCommit = errors.New("the outcome of the commit is unknown")

// dbError turns a driver's error into the domain's: passing ones wrap seckill.ErrTransient, a missing row is
// seckill.ErrNotFound, everything else stays as it is.
func dbError(err error) error {
	switch {
	case err == nil || errors.Is(err, seckill.ErrTransient):
		return err
	case errors.Is(err, gorm.ErrRecordNotFound):
		return seckill.ErrNotFound
	case failureOf(err) == passingFailure:
		return fmt.Errorf("%w: %w", seckill.ErrTransient, err)
	default:
		return err
	}
}

// commitError is dbError for what COMMIT answers. A server that refuses has rolled back; one that does not answer may
// have committed.
func commitError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, driver.ErrBadConn): // the driver's word for "nothing was sent"
		return dbError(err)
	case answered(err):
		return dbError(err)
	default:
		return fmt.Errorf("%w: %w", errUnknownCommit, err)
	}
}

// answered says that the error is the server's own and one after which nothing is committed.
func answered(err error) bool {
	var inFile *sqlite.Error
	var fromServer *mysql.MySQLError
	switch {
	case errors.As(err, &inFile):
		return true
	case errors.As(err, &fromServer):
		kind := mysqlFailure(fromServer.Number)
		return kind != otherFailure && fromServer.Number != mysqlShutdown && fromServer.Number != mysqlInterrupted
	default:
		return false
	}
}

// repeatable turns an unknown outcome into a passing failure, for calls that do no more when they are made again.
func repeatable(err error) error {
	if errors.Is(err, errUnknownCommit) {
		return fmt.Errorf("%w: %w", seckill.ErrTransient, err)
	}
	return err
}

// refusedData is dbError for statements whose constraints judge nothing but the data given. A taken key is not poison:
// somebody wrote that row in the meantime, and who repeats the call will see it.
func refusedData(err error) error {
	switch failureOf(err) {
	case refusedFailure:
		return fmt.Errorf("%w: %w", seckill.ErrPoison, err)
	case takenFailure:
		return fmt.Errorf("%w: %w", seckill.ErrTransient, err)
	default:
		return dbError(err)
	}
}

func failureOf(err error) failure {
	var inFile *sqlite.Error
	var fromServer *mysql.MySQLError
	switch {
	case errors.As(err, &inFile):
		return sqliteFailure(inFile.Code())
	case errors.As(err, &fromServer):
		return mysqlFailure(fromServer.Number)
	case isCut(err):
		return passingFailure
	default:
		return otherFailure
	}
}

// silence is the error if it means that nobody answered: the way to the server is cut, the server turns callers away, or
// the deadline came first. All else that a server says is an answer. A caller who gave up proves neither; what counts
// silences has to tell context.Canceled apart.
func silence(err error) error {
	var fromServer *mysql.MySQLError
	switch {
	case errors.As(err, &fromServer):
		if fromServer.Number == mysqlShutdown || fromServer.Number == mysqlFull {
			return err
		}
		return nil
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), isCut(err):
		return err
	default:
		return nil
	}
}

// Away says that the error means a shard that does not answer.
func Away(err error) bool { return silence(err) != nil }

// isCut says that the connection could not be made or was lost.
func isCut(err error) bool {
	for _, cut := range []error{
		driver.ErrBadConn, mysql.ErrInvalidConn, mysql.ErrPktSync, mysql.ErrPktSyncMul, mysql.ErrMalformPkt,
		mysql.ErrBusyBuffer, io.EOF, io.ErrUnexpectedEOF,
	} {
		if errors.Is(err, cut) {
			return true
		}
	}
	// The caller's own deadline is a net.Error too; it says nothing about the server.
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return false
	}
	var network net.Error
	return errors.As(err, &network)
}

// Primary result codes of SQLite, https://www.sqlite.org/rescode.html.
const (
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqliteFull       = 13
	sqliteConstraint = 19
	sqlitePrimary    = 0xff
)

func sqliteFailure(code int) failure {
	switch code & sqlitePrimary {
	case sqliteBusy, sqliteLocked, sqliteFull:
		return passingFailure
	case sqliteConstraint:
		return refusedFailure
	default:
		return otherFailure
	}
}

// Some of MySQL's error numbers. The first two say nothing about a commit that was under way.
const (
	mysqlShutdown    = 1053
	mysqlInterrupted = 1317
	mysqlFull        = 1040 // too many connections
	mysqlDeadlock    = 1213
)

// isDeadlock says that the transaction was rolled back because it and another one waited for each other.
func isDeadlock(err error) bool {
	var fromServer *mysql.MySQLError
	return errors.As(err, &fromServer) && fromServer.Number == mysqlDeadlock
}

// mysqlFailure sorts the server's error numbers, https://dev.mysql.com/doc/mysql-errors/8.0/en/ and
// https://mariadb.com/kb/en/mariadb-error-codes/; those above 8000 are TiDB's.
func mysqlFailure(number uint16) failure {
	switch number {
	case mysqlDeadlock, 1205, 1020, // also lock wait, the row has changed under the snapshot
		mysqlInterrupted, mysqlShutdown, 1927, 1969, 3024, // killed, shutting down, out of time
		mysqlFull, 1203, 1226, // too many connections, or too many of this user
		1290, 1792, 1836, // read only: a failover is under way
		1021, 1114, // disk or table space full
		1412,                                                 // the table is being changed
		8002, 8005, 8022, 8028, 9001, 9002, 9003, 9005, 9007: // TiDB: write conflict, schema change, its stores are away
		return passingFailure
	case 3819, 4025, // a CHECK on MySQL, on MariaDB
		1406, 1264, 1265, 1366, 1048: // too long, out of range, truncated, not text, NULL
		return refusedFailure
	case 1062, 1586:
		return takenFailure
	case 1146:
		return missingFailure
	default:
		return otherFailure
	}
}

// ServerRefusal is what a server has against what it is asked to open.
type ServerRefusal int

// What RefusalOf tells apart.
const (
	NotRefused ServerRefusal = iota
	LoginRefused
	DatabaseUnknown
)

// RefusalOf says whether an error is a server's word about a login or a database.
func RefusalOf(err error) ServerRefusal {
	var refused *mysql.MySQLError
	if !errors.As(err, &refused) {
		return NotRefused
	}
	switch refused.Number {
	case 1045, 1698, 1044: // access denied, to the server or to the database
		return LoginRefused
	case 1049:
		return DatabaseUnknown
	default:
		return NotRefused
	}
}
