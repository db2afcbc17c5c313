package sqlstore_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// shardCounts are how many shards every contract suite runs on.
func shardCounts() []int { return []int{1, 2} }

// onShards runs a suite once per shard count.
func onShards(t *testing.T, suite func(t *testing.T, shards int)) {
	t.Helper()
	for _, shards := range shardCounts() {
		t.Run(fmt.Sprintf("%d shards", shards), func(t *testing.T) {
			t.Parallel()
			suite(t, shards)
		})
	}
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
func openStore(t *testing.T, shards int) *sqlstore.Store {
	t.Helper()
	store := open(t, config(t.TempDir(), shards))
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := store.IDs().Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

func open(t *testing.T, c sqlstore.Config) *sqlstore.Store {
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
		store := openStore(t, 1)
		write, read, err := store.SQL(0)
		if err != nil {
			t.Fatal(err)
		}
		var journal string
		var synchronous, queryOnly int
		for query, into := range map[string]any{"PRAGMA journal_mode": &journal, "PRAGMA synchronous": &synchronous} {
			if err := write.QueryRowContext(t.Context(), query).Scan(into); err != nil {
				t.Fatal(err)
			}
		}
		if err := read.QueryRowContext(t.Context(), "PRAGMA query_only").Scan(&queryOnly); err != nil {
			t.Fatal(err)
		}
		if journal != "wal" || synchronous != 2 || queryOnly != 1 {
			t.Fatalf("journal %s, synchronous %d, readers query only %d", journal, synchronous, queryOnly)
		}
	})
	t.Run("takes the same map again", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		for range 2 {
			store := open(t, config(folder, 2))
			if err := store.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Run("refuses another bucket map", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		if err := open(t, config(folder, 1)).Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		refused(t, open(t, config(folder, 2)).Migrate(t.Context()), "shards")
	})
	t.Run("refuses shards in another order", func(t *testing.T) {
		t.Parallel()
		c := config(t.TempDir(), 2)
		if err := open(t, c).Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.Shards[0], c.Shards[1] = c.Shards[1], c.Shards[0]
		refused(t, open(t, c).Verify(t.Context()), "shards")
	})
}

// refused wants one sentence that names the key.
func refused(t *testing.T, err error, key string) {
	t.Helper()
	if seckill.ReasonOf(err) != seckill.Invalid || !strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "\n") {
		t.Fatalf("want a refusal that names %q, got %v", key, err)
	}
}
