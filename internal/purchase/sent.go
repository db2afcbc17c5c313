package purchase

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// sentEvery trades Redis calls against replays that publish a batch once more. The relay looks after 2 s.
	sentEvery = 50 * time.Millisecond
	// sentBatch is how many batches one call names, sentQueueMax how many may wait; what is beyond is left to the relay.
	sentBatch    = 256
	sentQueueMax = 8192
)

// sentQueue holds the confirmed batches that Redis still counts as unsent.
type sentQueue struct {
	mu      sync.Mutex
	batches []seckill.ID
	dropped int
}

func (q *sentQueue) add(batch seckill.ID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.batches) >= sentQueueMax {
		q.dropped++
		return
	}
	q.batches = append(q.batches, batch)
}

func (q *sentQueue) take() (batches []seckill.ID, dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.batches), sentBatch)
	batches = append(batches, q.batches[:n]...)
	q.batches = q.batches[:copy(q.batches, q.batches[n:])]
	dropped, q.dropped = q.dropped, 0
	return batches, dropped
}

// flushSent tells Redis what is on the queue. What fails is not tried again: the relay publishes it once more, which is
// harmless, and tells Redis itself.
func (s *Service) flushSent(ctx context.Context) error {
	shelf := s.listings.Load()
	if shelf == nil {
		return nil
	}
	var failure error
	for _, l := range shelf.listed {
		if err := s.flushListing(ctx, l); err != nil {
			failure = err
		}
	}
	return failure
}

func (s *Service) flushListing(ctx context.Context, l *listing) error {
	for {
		batches, dropped := l.sent.take()
		if dropped > 0 {
			s.ports.Metrics.hit(BoundSent)
		}
		if len(batches) == 0 {
			return nil
		}
		if err := s.sendSent(ctx, l.id, batches); err != nil {
			return err
		}
	}
}

func (s *Service) sendSent(ctx context.Context, item seckill.ID, batches []seckill.ID) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.CallTimeout)
	defer cancel()
	if err := s.ports.Lent.Sent(ctx, item, batches); err != nil {
		return fmt.Errorf("mark %d batches of item %s sent: %w", len(batches), item, err)
	}
	return nil
}
