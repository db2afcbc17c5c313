package sqlstore_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

var errOwn = errors.New("its own")

// numbers is a table in a store of one file, and what is in it.
func numbers(t *testing.T) (store *sqlstore.Store, there func() int) {
	t.Helper()
	store = openStore(t, 1)
	write, read, err := store.SQL(0)
	if err == nil {
		_, err = write.ExecContext(t.Context(), "CREATE TABLE numbers (n INTEGER PRIMARY KEY)")
	}
	if err != nil {
		t.Fatal(err)
	}
	return store, func() (count int) {
		if err := read.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM numbers").Scan(&count); err != nil {
			t.Fatal(err)
		}
		return count
	}
}

func add(tx *gorm.DB, n int) error { return tx.Exec("INSERT INTO numbers VALUES (?)", n).Error }

// together runs transactions that wait for each other, so that they share a commit in this order, and returns what they return.
func together(t *testing.T, store *sqlstore.Store, does ...func(tx *gorm.DB) error) []error {
	t.Helper()
	failures := make([]error, len(does))
	begun, free := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		_ = store.InTx(t.Context(), func(*gorm.DB) error { // the others gather behind it
			close(begun)
			<-free
			return nil
		})
	})
	<-begun
	for i, do := range does {
		all.Go(func() { failures[i] = store.InTx(t.Context(), do) })
		for store.Grouped(0) <= i {
			runtime.Gosched()
		}
	}
	close(free)
	all.Wait()
	return failures
}

func TestCommitGroup(t *testing.T) {
	t.Parallel()
	t.Run("keeps what one writes and nothing of one that fails", func(t *testing.T) {
		t.Parallel()
		store, there := numbers(t)
		failures := together(t, store,
			func(tx *gorm.DB) error { return add(tx, 1) },
			func(tx *gorm.DB) error { return errors.Join(add(tx, 2), errOwn) },
			func(tx *gorm.DB) error { return errors.Join(add(tx, 3), add(tx, 3)) },
			func(tx *gorm.DB) error { return add(tx, 4) },
		)
		if failures[0] != nil || !errors.Is(failures[1], errOwn) || failures[2] == nil || failures[3] != nil {
			t.Errorf("failures: %v", failures)
		}
		if count := there(); count != 2 {
			t.Errorf("%d rows, want 2", count)
		}
	})
	t.Run("rolls all back, and says so, when one ends the whole transaction", func(t *testing.T) {
		t.Parallel()
		store, there := numbers(t)
		wantNothing(t, there, together(t, store,
			func(tx *gorm.DB) error { return add(tx, 1) },
			func(tx *gorm.DB) error { return errors.Join(tx.Exec("ROLLBACK").Error, errOwn) },
		))
		if err := store.InTx(t.Context(), func(tx *gorm.DB) error { return add(tx, 9) }); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
	t.Run("tells nobody that another one has done it already when that is rolled back", func(t *testing.T) {
		t.Parallel()
		store, there := numbers(t)
		seen := 0
		failures := together(t, store,
			func(tx *gorm.DB) error { return add(tx, 1) },
			func(tx *gorm.DB) error {
				if err := tx.Raw("SELECT COUNT(*) FROM numbers").Scan(&seen).Error; err != nil {
					return err
				}
				return errOwn
			},
			func(tx *gorm.DB) error { return tx.Exec("ROLLBACK").Error },
		)
		if seen != 1 {
			t.Errorf("saw %d rows: this proves nothing", seen)
		}
		wantNothing(t, there, failures)
	})
}

// wantNothing holds that nothing was written, and that all hear just that.
func wantNothing(t *testing.T, there func() int, failures []error) {
	t.Helper()
	for i, err := range failures {
		if !errors.Is(err, seckill.ErrTransient) || errors.Is(err, errOwn) {
			t.Errorf("transaction %d hears %v", i, err)
		}
	}
	if count := there(); count != 0 {
		t.Errorf("%d rows", count)
	}
}

func TestPanicInACommitGroup(t *testing.T) {
	t.Parallel()
	t.Run("gives a panic to its caller and to nobody else", func(t *testing.T) {
		t.Parallel()
		store, there := numbers(t)
		var panicked any
		failures := together(t, store,
			func(tx *gorm.DB) error { return add(tx, 1) },
			func(tx *gorm.DB) error { return add(tx, 2) },
		)
		func() {
			defer func() { panicked = recover() }()
			_ = store.InTx(t.Context(), func(tx *gorm.DB) error {
				_ = add(tx, 3)
				panic("own")
			})
		}()
		if panicked != "own" || errors.Join(failures...) != nil || there() != 2 {
			t.Errorf("panic %v, %v, %d rows", panicked, failures, there())
		}
	})
}

func TestCommitGroupOfACrowd(t *testing.T) {
	t.Parallel()
	t.Run("begins nothing for who has left, and keeps every promise", func(t *testing.T) {
		t.Parallel()
		const crowd = 200
		store, there := numbers(t)
		gone, leave := context.WithCancel(t.Context())
		leave()
		var all sync.WaitGroup
		failures := make([]error, crowd)
		for n := range crowd {
			ctx := t.Context()
			if n%2 == 1 {
				ctx = gone
			}
			all.Go(func() { failures[n] = store.InTx(ctx, func(tx *gorm.DB) error { return add(tx, n) }) })
		}
		all.Wait()
		for n, err := range failures {
			if (err == nil) != (n%2 == 0) {
				t.Errorf("transaction %d: %v", n, err)
			}
		}
		if count := there(); count != crowd/2 {
			t.Errorf("%d rows, want %d", count, crowd/2)
		}
	})
}
