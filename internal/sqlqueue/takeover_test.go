package sqlqueue_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlqueue"
	"github.com/seckill-dev/seckill/migrations"
)

const (
	oldFile   = "seckill.db"
	newFile   = "queue.db"
	oldRows   = 5
	oldDead   = 2
	patience  = time.Millisecond
	wholeFile = `SELECT (SELECT COUNT(*) FROM queue) + (SELECT COUNT(*) FROM dead_letters)`
)

// takeOverIn makes this test binary a process that opens the queue of the folder it names, which has an older version's.
const takeOverIn = "SECKILL_TEST_TAKE_OVER_IN"

func TestOpenTakesOverAnOlderVersionsQueue(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	old := oldQueue(t, folder)
	q := openAfter(t, folder)
	q.wantOld(t, oldRows)
	if n := count(t, old, wholeFile); n != 0 {
		t.Errorf("%d rows are left where they were", n)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	state, err := openAfter(t, folder).Look(t.Context(), 0)
	if err != nil || state.Ready != 0 || state.Dead != oldDead {
		t.Errorf("opened again: %+v, %v", state, err)
	}
}

func TestTakingOverIsRepeatedAfterKill9(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	old := oldQueue(t, folder)
	held, err := old.BeginTx(t.Context(), nil) // what is there can be copied, and not deleted
	if err != nil {
		t.Fatal(err)
	}
	killOnceCopied(t, folder)
	if err := held.Rollback(); err != nil {
		t.Fatal(err)
	}
	if n := count(t, old, wholeFile); n != oldRows+oldDead {
		t.Fatalf("%d rows are left: it was not killed before it deleted them", n)
	}
	openAfter(t, folder).wantOld(t, 2*oldRows)
	if n := count(t, old, wholeFile); n != 0 {
		t.Errorf("%d rows are left where they were", n)
	}
}

// wantOld wants the old messages in their order, as often as they were copied, and each dead letter once.
func (f *fixture) wantOld(t *testing.T, deliveries int) {
	t.Helper()
	s := f.subscribe(t)
	for i := range deliveries {
		d := next(t, s)
		if want := fmt.Sprint("old ", i%oldRows); string(d.Body) != want || !d.Redelivered {
			t.Errorf("delivered %+v, want %q", d, want)
		}
		f.ack(t, s, d)
	}
	f.await(t, "empty, with dead letters", func(s seckill.QueueState) bool {
		return s.Ready+s.Unacked == 0 && s.Dead == oldDead
	})
}

// oldQueue is the file of an older version in a folder, with messages and dead letters.
func oldQueue(t *testing.T, folder string) *sql.DB {
	t.Helper()
	db := byHand(t, filepath.Join(folder, oldFile))
	const name = "00004_queue.sql"
	content, err := migrations.SQLite.ReadFile("sqlite/" + name)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, fstest.MapFS{name: {Data: content}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := range oldRows {
		_, err := db.ExecContext(t.Context(), `INSERT INTO queue (shard, batch, item, epoch, enqueued_at, redeliveries, body)
			VALUES (0, 1, 1, 1, 0, 1, CAST(? AS BLOB))`, fmt.Sprint("old ", n))
		if err != nil {
			t.Fatal(err)
		}
	}
	for n := range oldDead {
		_, err := db.ExecContext(t.Context(), `INSERT INTO dead_letters (id, shard, cause, at, body)
			VALUES (?, 0, 'old', 0, CAST('dead' AS BLOB))`, n+1)
		if err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func openAfter(t *testing.T, folder string) *fixture {
	t.Helper()
	return openFile(t, filepath.Join(folder, newFile), handclock.New(), func(c *sqlqueue.Config) {
		c.Before, c.Prefetch = filepath.Join(folder, oldFile), 2*oldRows
	})
}

// killOnceCopied starts a process that takes over, and kills it when the copy is there.
func killOnceCopied(t *testing.T, folder string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testWithin)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0])
	child.Env = append(os.Environ(), takeOverIn+"="+folder)
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	copied := byHand(t, filepath.Join(folder, newFile))
	for ctx.Err() == nil {
		var rows int // there is no table at first
		if copied.QueryRowContext(ctx, `SELECT COUNT(*) FROM queue`).Scan(&rows) == nil && rows == oldRows {
			break
		}
		<-time.After(patience)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err == nil || ctx.Err() != nil {
		t.Fatalf("it ended by itself, or copied nothing: %v", err)
	}
}

func takeOverUntilKilled(folder string) {
	_, err := sqlqueue.Open(context.Background(), sqlqueue.Config{
		Path: filepath.Join(folder, newFile), Before: filepath.Join(folder, oldFile),
		Shards: 1, IDs: &counter{}, Clock: seckill.SystemClock{}, Log: slog.Default(),
	})
	panic(fmt.Sprint("opened, or gave up: ", err))
}

// byHand is a file as somebody opens it who is not the queue.
func byHand(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func count(t testing.TB, db *sql.DB, statement string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), statement).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
