package app_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv/server"
)

// startShard starts a server with an empty database for a shard.
func startShard(t *testing.T) (*server.MariaDB, app.ShardConfig) {
	t.Helper()
	const database = "shop"
	shard, err := server.OpenMariaDB(t.Context(), server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(shard.Close)
	if err := shard.EnsureDatabase(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	return shard, app.ShardConfig{
		Address: shard.Addr(), Database: database,
		Login: app.LoginConfig{Username: shard.User(), Password: app.Secret(shard.Password())},
	}
}

// shardsOf describes a system of these shards.
func shardsOf(shards ...app.ShardConfig) app.Config {
	config := app.Defaults()
	config.Backend, config.Shards = app.BackendServices, shards
	return config
}

// nowhere is a shard where nobody listens.
func nowhere() app.ShardConfig {
	return app.ShardConfig{Address: "127.0.0.1:1", Database: "shop", Login: app.LoginConfig{Username: "shop"}}
}

// sink is a log that is read while it is written.
type sink struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *sink) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(line)
}

func (s *sink) has(words string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.text.String(), words)
}

func (s *sink) logger() *slog.Logger { return slog.New(slog.NewTextHandler(s, nil)) }

func TestArrival(t *testing.T) {
	t.Parallel()
	t.Run("starts without a shard that is away, and looks at it before it is used", startsWithoutAShard)
	t.Run("exits with a sentence when no shard answers", func(t *testing.T) {
		t.Parallel()
		_, err := app.AdmitShards(t, shardsOf(nowhere(), nowhere()), (&sink{}).logger())
		if err == nil || !strings.Contains(err.Error(), "none of them answers") {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("refuses a shard that answers and is not fit, whatever the others do", func(t *testing.T) {
		t.Parallel()
		_, empty := startShard(t)
		_, err := app.AdmitShards(t, shardsOf(empty, nowhere()), (&sink{}).logger())
		if err == nil || !strings.Contains(err.Error(), "migrate") {
			t.Fatalf("got %v", err)
		}
	})
}

func startsWithoutAShard(t *testing.T) {
	t.Parallel()
	_, first := startShard(t)
	server, second := startShard(t)
	config := shardsOf(first, second)
	var log sink
	if err := app.Migrate(t.Context(), config, log.logger()); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	backend, err := app.AdmitShards(t, config, log.logger())
	if err != nil {
		t.Fatal(err)
	}
	use := func(shard int) error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := backend.Marks.Now(ctx, shard)
		return err
	}
	if here, away := use(0), use(1); here != nil || !errors.Is(away, seckill.ErrUnavailable) {
		t.Fatalf("got %v, %v", here, away)
	}
	if err := server.RestartEmpty(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nobody says what is wrong with the shard", func() bool { _ = use(1); return log.has("cannot be used") })
	if err := use(1); !errors.Is(err, seckill.ErrUnavailable) {
		t.Fatalf("an empty shard was used: %v", err)
	}
	err = server.EnsureDatabase(t.Context(), second.Database)
	if err = errors.Join(err, app.Migrate(t.Context(), config, log.logger())); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the shard is never used again", func() bool { return use(1) == nil })
}

func eventually(t *testing.T, otherwise string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			t.Fatal(otherwise)
		}
	}
}
