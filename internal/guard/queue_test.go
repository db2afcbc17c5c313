package guard

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// fakeQueue publishes and is available as it is told, on every shard.
type fakeQueue struct{ publish, available error }

func (q *fakeQueue) Publish(context.Context, seckill.Outgoing) error { return q.publish }
func (q *fakeQueue) Available(int) error                             { return q.available }

func TestPublisher(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		queue := &fakeQueue{}
		options := Options{FailuresMax: 1, Rest: time.Second, ProbesMax: 2}
		p := NewPublisher(queue, []*Breaker{NewBreaker("queue 0", options), NewBreaker("queue 1", options)})
		want := func(shard int, isAvailable bool, when string) {
			t.Helper()
			if err := p.Available(shard); (err == nil) != isAvailable || err != nil && !errors.Is(err, seckill.ErrUnavailable) {
				t.Errorf("shard %d %s: %v", shard, when, err)
			}
		}
		want(0, true, "at first")
		queue.available = seckill.ErrUnavailable
		want(0, false, "when the queue is away")
		queue.available, queue.publish = nil, errBroken
		_ = p.Publish(t.Context(), seckill.Outgoing{})
		want(0, false, "while its breaker is open")
		want(1, true, "while the other's is")
		time.Sleep(time.Second + time.Millisecond) //nolint:forbidigo // the bubble's clock, not a wait
		want(0, true, "when the rest is over")
		queue.publish = nil
		for range 2 {
			if err := p.Publish(t.Context(), seckill.Outgoing{}); err != nil {
				t.Fatal(err)
			}
		}
		want(0, true, "when it works again")
	})
}
