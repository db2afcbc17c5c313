package rabbitmq_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/rabbitmq"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv"
)

var env testenv.Env

func TestMain(m *testing.M) { os.Exit(env.Main(m)) }

const testPrefetch = 8

func TestQueue(t *testing.T) {
	t.Parallel()
	contract.Queue(t, func(t *testing.T) contract.QueueFixture {
		t.Helper()
		config := configFor(t, env.RabbitMQ(t))
		deleteAfter(t, config)
		return fixture(t, config)
	})
}

func fixture(t testing.TB, config rabbitmq.Config) contract.QueueFixture {
	t.Helper()
	q := openQueue(t, config)
	return contract.QueueFixture{
		Publisher: q, Consumer: q, QueueWatch: q, DeadLetterDesk: q, Prefetch: testPrefetch,
		Lose: func(t testing.TB, s seckill.Subscription) {
			t.Helper()
			rabbitmq.Cut(s)
		},
		Crash: func(t testing.TB) contract.QueueFixture {
			t.Helper()
			q.Crash()
			return fixture(t, config)
		},
		Close: q.Close,
		Pass:  func(d time.Duration) { <-time.After(d) },
	}
}

// configFor is a queue of its own on a broker that others use too.
func configFor(t testing.TB, urls ...string) rabbitmq.Config {
	t.Helper()
	return rabbitmq.Config{
		URLs: urls, Name: t.Name(), Prefix: "test." + rand.Text(), Shards: 2, Lanes: 2, Prefetch: testPrefetch,
		Clock: seckill.SystemClock{}, Log: slog.New(slog.DiscardHandler),
	}
}

const (
	readyWithin = 60 * time.Second
	pollEvery   = 5 * time.Millisecond
)

// openQueue opens a queue that is ready and ends with the test.
func openQueue(t testing.TB, config rabbitmq.Config) *rabbitmq.Queue {
	t.Helper()
	q := openAway(t, config)
	ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
	defer cancel()
	if err := q.AwaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	return q
}

// openAway opens a queue whose broker may be away.
func openAway(t testing.TB, config rabbitmq.Config) *rabbitmq.Queue {
	t.Helper()
	q, err := rabbitmq.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
	return q
}

// deleteAfter leaves nothing of a test on a broker that is not the tests' own. On one that is nothing may be deleted: doing
// so while a connection that has just ended still declares the queue ends RabbitMQ 3.10's supervisor of dead lettering,
// and from then on no queue gets a leader.
func deleteAfter(t testing.TB, config rabbitmq.Config) {
	t.Helper()
	if os.Getenv(testenv.URLRabbitMQ) == "" {
		return
	}
	t.Cleanup(func() {
		conn, err := amqp.Dial(config.URLs[0])
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		channel, err := conn.Channel()
		if err != nil {
			t.Error(err)
			return
		}
		for _, name := range []string{".orders.0", ".orders.1", ".dead.0", ".dead.1"} {
			_, err = channel.QueueDelete(config.Prefix+name, false, false, false)
			if err != nil {
				t.Error(err)
			}
		}
		for _, name := range []string{".dead", ".progress"} {
			if err := channel.ExchangeDelete(config.Prefix+name, false, false); err != nil {
				t.Error(err)
			}
		}
	})
}

// logBook is a log that a test reads.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBook) has(text string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Contains(b.text.String(), text)
}

func (b *logBook) count(text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.text.String(), text)
}

func (b *logBook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

func message(body string) seckill.Outgoing { return seckill.Outgoing{Batch: 1, Body: []byte(body)} }

// publish publishes within a second, as a purchase does.
func publish(t testing.TB, q *rabbitmq.Queue, m seckill.Outgoing) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	return q.Publish(ctx, m)
}

func mustPublish(t testing.TB, q *rabbitmq.Queue, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if err := publish(t, q, message(body)); err != nil {
			t.Fatal(err)
		}
	}
}

// eventually polls until done says so.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	deadline := time.After(readyWithin)
	for !done() {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("not within %v: %s", readyWithin, what)
		}
	}
}

// awaitAvailable waits until messages can be published again.
func awaitAvailable(t testing.TB, q *rabbitmq.Queue) {
	t.Helper()
	var last error
	defer func() {
		if last != nil {
			t.Logf("the last answer was: %v", last)
		}
	}()
	eventually(t, "publishing works again", func() bool {
		last = publish(t, q, message("probe"))
		return last == nil
	})
}

// subscribe opens a subscription as a worker does: again and again until it works.
func subscribe(t testing.TB, q *rabbitmq.Queue) seckill.Subscription {
	t.Helper()
	var s seckill.Subscription
	eventually(t, "a subscription", func() bool {
		var err error
		s, err = q.Subscribe(t.Context(), 0)
		return err == nil
	})
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// receive waits for the next delivery.
func receive(t testing.TB, s seckill.Subscription) seckill.Delivery {
	t.Helper()
	select {
	case d, open := <-s.Deliveries():
		if !open {
			t.Fatal("the subscription ended")
		}
		return d
	case <-time.After(readyWithin):
		t.Fatal("nothing was delivered")
	}
	return seckill.Delivery{}
}

// wantUnavailable wants the certainty that nothing was stored.
func wantUnavailable(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, seckill.ErrUnavailable) {
		t.Fatalf("want %v, got %v", seckill.ErrUnavailable, err)
	}
}

// wantUnknown wants an error that leaves the outcome open.
func wantUnknown(t testing.TB, err error) {
	t.Helper()
	if err == nil || errors.Is(err, seckill.ErrUnavailable) {
		t.Fatalf("want an unknown outcome, got %v", err)
	}
}
