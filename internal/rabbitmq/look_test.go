package rabbitmq_test

import (
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/rabbitmq"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestAgeFollowsTheConsumersOfOtherProcesses(t *testing.T) {
	t.Parallel()
	config := configFor(t, env.RabbitMQ(t))
	config.Prefetch = 1
	deleteAfter(t, config)
	api, worker := openQueue(t, config), openQueue(t, config)
	mustPublish(t, api, "old")
	if state, err := api.Look(t.Context(), 0); err != nil || state.Ready != 1 {
		t.Fatalf("sees %+v, %v", state, err)
	}
	const waited = time.Second
	<-time.After(waited)
	eventually(t, "old is old", func() bool {
		state, err := api.Look(t.Context(), 0)
		return err == nil && state.Age >= waited
	})
	published := time.Now() // a message carries whole milliseconds
	mustPublish(t, api, "new", "newest")
	s := subscribe(t, worker)
	if err := s.Ack(t.Context(), []seckill.Delivery{receive(t, s)}); err != nil {
		t.Fatal(err)
	}
	receive(t, s) // and leaves the newest waiting
	eventually(t, "the newest is not older than it is", func() bool {
		state, err := api.Look(t.Context(), 0)
		return err == nil && state.Ready == 1 && state.Age <= time.Since(published)+time.Millisecond
	})
}

func TestAFreshBrokerIsUsedWithoutAWarning(t *testing.T) {
	t.Parallel()
	var log logBook
	config := configFor(t, env.RabbitMQ(t))
	config.Log, config.Lanes = log.logger(), 4
	deleteAfter(t, config)
	starting := make([]*rabbitmq.Queue, 3) // processes that start at once
	for i := range starting {
		starting[i] = openAway(t, config)
	}
	var workers sync.WaitGroup
	for _, q := range starting {
		for shard := range config.Shards {
			workers.Go(func() {
				if _, err := q.Subscribe(t.Context(), shard); err != nil {
					t.Error(err)
				}
			})
		}
	}
	workers.Wait()
	for _, q := range starting {
		if err := q.AwaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if log.has("level=WARN") || log.has("level=ERROR") {
		t.Errorf("complains:\n%s", log.text.String())
	}
}

func BenchmarkPublish(b *testing.B) {
	config := configFor(b, env.RabbitMQ(b))
	config.Lanes = 4
	deleteAfter(b, config)
	q := openQueue(b, config)
	body := make([]byte, 4<<10) // a batch of some fifty reservations
	b.SetParallelism(64)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := q.Publish(b.Context(), seckill.Outgoing{Batch: 1, Body: body}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
