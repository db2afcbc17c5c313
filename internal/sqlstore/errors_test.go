package sqlstore_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// fromMySQL is an error of the server, wrapped as callers wrap it.
func fromMySQL(number uint16) error {
	return fmt.Errorf("write: %w", &mysql.MySQLError{Number: number, Message: "says the server"})
}

func cutErrors() []error {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	return []error{mysql.ErrInvalidConn, io.ErrUnexpectedEOF, fmt.Errorf("read: %w", refused)}
}

func TestMySQLErrors(t *testing.T) {
	t.Parallel()
	t.Run("pass when the server or the way to it is to blame", func(t *testing.T) {
		t.Parallel()
		failures := append(cutErrors(), driver.ErrBadConn)
		for _, number := range []uint16{1213, 1205, 1317, 1053, 1040, 1290, 1836, 1792, 9007} {
			failures = append(failures, fromMySQL(number))
		}
		for _, err := range failures {
			if mapped := sqlstore.DBError(err); !errors.Is(mapped, seckill.ErrTransient) || !errors.Is(mapped, err) {
				t.Errorf("%v became %v", err, mapped)
			}
		}
	})
	t.Run("do not pass when the statement, the data or the caller is to blame", func(t *testing.T) {
		t.Parallel()
		for _, err := range []error{
			fromMySQL(1064), fromMySQL(3819), fromMySQL(4025), fromMySQL(1406), fromMySQL(1062), fromMySQL(1045),
			context.DeadlineExceeded, context.Canceled,
		} {
			if errors.Is(sqlstore.DBError(err), seckill.ErrTransient) {
				t.Errorf("%v is called transient", err)
			}
		}
	})
}

// A taken key is not poison: somebody wrote that row meanwhile, and who repeats the call will see it.
func TestMySQLErrorsThatOnlyTheDataCanCause(t *testing.T) {
	t.Parallel()
	for _, number := range []uint16{3819, 4025, 1406, 1264, 1366} {
		if err := sqlstore.RefusedData(fromMySQL(number)); !errors.Is(err, seckill.ErrPoison) {
			t.Errorf("%d became %v", number, err)
		}
	}
	if err := sqlstore.RefusedData(fromMySQL(1062)); !errors.Is(err, seckill.ErrTransient) || errors.Is(err, seckill.ErrPoison) {
		t.Errorf("a taken key became %v", err)
	}
}

func TestMySQLCommitErrors(t *testing.T) {
	t.Parallel()
	t.Run("are unknown when the answer is lost or says nothing", func(t *testing.T) {
		t.Parallel()
		for _, err := range append(cutErrors(), fromMySQL(1053), fromMySQL(1317), fromMySQL(1180), context.DeadlineExceeded) {
			mapped := sqlstore.CommitError(err)
			if !sqlstore.IsUnknownCommit(mapped) || errors.Is(mapped, seckill.ErrTransient) {
				t.Errorf("%v became %v", err, mapped)
			}
			if again := sqlstore.Repeatable(mapped); !errors.Is(again, seckill.ErrTransient) {
				t.Errorf("may not be repeated: %v", again)
			}
		}
	})
	t.Run("pass when the server has rolled back, or nothing was sent", func(t *testing.T) {
		t.Parallel()
		for _, err := range []error{fromMySQL(1213), fromMySQL(1290), fromMySQL(9007), driver.ErrBadConn} {
			mapped := sqlstore.CommitError(err)
			if sqlstore.IsUnknownCommit(mapped) || !errors.Is(mapped, seckill.ErrTransient) {
				t.Errorf("%v became %v", err, mapped)
			}
		}
	})
}

// Every constraint of the schema is enforced by the real server, and told apart.
func TestMySQLRefusesBadRows(t *testing.T) {
	t.Parallel()
	store := openMariaDB(t)
	b := newBench(t, store, 10, 10)
	t.Run("a claim that fits no column", func(t *testing.T) {
		t.Parallel()
		m := b.message(t, 1)
		m.Reservations[0].KeyHash = "much longer than any hash can be"
		if _, err := b.Claims.Settle(t.Context(), 0, []seckill.Message{m}, nil); !errors.Is(err, seckill.ErrPoison) {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("an order for nothing", func(t *testing.T) {
		t.Parallel()
		user := b.user(1)
		order := seckill.NewOrder{ID: b.id(t, user.Bucket()), Item: b.item, User: user, Currency: "EUR", PayWithin: 1}
		if err := b.Orders.Place(t.Context(), 0, []seckill.NewOrder{order}); !errors.Is(err, seckill.ErrPoison) {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("a stock row that oversells, which is nobody's poison", func(t *testing.T) {
		t.Parallel()
		write, _, err := store.SQL(0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = write.ExecContext(t.Context(), "UPDATE stock SET claimed = 11 WHERE item = ?", b.item)
		if mapped := sqlstore.DBError(err); err == nil || errors.Is(mapped, seckill.ErrTransient) || errors.Is(mapped, seckill.ErrPoison) {
			t.Fatalf("got %v", mapped)
		}
	})
}
