package settle

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	redisTimeout = time.Second
	// newsMax is how much may wait to be told before settling waits for Redis.
	newsMax = 8
)

// news is what Redis is told after T1: batches that it may forget, and claims that somebody may wait for.
type news struct {
	settled []parcel
	decided []seckill.Claim
}

// tell tells until there is nothing more to come. It runs beside settling, which Redis can do without; what has piled up
// meanwhile is told together.
func (l *line) tell(ctx context.Context) {
	for n := range l.news {
		for range len(l.news) {
			more := <-l.news
			n.settled, n.decided = append(n.settled, more.settled...), append(n.decided, more.decided...)
		}
		l.tellOnce(ctx, n)
	}
}

func (l *line) tellOnce(ctx context.Context, n news) {
	ctx, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	l.worker.placer.announce(ctx, n.decided)
	l.tellRedis(ctx, n.settled)
}

// tellRedis drops settled batches from the outbox. A failure costs one republishing, which T1 recognises.
func (l *line) tellRedis(ctx context.Context, parcels []parcel) {
	batches := make(map[seckill.ID][]seckill.ID)
	for _, p := range parcels {
		batches[p.message.Item] = append(batches[p.message.Item], p.message.Batch)
	}
	for _, item := range slices.Sorted(maps.Keys(batches)) {
		if err := l.worker.ports.Lent.Settled(ctx, item, batches[item]); err != nil {
			l.worker.ports.Log.Info("settled batches stay in the outbox for now", "item", item, "error", err)
		}
	}
}
