package keeper

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	lookMax      = time.Second
	queueAgeMax  = 5 * time.Second
	watchingsMax = 10_000
)

// CountedDrain says whether a sealing epoch is drained when the queue cannot be asked: a dead worker's unacknowledged
// messages are invisible and come back late (trap 2). It compares what api processes were told by Redis (marks, and the
// messages' own `sold`) with what settling has accounted for.
type CountedDrain struct {
	ports Ports

	mu    sync.Mutex
	quiet map[seckill.ID]quiet
}

// quiet is how long a healthy queue has brought no claim of an epoch.
type quiet struct {
	epoch     int64
	claimedAt time.Time
	looked    time.Time
	total     time.Duration
}

var _ seckill.Drain = (*CountedDrain)(nil)

// NewCountedDrain returns the drain for queues in another process.
func NewCountedDrain(ports Ports) *CountedDrain {
	return &CountedDrain{ports: ports, quiet: make(map[seckill.ID]quiet)}
}

// Drained is done when every process that may have promised something has written its marks after close and everything
// they were told is accounted for; or, for what nobody accounts for any more, after a healthy queue brought nothing for
// long enough.
func (d *CountedDrain) Drained(ctx context.Context, stock seckill.Stock) (seckill.Drained, error) {
	complete, err := d.marksComplete(ctx, stock)
	if err != nil {
		return seckill.Drained{}, err
	}
	highest, err := d.ports.Marks.Highest(ctx, stock.Item, stock.Epoch)
	if err != nil {
		return seckill.Drained{}, fmt.Errorf("read marks: %w", err)
	}
	target := max(stock.High, highest)
	if complete && stock.Accounted >= target {
		return seckill.Drained{Done: true, Target: target}, nil
	}
	healthy, err := d.queueHealthy(ctx, stock.Item)
	if err != nil {
		return seckill.Drained{}, err
	}
	return seckill.Drained{Done: d.look(stock, healthy) >= seckill.DrainQuiet, Target: target}, nil
}

// marksComplete: heartbeats are read before the marks, so a mark written with a heartbeat begun after close is seen.
func (d *CountedDrain) marksComplete(ctx context.Context, stock seckill.Stock) (bool, error) {
	closed := closeOf(stock)
	beats, err := d.ports.Marks.Heartbeats(ctx, seckill.HomeShard(d.ports.Shards, stock.Item), closed.Add(-seckill.BeatLookback))
	if err != nil {
		return false, fmt.Errorf("read heartbeats: %w", err)
	}
	for _, beat := range beats {
		if !beat.Left && !beat.Begun.After(closed) {
			return false, nil
		}
	}
	return true, nil
}

func (d *CountedDrain) queueHealthy(ctx context.Context, item seckill.ID) (bool, error) {
	queue, err := d.ports.Queue.Look(ctx, seckill.HomeShard(d.ports.Shards, item))
	if err != nil {
		return false, fmt.Errorf("look at the queue: %w", err)
	}
	return queue.Consumers > 0 && queue.Age < queueAgeMax, nil
}

// look adds the time since the last look, at most a second of it: time in which nobody looked proves nothing (trap 30).
func (d *CountedDrain) look(stock seckill.Stock, healthy bool) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.ports.Clock.Now()
	q, known := d.quiet[stock.Item]
	if !known || q.epoch != stock.Epoch || !q.claimedAt.Equal(stock.ClaimedAt) {
		if len(d.quiet) >= watchingsMax {
			clear(d.quiet)
		}
		d.quiet[stock.Item] = quiet{epoch: stock.Epoch, claimedAt: stock.ClaimedAt, looked: now}
		return 0
	}
	if healthy {
		q.total += min(now.Sub(q.looked), lookMax)
	}
	q.looked = now
	d.quiet[stock.Item] = q
	return q.total
}
