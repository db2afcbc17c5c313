package sqlqueue_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlqueue"
)

// publishTo makes this test binary a process that publishes to the file it names, until it is killed.
const publishTo = "SECKILL_TEST_PUBLISH_TO"

func TestPublishedMessagesSurviveKill9(t *testing.T) {
	t.Parallel()
	const confirmedMin = 300
	path := filepath.Join(t.TempDir(), "queue.db")
	confirmed := publishAndKill(t, path, confirmedMin)

	q := openFile(t, path, handclock.New(), func(c *sqlqueue.Config) { c.Prefetch = 100 * confirmedMin })
	state, err := q.Look(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	s := q.subscribe(t)
	var deliveries []seckill.Delivery
	for range state.Ready {
		d := next(t, s)
		if !d.Redelivered {
			t.Errorf("says that it never handed out %s, which it cannot know", d.Body)
		}
		delete(confirmed, string(d.Body))
		deliveries = append(deliveries, d)
	}
	if err := s.Ack(t.Context(), deliveries); err != nil {
		t.Fatal(err)
	}
	q.await(t, "empty", func(s seckill.QueueState) bool { return s.Ready+s.Unacked == 0 })
	if len(confirmed) > 0 {
		t.Errorf("lost %d confirmed messages: %v", len(confirmed), confirmed)
	}
}

// publishAndKill starts the publishing process, kills it in the middle of its work and returns what it had confirmed.
func publishAndKill(t *testing.T, path string, confirmedMin int) map[string]bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testWithin)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0])
	child.Env = append(os.Environ(), publishTo+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	confirmed := map[string]bool{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		confirmed[lines.Text()] = true
		if len(confirmed) == confirmedMin {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || ctx.Err() != nil || len(confirmed) < confirmedMin {
		t.Fatalf("the publisher ended by itself after %d messages: %v", len(confirmed), err)
	}
	return confirmed
}

// publishUntilKilled writes the body of every confirmed message on a line of its own.
func publishUntilKilled(path string) {
	ctx := context.Background()
	q, err := sqlqueue.Open(ctx, sqlqueue.Config{
		Path: path, Shards: 1, IDs: &counter{}, Clock: seckill.SystemClock{}, Log: slog.Default(),
	})
	if err != nil {
		panic(err)
	}
	var publishers sync.WaitGroup
	for publisher := range 8 {
		publishers.Go(func() {
			for i := 0; ; i++ {
				body := fmt.Sprintf("publisher %d message %d", publisher, i)
				if err := q.Publish(ctx, seckill.Outgoing{Batch: 1, Item: 1, Epoch: 1, Body: []byte(body)}); err != nil {
					panic(err)
				}
				fmt.Fprintln(os.Stdout, body)
			}
		})
	}
	publishers.Wait()
}
