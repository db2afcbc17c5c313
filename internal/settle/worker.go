package settle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Ports are what the worker works on.
type Ports struct {
	Consumer      seckill.Consumer
	Claims        seckill.Claims
	Orders        seckill.Orders
	Catalog       seckill.Catalog
	Lent          seckill.Lent
	Announcements seckill.Announcements
	Shards        seckill.Shards
	Clock         seckill.Clock
	Log           *slog.Logger
	// Lanes is how many T1 one subscription has under way at once, 0 the default. One is best where the database has a single
	// writer: more would only keep others from it.
	Lanes int
	// DeadLettered counts what was moved to the dead letters; may be nil.
	DeadLettered func(poison Poison)
}

// Poison is why something became a dead letter: a closed list, for metrics.
type Poison string

// The kinds of poison.
const (
	Undecodable Poison = "undecodable" // the bytes are no message
	Misrouted   Poison = "misrouted"   // its item lives on another shard
	Unclaimable Poison = "unclaimable" // one reservation: its id is doubled, or SQL takes it neither held nor rejected
	Ahead       Poison = "ahead"       // its epoch or item is not in SQL
)

const (
	backoffFirst   = 50 * time.Millisecond
	backoffLongest = 2 * time.Second
	settleTimeout  = 10 * time.Second
)

// Worker settles the queues of all home shards.
type Worker struct {
	ports  Ports
	placer *placer
}

// NewWorker returns a worker; several may run, in one process or in many.
func NewWorker(ports Ports) *Worker {
	if ports.Lanes == 0 {
		ports.Lanes = lanesDefault
	}
	return &Worker{ports: ports, placer: newPlacer(ports)}
}

// Run settles until ctx ends, then finishes the batch in hand.
func (w *Worker) Run(ctx context.Context) error {
	var consumers sync.WaitGroup
	for shard := range w.ports.Shards.Count() {
		consumers.Go(func() { w.consumeShard(ctx, shard) })
	}
	consumers.Wait()
	return nil
}

// consumeShard keeps one subscription open; a subscription that ends is opened again with backoff.
func (w *Worker) consumeShard(ctx context.Context, shard int) {
	wait := backoffFirst
	for ctx.Err() == nil {
		settled, err := w.subscribe(ctx, shard)
		if ctx.Err() != nil {
			return
		}
		if settled {
			wait = backoffFirst
		}
		w.ports.Log.Warn("subscription ended", "shard", shard, "error", err)
		wait = w.pause(ctx, wait)
	}
}

var errEnded = errors.New("the connection is lost, or the queue is gone")

// subscribe opens one subscription and settles what it delivers until it ends; it reports whether anything came.
func (w *Worker) subscribe(ctx context.Context, shard int) (bool, error) {
	subscription, err := w.ports.Consumer.Subscribe(ctx, shard)
	if err != nil {
		return false, fmt.Errorf("subscribe to shard %d: %w", shard, err)
	}
	line := newLine(ctx, w, shard, subscription)
	defer line.close()
	err = line.run(ctx)
	return line.settled, err
}

// pause waits with jitter and returns the next, longer wait.
func (w *Worker) pause(ctx context.Context, wait time.Duration) time.Duration {
	select {
	case <-w.ports.Clock.After(wait/2 + rand.N(wait/2)):
	case <-ctx.Done():
	}
	return min(2*wait, backoffLongest)
}

// retry repeats do until it succeeds, is poisoned, or ctx ends. SQL may be away for a long time; the messages stay
// leased here meanwhile, and T1 makes a redelivery to somebody else harmless.
func (w *Worker) retry(ctx context.Context, what string, shard int, do func(context.Context) error) error {
	wait := backoffFirst
	for {
		attempt, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
		err := do(attempt)
		cancel()
		if err == nil || errors.Is(err, seckill.ErrPoison) {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s on shard %d, given up at shutdown: %w", what, shard, err)
		}
		level := slog.LevelWarn
		if wait == backoffLongest {
			level = slog.LevelError // it has lasted for a while: somebody should look
		}
		if wait > backoffFirst {
			w.ports.Log.Log(ctx, level, "settling waits for the database", "doing", what, "shard", shard, "error", err)
		}
		wait = w.pause(ctx, wait)
	}
}
