package sqlstore_test

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// engine is a database that every suite runs on.
type engine struct {
	name string
	// fresh describes a store on databases that have no schema yet, or are empty.
	fresh func(t testing.TB, shards int) sqlstore.Config
	// shards are how many of them a product has on this database: one file, or several servers.
	shards int
}

func engines() []engine {
	return []engine{
		{"sqlite", func(t testing.TB, shards int) sqlstore.Config {
			t.Helper()
			return config(t.TempDir(), shards)
		}, 1},
		{"mariadb", mariadbConfig, 2},
	}
}

// open makes a fresh store that can make ids.
func (e engine) open(t testing.TB, shards int) *sqlstore.Store {
	t.Helper()
	return leased(t, e.fresh(t, shards))
}

// onEngines runs a test on every database.
func onEngines(t *testing.T, test func(t *testing.T, e engine)) {
	t.Helper()
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			test(t, e)
		})
	}
}

// onStores runs a suite on every database.
func onStores(t *testing.T, suite func(t *testing.T, open func(t *testing.T) *sqlstore.Store)) {
	t.Helper()
	onEngines(t, func(t *testing.T, e engine) {
		t.Helper()
		suite(t, func(t *testing.T) *sqlstore.Store {
			t.Helper()
			return e.open(t, e.shards)
		})
	})
}

// config describes a store in a folder.
func config(folder string, shards int) sqlstore.Config {
	c := sqlstore.Config{Clock: seckill.SystemClock{}, Log: slog.New(slog.DiscardHandler)}
	for i := range shards {
		c.Shards = append(c.Shards, sqlstore.ShardConfig{Path: filepath.Join(folder, fmt.Sprintf("shard %d?.db", i))})
	}
	return c
}

// openStore opens a fresh, migrated store that can make ids.
func openStore(t testing.TB, shards int) *sqlstore.Store {
	t.Helper()
	return leased(t, config(t.TempDir(), shards))
}

// leased opens a store as a process does at its start; databases that do not exist are made, migrated.
func leased(t testing.TB, c sqlstore.Config) *sqlstore.Store {
	t.Helper()
	if c.Shards[0].MySQL == nil {
		copyMigrated(t, c)
	}
	store := open(t, c)
	if err := errors.Join(store.Verify(t.Context()), store.IDs().Acquire(t.Context())); err != nil {
		t.Fatal(err)
	}
	return store
}

// copyMigrated makes the files that do not exist.
func copyMigrated(t testing.TB, c sqlstore.Config) {
	t.Helper()
	files := migrated(t, len(c.Shards))
	for i, shard := range c.Shards {
		if _, err := os.Stat(shard.Path); err == nil {
			continue
		}
		if err := os.WriteFile(shard.Path, files[i], 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// template is the files of a migrated, empty store: making them takes seconds with the race detector on, copying does
// not.
type template struct {
	once  sync.Once
	files [][]byte
}

var templates [3]template // by number of shards

func migrated(t testing.TB, shards int) [][]byte {
	t.Helper()
	made := &templates[shards]
	made.once.Do(func() {
		c := config(t.TempDir(), shards)
		store := open(t, c)
		if err := errors.Join(store.Migrate(t.Context()), store.Close()); err != nil {
			t.Fatal(err)
		}
		for _, shard := range c.Shards {
			file, err := os.ReadFile(shard.Path)
			if err != nil {
				t.Fatal(err)
			}
			made.files = append(made.files, file)
		}
	})
	if len(made.files) != shards {
		t.Fatal("the migrated files could not be made")
	}
	return made.files
}

func open(t testing.TB, c sqlstore.Config) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func TestOpen(t *testing.T) {
	t.Parallel()
	t.Run("makes a commit a promise", func(t *testing.T) {
		t.Parallel()
		write, read, err := openStore(t, 1).SQL(0)
		if err != nil {
			t.Fatal(err)
		}
		wantPragma(t, write, "journal_mode", "wal")
		wantPragma(t, write, "synchronous", "2")
		wantPragma(t, read, "query_only", "1")
	})
	t.Run("names the shard that cannot be opened", func(t *testing.T) {
		t.Parallel()
		c := config(t.TempDir(), 2)
		c.Shards[1].Path = filepath.Join(t.TempDir(), "missing", "file.db")
		if _, err := sqlstore.Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "shard 1") {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("makes files that nobody else may read", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		if err := open(t, config(folder, 2)).Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		files, err := os.ReadDir(folder)
		if err != nil || len(files) < 2 {
			t.Fatalf("%v, %v", files, err)
		}
		for _, file := range files {
			if info, err := file.Info(); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", file.Name(), info.Mode(), err)
			}
		}
	})
	t.Run("needs a shard", func(t *testing.T) {
		t.Parallel()
		if _, err := sqlstore.Open(t.Context(), config(t.TempDir(), 0)); err == nil {
			t.Fatal("a store without shards was opened")
		}
	})
}

// wantPragma wants a setting on every new connection of a pool.
func wantPragma(t *testing.T, pool *sql.DB, name, want string) {
	t.Helper()
	var got string
	if err := pool.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&got); err != nil || got != want {
		t.Fatalf("%s is %s, want %s; %v", name, got, want, err)
	}
}

func TestBucketMap(t *testing.T) {
	t.Parallel()
	migrate := func(t *testing.T, c sqlstore.Config) {
		t.Helper()
		if err := open(t, c).Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("is taken again as it was", func(t *testing.T) {
		t.Parallel()
		c := config(t.TempDir(), 2)
		migrate(t, c)
		migrate(t, c)
	})
	t.Run("is refused when it is another one", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		migrate(t, config(folder, 1))
		refused(t, open(t, config(folder, 2)).Migrate(t.Context()))
	})
	t.Run("is refused with the shards in another order", func(t *testing.T) {
		t.Parallel()
		c := config(t.TempDir(), 2)
		migrate(t, c)
		c.Shards[0], c.Shards[1] = c.Shards[1], c.Shards[0]
		refused(t, open(t, c).Verify(t.Context()))
	})
	t.Run("gives every shard a share of the buckets and every table a share of a shard", func(t *testing.T) {
		t.Parallel()
		for _, count := range []int{1, 2, 3, 7} {
			shards := open(t, config(t.TempDir(), count)).Shards()
			buckets := make([]int, count)
			for bucket := range seckill.Buckets {
				buckets[shards.Shard(bucket)]++
			}
			if slices.Max(buckets)-slices.Min(buckets) > 1 || shards.Count() != count {
				t.Fatalf("%d shards have %v buckets", count, buckets)
			}
		}
	})
}

// refused wants one sentence that names the shards.
func refused(t *testing.T, err error) {
	t.Helper()
	const key = "shards"
	if seckill.ReasonOf(err) != seckill.Invalid || !strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "\n") {
		t.Fatalf("want a refusal that names %q, got %v", key, err)
	}
}
