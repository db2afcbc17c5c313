package contract

import (
	"context"
	"sync"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// queueCrowd has several publishers and consumers at work; one consumer gives everything back in the middle.
func queueCrowd(t *testing.T, q QueueFixture) {
	t.Helper()
	const publishers, consumers, each = 4, 3, 100
	var (
		work, publishing sync.WaitGroup
		lock             sync.Mutex
		settled          = map[string]bool{}
	)
	ctx, stop := context.WithCancel(t.Context())
	defer work.Wait()
	defer stop()
	quitter := q.subscribe(t, 0)
	for range consumers {
		s := q.subscribe(t, 0)
		work.Go(func() {
			settleAll(ctx, t, s, func(body []byte) {
				lock.Lock()
				defer lock.Unlock()
				settled[string(body)] = true
			})
		})
	}
	published := make([][]seckill.Outgoing, publishers)
	for i := range published {
		publishing.Go(func() { published[i] = q.publishMany(ctx, t, each) })
	}
	receive(t, quitter)
	if err := quitter.Close(); err != nil {
		t.Error(err)
	}
	publishing.Wait()
	// What the quitter gave back may be on its way, where no look sees it.
	q.awaitState(t, "empty, with everything settled", func(s seckill.QueueState) bool {
		lock.Lock()
		defer lock.Unlock()
		return s.Ready+s.Unacked == 0 && len(settled) == publishers*each
	})
	stop()
	work.Wait()
	for _, messages := range published {
		for _, m := range messages {
			if !settled[string(m.Body)] {
				t.Errorf("lost %s", m.Body)
			}
		}
	}
}

// publishMany publishes on a goroutine of its own.
func (f QueueFixture) publishMany(ctx context.Context, t testing.TB, count int) []seckill.Outgoing {
	t.Helper()
	messages := make([]seckill.Outgoing, count)
	for i := range messages {
		messages[i] = newMessage()
		if err := f.Publish(ctx, messages[i]); err != nil {
			t.Error(err)
		}
	}
	return messages
}

// settleAll notes each message before it acknowledges it, until ctx ends.
func settleAll(ctx context.Context, t testing.TB, s seckill.Subscription, note func(body []byte)) {
	t.Helper()
	for {
		select {
		case d := <-s.Deliveries():
			note(d.Body)
			if err := s.Ack(ctx, []seckill.Delivery{d}); err != nil && ctx.Err() == nil {
				t.Error(err)
				return
			}
		case <-ctx.Done():
			return
		}
	}
}
