package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// rawFile opens an SQLite file without patience.
func rawFile(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_busy_timeout=0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestErrors(t *testing.T) {
	t.Parallel()
	t.Run("calls a locked file transient", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "locked.db")
		held, err := rawFile(t, path).BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer held.Rollback()
		_, err = rawFile(t, path).BeginTx(t.Context(), nil)
		if err == nil || !errors.Is(sqlstore.DBError(err), seckill.ErrTransient) {
			t.Fatalf("got %v", sqlstore.DBError(err))
		}
	})
	t.Run("calls a missing row not found", func(t *testing.T) {
		t.Parallel()
		if err := sqlstore.DBError(gorm.ErrRecordNotFound); !errors.Is(err, seckill.ErrNotFound) {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("calls a broken constraint neither", func(t *testing.T) {
		t.Parallel()
		_, err := rawFile(t, filepath.Join(t.TempDir(), "x.db")).ExecContext(t.Context(),
			"CREATE TABLE x (n INTEGER CHECK (n > 0)); INSERT INTO x (n) VALUES (0)")
		if mapped := sqlstore.DBError(err); err == nil || errors.Is(mapped, seckill.ErrTransient) || errors.Is(mapped, seckill.ErrNotFound) {
			t.Fatalf("got %v", mapped)
		}
	})
	t.Run("writes nothing when the deadline has passed", func(t *testing.T) {
		t.Parallel()
		accounts := sqlstore.Accounts{Store: openStore(t, 1)}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := accounts.Create(ctx, seckill.Account{ID: 1, User: "ann"}); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
		if _, err := accounts.Find(t.Context(), "ann"); !errors.Is(err, seckill.ErrNotFound) {
			t.Fatalf("got %v", err)
		}
	})
}

// A process's own clock decides nothing in SQL: the whole suite holds with one that is wrong by years.
func TestCatalogIgnoresTheProcessClock(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, e engine) {
		t.Helper()
		contract.Catalog(t, func(t *testing.T) seckill.Catalog {
			t.Helper()
			clock := newSetClock()
			clock.step(10 * 365 * 24 * time.Hour)
			c := e.fresh(t, 1)
			c.Clock = clock
			return sqlstore.Catalog{Store: leased(t, c)}
		})
	})
}
