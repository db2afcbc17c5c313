package rabbitmq_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/rabbitmq"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv"
)

// TestABrokerThatFails breaks one broker in one way after the other: starting one takes seconds.
func TestABrokerThatFails(t *testing.T) {
	t.Parallel()
	broker := testenv.StartRabbitMQ(t)
	for _, it := range []struct {
		does string
		test func(t *testing.T, broker *testenv.RabbitMQ, q *rabbitmq.Queue, log *logBook)
	}{
		{"peers: no lost order: refuses an unroutable message for certain, and makes room for the next", losesItsQueue},
		{"closes admission when it blocks publishers before anybody has published, with one alarm", blocksPublishers},
		{"ends the subscription of a queue that is deleted", losesTheConsumersQueue},
		{"delivers on when a queue was deleted and is there again at once", losesAndFindsTheQueue},
		{"closes admission of the shard whose queue confirms nothing, and of no other", suspendsAQueue},
		{"leaves the outcome unknown when a queue refuses, and stays connected", refuses},
		{"leaves the outcome unknown while it hangs, and keeps what it took", hangs},
		{"is given up when it says nothing for two heartbeats", saysNothing},
		{"shows depth and age again when it is back, and nothing while it is away", isLookedAt},
		{"has everything it confirmed after a kill -9, leased or not", isKilled},
		{"gets new queues after it came back empty", comesBackEmpty},
	} {
		t.Run(it.does, func(t *testing.T) {
			var log logBook
			config := configFor(t, broker.URL())
			config.Log, config.Heartbeat = log.logger(), time.Second
			it.test(t, broker, openQueue(t, config), &log)
		})
	}
}

func losesItsQueue(t *testing.T, broker *testenv.RabbitMQ, q *rabbitmq.Queue, log *logBook) {
	t.Helper()
	mustPublish(t, q, "gone with its queue")
	broker.DeleteQueue(t, q.OrdersQueue(0))
	wantUnavailable(t, publish(t, q, message("unroutable")))
	if !log.has("level=ERROR msg=\"rabbitmq has lost a queue") {
		t.Error("raises no alarm")
	}
	awaitAvailable(t, q)
	broker.DeleteQueue(t, q.OrdersQueue(0))
	confirmed := publishCrowd(t, q)
	mustPublish(t, q, "last")
	confirmed["last"] = true
	s := subscribe(t, q)
	for len(confirmed) > 0 {
		d := receive(t, s)
		if string(d.Body) == "unroutable" {
			t.Error("delivered what was refused")
		}
		delete(confirmed, string(d.Body))
		if err := s.Ack(t.Context(), []seckill.Delivery{d}); err != nil {
			t.Fatal(err)
		}
	}
}

// publishCrowd publishes from many sides until enough is confirmed, and returns that.
func publishCrowd(t *testing.T, q *rabbitmq.Queue) map[string]bool {
	t.Helper()
	const publishers, each = 20, 20
	var (
		publishing sync.WaitGroup
		lock       sync.Mutex
		confirmed  = map[string]bool{}
	)
	for publisher := range publishers {
		publishing.Go(func() {
			for i, done := 0, 0; done < each && t.Context().Err() == nil; i++ {
				body := fmt.Sprintf("%d of %d", i, publisher)
				if publish(t, q, message(body)) != nil {
					continue
				}
				done++
				lock.Lock()
				confirmed[body] = true
				lock.Unlock()
			}
		})
	}
	publishing.Wait()
	return confirmed
}

func blocksPublishers(t *testing.T, broker *testenv.RabbitMQ, q *rabbitmq.Queue, log *logBook) {
	t.Helper()
	mustPublish(t, q, "1", "2", "3")
	broker.BlockPublishers(t)
	defer broker.UnblockPublishers(t)
	began := time.Now()
	awaitAdmission(t, q, false)
	t.Logf("admission closed %v after the alarm", time.Since(began))
	began = time.Now()
	wantUnavailable(t, publish(t, q, message("never sent")))
	if took := time.Since(began); took > 500*time.Millisecond {
		t.Errorf("took %v", took)
	}
	s := subscribe(t, q) // consuming goes on
	for range 3 {
		d := receive(t, s)
		if err := s.Ack(t.Context(), []seckill.Delivery{d}); err != nil {
			t.Error(err)
		}
	}
	if _, err := q.Look(t.Context(), 0); err != nil {
		t.Errorf("looking while it blocks: %v", err)
	}
	broker.UnblockPublishers(t)
	awaitAdmission(t, q, true)
	mustPublish(t, q, "4")
	if alarms := log.count("level=ERROR"); alarms != 1 || !log.has("rabbitmq blocks publishers") {
		t.Errorf("raises %d alarms", alarms)
	}
}

func losesTheConsumersQueue(t *testing.T, broker *testenv.RabbitMQ, q *rabbitmq.Queue, _ *logBook) {
	t.Helper()
	s := subscribe(t, q)
	broker.DeleteQueue(t, q.OrdersQueue(0))
	awaitEnd(t, s)
	s = subscribe(t, q) // declares it again
	mustPublish(t, q, "m")
	receive(t, s)
}

// losesAndFindsTheQueue has a publisher that declares the queue again before the broker has told its consumers.
func losesAndFindsTheQueue(t *testing.T, broker *testenv.RabbitMQ, q *rabbitmq.Queue, _ *logBook) {
	t.Helper()
	worker := newSettler(t, q)
	for n := range 2 {
		publishing, stop := context.WithCancel(t.Context())
		var body atomic.Value
		body.Store("before")
		var publisher sync.WaitGroup
		publisher.Go(func() {
			for publishing.Err() == nil {
				_ = q.Publish(publishing, message(body.Load().(string)))
			}
		})
		broker.DeleteQueue(t, q.OrdersQueue(0))
		after := fmt.Sprint("after ", n) // what the broker confirms while it deletes a queue may be gone with it
		body.Store(after)
		eventually(t, "the new queue is settled", func() bool { return worker.has(after) })
		stop()
		publisher.Wait()
	}
}

// settler subscribes and acknowledges as a worker does.
type settler struct {
	opened atomic.Int64
	mu     sync.Mutex
	bodies map[string]bool
}

func newSettler(t *testing.T, q *rabbitmq.Queue) *settler {
	t.Helper()
	s := &settler{bodies: map[string]bool{}}
	ctx, stop := context.WithCancel(t.Context())
	var working sync.WaitGroup
	working.Go(func() {
		for ctx.Err() == nil {
			subscription, err := q.Subscribe(ctx, 0)
			if err != nil {
				continue
			}
			s.opened.Add(1)
			s.settle(ctx, subscription)
			_ = subscription.Close()
		}
	})
	t.Cleanup(func() { stop(); working.Wait() })
	return s
}

func (s *settler) settle(ctx context.Context, subscription seckill.Subscription) {
	for {
		select {
		case d, open := <-subscription.Deliveries():
			if !open {
				return
			}
			s.mu.Lock()
			s.bodies[string(d.Body)] = true
			s.mu.Unlock()
			_ = subscription.Ack(ctx, []seckill.Delivery{d})
		case <-ctx.Done():
			return
		}
	}
}

func (s *settler) has(body string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bodies[body]
}

func suspendsAQueue(t *testing.T, broker *testenv.RabbitMQ, q *rabbitmq.Queue, _ *logBook) {
	t.Helper()
	broker.SuspendQueue(t, q.OrdersQueue(0))
	wantUnknown(t, publish(t, q, message("taken late")))
	wantUnavailable(t, q.Available(0))
	other := message("of shard 1")
	other.Shard = 1
	if err := errors.Join(q.Available(1), publish(t, q, other)); err != nil {
		t.Errorf("shard 1: %v", err)
	}
	broker.ResumeQueue(t, q.OrdersQueue(0))
	awaitAdmission(t, q, true)
	if d := receive(t, subscribe(t, q)); string(d.Body) != "taken late" {
		t.Errorf("delivered %q", d.Body)
	}
}

func refuses(t *testing.T, broker *testenv.RabbitMQ, q *rabbitmq.Queue, log *logBook) {
	t.Helper()
	mustPublish(t, q, "1")
	broker.LimitQueue(t, q.OrdersQueue(0), 1)
	defer broker.UnlimitQueue(t)
	var refusal error
	eventually(t, "a refusal", func() bool { refusal = publish(t, q, message("more")); return refusal != nil })
	wantUnknown(t, refusal) // with several replicas, some may hold it
	s := subscribe(t, q)
	go func() { // makes room
		for d := range s.Deliveries() {
			_ = s.Ack(context.Background(), []seckill.Delivery{d})
		}
	}()
	awaitAvailable(t, q)
	if log.has("level=WARN") {
		t.Errorf("lost a connection:\n%s", log.text.String())
	}
}

func hangs(t *testing.T, broker *testenv.RabbitMQ, q *rabbitmq.Queue, _ *logBook) {
	t.Helper()
	broker.Stop(t)
	defer broker.Continue(t)
	wantUnknown(t, publish(t, q, message("taken late")))
	awaitAdmission(t, q, false)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := q.Look(ctx, 0); err == nil {
		t.Error("looked at a broker that hangs")
	}
	broker.Continue(t)
	awaitAdmission(t, q, true)
	s := subscribe(t, q)
	for string(receive(t, s).Body) != "taken late" {
		continue // what is published now may be quicker
	}
	if _, err := q.Look(t.Context(), 0); err != nil {
		t.Error(err)
	}
}

func saysNothing(t *testing.T, broker *testenv.RabbitMQ, q *rabbitmq.Queue, _ *logBook) {
	t.Helper()
	s := subscribe(t, q)
	broker.Stop(t)
	awaitEnd(t, s)
	awaitAdmission(t, q, false)
	broker.Continue(t)
	awaitAvailable(t, q)
}

func isKilled(t *testing.T, broker *testenv.RabbitMQ, q *rabbitmq.Queue, _ *logBook) {
	t.Helper()
	mustPublish(t, q, "leased", "waiting", "dead")
	s := subscribe(t, q)
	receive(t, s)
	receive(t, s)
	if err := s.DeadLetter(t.Context(), receive(t, s), "test"); err != nil {
		t.Fatal(err)
	}
	broker.Kill(t)
	awaitEnd(t, s)
	awaitAdmission(t, q, false)
	broker.Restart(t)
	began := time.Now()
	awaitAvailable(t, q)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("published again after %v", took)
	}
	s = subscribe(t, q)
	missing := map[string]bool{"leased": true, "waiting": true}
	for len(missing) > 0 {
		delete(missing, string(receive(t, s).Body))
	}
	var letters []seckill.DeadLetter
	eventually(t, "the dead letters can be read", func() bool {
		var err error
		letters, err = q.List(t.Context(), 0, 10)
		return err == nil
	})
	if len(letters) != 1 || string(letters[0].Body) != "dead" {
		t.Errorf("dead letters: %+v", letters)
	}
}

func isLookedAt(t *testing.T, broker *testenv.RabbitMQ, q *rabbitmq.Queue, _ *logBook) {
	t.Helper()
	mustPublish(t, q, "old", "older")
	var state seckill.QueueState
	var err error
	eventually(t, "both are ready", func() bool {
		state, err = q.Look(t.Context(), 0)
		return err == nil && state.Ready == 2
	})
	looked := time.Now()
	broker.Kill(t)
	awaitAdmission(t, q, false)
	_, err = q.Look(t.Context(), 0)
	wantUnavailable(t, err)
	broker.Restart(t)
	defer func() { t.Logf("the last look: %+v, %v", state, err) }()
	eventually(t, "both are ready, and as old as they are", func() bool {
		state, err = q.Look(t.Context(), 0)
		return err == nil && state.Ready == 2 && state.Age >= time.Since(looked)
	})
}

func comesBackEmpty(t *testing.T, broker *testenv.RabbitMQ, q *rabbitmq.Queue, _ *logBook) {
	t.Helper()
	mustPublish(t, q, "lost with the disk")
	broker.RestartEmpty(t)
	eventually(t, "messages go to new queues", func() bool { return publish(t, q, message("new")) == nil })
	if d := receive(t, subscribe(t, q)); string(d.Body) != "new" {
		t.Errorf("delivered %q", d.Body)
	}
}

// awaitAdmission waits until purchases are let in, or are not.
func awaitAdmission(t testing.TB, q *rabbitmq.Queue, open bool) {
	t.Helper()
	eventually(t, fmt.Sprint("admission is open: ", open), func() bool { return (q.Available(0) == nil) == open })
}

// awaitEnd waits until a subscription's deliveries end.
func awaitEnd(t testing.TB, s seckill.Subscription) {
	t.Helper()
	late := time.After(readyWithin)
	for {
		select {
		case _, open := <-s.Deliveries():
			if !open {
				return
			}
		case <-late:
			t.Fatal("the subscription goes on")
		}
	}
}
