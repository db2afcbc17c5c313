package app_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv"
)

// shardsOn describes a system whose shards are databases of these servers.
func shardsOn(t *testing.T, servers ...*testenv.MariaDB) app.Config {
	t.Helper()
	config := app.Defaults()
	config.Backend = app.BackendServices
	for _, server := range servers {
		dsn, err := mysql.ParseDSN(server.Database(t))
		if err != nil {
			t.Fatal(err)
		}
		config.Shards = append(config.Shards, app.ShardConfig{
			Address: dsn.Addr, Database: dsn.DBName, Login: app.LoginConfig{Username: dsn.User, Password: app.Secret(dsn.Passwd)},
		})
	}
	return config
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
		config := app.Defaults()
		config.Backend = app.BackendServices
		for range 2 {
			config.Shards = append(config.Shards, app.ShardConfig{Address: "127.0.0.1:1", Database: "shop", Login: app.LoginConfig{Username: "shop"}})
		}
		_, err := app.AdmitShards(t, config, (&sink{}).logger())
		if err == nil || !strings.Contains(err.Error(), "none of them answers") {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("refuses a shard that answers and is not fit, whatever the others do", func(t *testing.T) {
		t.Parallel()
		config := shardsOn(t, testenv.StartMariaDB(t))
		config.Shards = append(config.Shards, app.ShardConfig{Address: "127.0.0.1:1", Database: "shop", Login: app.LoginConfig{Username: "shop"}})
		_, err := app.AdmitShards(t, config, (&sink{}).logger())
		if err == nil || !strings.Contains(err.Error(), "migrate") {
			t.Fatalf("got %v", err)
		}
	})
}

func startsWithoutAShard(t *testing.T) {
	t.Parallel()
	first, second := testenv.StartMariaDB(t), testenv.StartMariaDB(t)
	config := shardsOn(t, first, second)
	var log sink
	if err := app.Migrate(t.Context(), config, log.logger()); err != nil {
		t.Fatal(err)
	}
	second.Kill(t)
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
	second.RestartEmpty(t)
	eventually(t, "nobody says what is wrong with the shard", func() bool { _ = use(1); return log.has("cannot be used") })
	if err := use(1); !errors.Is(err, seckill.ErrUnavailable) {
		t.Fatalf("an empty shard was used: %v", err)
	}
	createDatabase(t, config.Shards[1])
	if err := app.Migrate(t.Context(), config, log.logger()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the shard is never used again", func() bool { return use(1) == nil })
}

// createDatabase makes an empty database of the shard's name.
func createDatabase(t *testing.T, shard app.ShardConfig) {
	t.Helper()
	server := mysql.NewConfig()
	server.Net, server.Addr, server.User, server.Passwd = "tcp", shard.Address, shard.Login.Username, string(shard.Login.Password)
	db, err := sql.Open("mysql", server.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "CREATE DATABASE "+shard.Database); err != nil {
		t.Fatal(err)
	}
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
