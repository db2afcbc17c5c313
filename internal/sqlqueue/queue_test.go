package sqlqueue_test

import (
	"database/sql"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlqueue"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(publishTo); path != "" {
		publishUntilKilled(path)
	}
	if folder := os.Getenv(takeOverIn); folder != "" {
		takeOverUntilKilled(folder)
	}
	goleak.VerifyTestMain(m)
}

func TestQueue(t *testing.T) {
	t.Parallel()
	contract.Queue(t, func(t *testing.T) contract.QueueFixture {
		t.Helper()
		return open(t).contract()
	})
}

const (
	testLease    = 10 * time.Second
	testPrefetch = 8
)

// fixture is a queue on a file of its own, with a clock that the test moves.
type fixture struct {
	*sqlqueue.Queue
	write  *sql.DB
	clock  *handclock.Clock
	config sqlqueue.Config
}

func open(t testing.TB) *fixture {
	t.Helper()
	return openFile(t, filepath.Join(t.TempDir(), "queue.db"), handclock.New(), nil)
}

// openWith opens a queue whose settings the test changes.
func openWith(t testing.TB, change func(*sqlqueue.Config)) *fixture {
	t.Helper()
	return openFile(t, filepath.Join(t.TempDir(), "queue.db"), handclock.New(), change)
}

func openFile(t testing.TB, path string, clock *handclock.Clock, change func(*sqlqueue.Config)) *fixture {
	t.Helper()
	config := sqlqueue.Config{
		Path: path, Shards: 2, IDs: &counter{}, Clock: clock,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Lease: testLease, Prefetch: testPrefetch,
	}
	if change != nil {
		change(&config)
	}
	q, err := sqlqueue.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
	return &fixture{Queue: q, write: q.Writer(), clock: clock, config: config}
}

// crash opens what a kill -9 would leave at this moment: a copy of the files without any goodbye.
func (f *fixture) crash(t testing.TB) *fixture {
	t.Helper()
	left := filepath.Join(t.TempDir(), "queue.db")
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(f.config.Path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(left+suffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return openFile(t, left, f.clock, func(c *sqlqueue.Config) {
		c.RedeliveriesMax, c.Prefetch, c.IDs = f.config.RedeliveriesMax, f.config.Prefetch, f.config.IDs
	})
}

func (f *fixture) contract() contract.QueueFixture {
	return contract.QueueFixture{
		Publisher: f, Consumer: f, QueueWatch: f, DeadLetterDesk: f, Prefetch: testPrefetch,
		Lose:  func(testing.TB, seckill.Subscription) { f.clock.Advance(testLease) },
		Crash: func(t testing.TB) contract.QueueFixture { t.Helper(); return f.crash(t).contract() },
		Close: f.Close,
		Pass:  f.clock.Advance,
	}
}

// counter makes ids that count up.
type counter struct{ last atomic.Int64 }

func (c *counter) Next(int) (seckill.ID, error) { return seckill.ID(c.last.Add(1)), nil }
