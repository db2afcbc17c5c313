package sqlqueue_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlqueue"
)

func TestPublishSaysUnavailableWhenCertain(t *testing.T) {
	t.Parallel()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	broken, closed := open(t), open(t)
	if err := errors.Join(broken.write.Close(), closed.Close()); err != nil {
		t.Fatal(err)
	}
	message := seckill.Outgoing{Batch: 1, Item: 1, Epoch: 1, Body: []byte("x")}
	elsewhere := message
	elsewhere.Shard = 2
	for name, err := range map[string]error{
		"a caller that is gone":   open(t).Publish(gone, message),
		"a writer that is closed": broken.Publish(t.Context(), message),
		"a queue that is closed":  closed.Publish(t.Context(), message),
		"an unknown shard":        open(t).Publish(t.Context(), elsewhere),
	} {
		if !errors.Is(err, seckill.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPublishSaysUnknownToWhoStopsWaiting(t *testing.T) {
	t.Parallel()
	q := open(t)
	s := q.subscribe(t)
	busy, err := q.write.BeginTx(t.Context(), nil) // somebody has the writer
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*testLook)
	defer cancel()
	err = q.Publish(ctx, seckill.Outgoing{Batch: 1, Item: 1, Epoch: 1, Body: []byte("late")})
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, seckill.ErrUnavailable) {
		t.Errorf("answered %v", err)
	}
	if err := busy.Rollback(); err != nil {
		t.Fatal(err)
	}
	if d := next(t, s); string(d.Body) != "late" {
		t.Errorf("delivered %s", d.Body)
	}
}

func TestPublishTakesAnEmptyBody(t *testing.T) {
	t.Parallel()
	q := open(t)
	s := q.subscribe(t)
	for _, body := range [][]byte{{}, nil} {
		if err := q.Publish(t.Context(), seckill.Outgoing{Batch: 1, Item: 1, Epoch: 1, Body: body}); err != nil {
			t.Fatal(err)
		}
		if err := s.DeadLetter(t.Context(), next(t, s), "empty"); err != nil {
			t.Fatal(err)
		}
	}
	q.await(t, "two dead letters", func(s seckill.QueueState) bool { return s.Ready+s.Unacked == 0 && s.Dead == 2 })
}

func TestCloseCommitsWhatWasHandedIn(t *testing.T) {
	t.Parallel()
	q := open(t)
	s := q.subscribe(t)
	outcomes := make(chan error, 64)
	var publishers sync.WaitGroup
	for i := range cap(outcomes) {
		publishers.Go(func() {
			body := fmt.Append(nil, i)
			outcomes <- q.Publish(t.Context(), seckill.Outgoing{Batch: 1, Item: 1, Epoch: 1, Body: body})
		})
	}
	first := <-outcomes
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	publishers.Wait()
	confirmed := confirmedOf(t, first, outcomes)
	if n := rowsOf(t, q); n != confirmed {
		t.Errorf("has %d rows after %d confirmations", n, confirmed)
	}
	for range s.Deliveries() {
		t.Error("delivered after Close")
	}
	if _, err := q.Subscribe(t.Context(), 0); !errors.Is(err, seckill.ErrUnavailable) {
		t.Errorf("subscribed: %v", err)
	}
	if err := s.Ack(t.Context(), []seckill.Delivery{{Tag: 1}}); !errors.Is(err, seckill.ErrUnavailable) {
		t.Errorf("acknowledged: %v", err)
	}
}

func TestCloseWaitsForTheWriter(t *testing.T) {
	t.Parallel()
	q := open(t)
	busy, err := q.write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 { // one waits for the writer, one for the next transaction
		ctx, cancel := context.WithTimeout(t.Context(), 10*testLook)
		err := q.Publish(ctx, seckill.Outgoing{Batch: 1, Item: 1, Epoch: 1, Body: fmt.Append(nil, i)})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("answered %v", err)
		}
	}
	closed := make(chan error, 1)
	go func() { closed <- q.Close() }()
	for err = nil; !errors.Is(err, seckill.ErrUnavailable); {
		ctx, cancel := context.WithTimeout(t.Context(), 10*testLook)
		_, err = q.Drained(ctx, seckill.Stock{Item: 1, Epoch: 1})
		cancel()
	}
	if err := errors.Join(busy.Rollback(), <-closed); err != nil {
		t.Fatal(err)
	}
	if n := rowsOf(t, q); n != 2 {
		t.Errorf("has %d rows of 2 that were handed in", n)
	}
}

// confirmedOf counts the confirmations; whatever else was answered must be a certain no.
func confirmedOf(t *testing.T, first error, others chan error) int {
	t.Helper()
	close(others)
	confirmed := 0
	for _, err := range append(collect(others), first) {
		switch {
		case err == nil:
			confirmed++
		case !errors.Is(err, seckill.ErrUnavailable):
			t.Errorf("answered %v", err)
		}
	}
	return confirmed
}

func collect(errs <-chan error) []error {
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return all
}

// rowsOf counts the messages in the file of a queue that is closed.
func rowsOf(t *testing.T, q *fixture) int {
	t.Helper()
	return count(t, byHand(t, q.config.Path), `SELECT COUNT(*) FROM queue`)
}

func TestOpenRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	complete := open(t).config
	for name, change := range map[string]func(*sqlqueue.Config){
		"no path":          func(c *sqlqueue.Config) { c.Path = "" },
		"no ids":           func(c *sqlqueue.Config) { c.IDs = nil },
		"no clock":         func(c *sqlqueue.Config) { c.Clock = nil },
		"no log":           func(c *sqlqueue.Config) { c.Log = nil },
		"no shards":        func(c *sqlqueue.Config) { c.Shards = 0 },
		"a negative lease": func(c *sqlqueue.Config) { c.Lease = -1 },
		"a negative limit": func(c *sqlqueue.Config) { c.RedeliveriesMax = -1 },
		"no folder":        func(c *sqlqueue.Config) { c.Path = filepath.Join(t.TempDir(), "none", "queue.db") },
		"no older version": func(c *sqlqueue.Config) { c.Before = filepath.Join(t.TempDir(), "none.db") },
	} {
		config := complete
		change(&config)
		if _, err := sqlqueue.Open(t.Context(), config); err == nil {
			t.Errorf("opened with %s", name)
		}
	}
}

func BenchmarkPublish(b *testing.B) {
	for _, publishers := range []int{1, 64} {
		b.Run(fmt.Sprintf("publishers=%d", publishers), func(b *testing.B) {
			q := open(b)
			b.SetParallelism(publishers)
			body := make([]byte, 4096)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := q.Publish(b.Context(), seckill.Outgoing{Batch: 1, Item: 1, Epoch: 1, Body: body}); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
