package contract

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// QueueFixture is an empty queue with two shards.
type QueueFixture struct {
	seckill.Publisher
	seckill.Consumer
	seckill.QueueWatch
	seckill.DeadLetterDesk
	// Prefetch is the most messages a subscription has at once.
	Prefetch int
	// Lose takes away what a subscription has leased: its lease runs out, or its connection is cut.
	Lose func(t testing.TB, subscription seckill.Subscription)
	// Crash ends the queue without warning and opens what is left of it.
	Crash func(t testing.TB) QueueFixture
	// Close ends the queue.
	Close func() error
	// Pass lets time pass.
	Pass func(d time.Duration)
}

// queueWithin is how long a test waits for what must happen, lookEvery its rhythm of looking.
const (
	queueWithin = 20 * time.Second
	lookEvery   = 2 * time.Millisecond
)

// newMessage is a message for shard 0 that no other test knows.
func newMessage() seckill.Outgoing {
	m := seckill.Message{
		Batch: randomID(), Item: randomID(), Epoch: 1, At: 1, Sold: 1,
		Reservations: []seckill.Reserved{{ID: randomID(), User: "u-1", Quantity: 1, KeyHash: "k"}},
	}
	return seckill.Outgoing{Batch: m.Batch, Item: m.Item, Epoch: m.Epoch, Body: m.Encode()}
}

func randomID() seckill.ID { return seckill.ID(rand.Int64N(1<<62) + 1) }

func (f QueueFixture) publish(t testing.TB, messages ...seckill.Outgoing) {
	t.Helper()
	for _, m := range messages {
		if err := f.Publish(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
}

func (f QueueFixture) publishNew(t testing.TB, count int) []seckill.Outgoing {
	t.Helper()
	messages := make([]seckill.Outgoing, count)
	for i := range messages {
		messages[i] = newMessage()
	}
	f.publish(t, messages...)
	return messages
}

// subscribe opens a subscription that ends with the test.
func (f QueueFixture) subscribe(t testing.TB, shard int) seckill.Subscription {
	t.Helper()
	s, err := f.Subscribe(t.Context(), shard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// awaitState looks at shard 0 until its state is as wanted.
func (f QueueFixture) awaitState(t testing.TB, want string, is func(seckill.QueueState) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), queueWithin)
	defer cancel()
	for {
		state, err := f.Look(ctx, 0)
		if err == nil && is(state) {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the queue is %+v (%v), want %s", state, err, want)
		case <-time.After(lookEvery):
		}
	}
}

func (f QueueFixture) awaitEmpty(t testing.TB) {
	t.Helper()
	f.awaitState(t, "empty", func(s seckill.QueueState) bool { return s.Ready+s.Unacked == 0 })
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
	case <-time.After(queueWithin):
		t.Fatal("nothing was delivered")
	}
	return seckill.Delivery{}
}

func receiveAll(t testing.TB, s seckill.Subscription, count int) []seckill.Delivery {
	t.Helper()
	deliveries := make([]seckill.Delivery, count)
	for i := range deliveries {
		deliveries[i] = receive(t, s)
	}
	return deliveries
}

func ack(t testing.TB, s seckill.Subscription, deliveries ...seckill.Delivery) {
	t.Helper()
	if err := s.Ack(t.Context(), deliveries); err != nil {
		t.Fatal(err)
	}
}

// wantBodies compares without order: a queue that redelivers keeps none.
func wantBodies(t testing.TB, deliveries []seckill.Delivery, want ...seckill.Outgoing) {
	t.Helper()
	missing := map[string]int{}
	for _, m := range want {
		missing[string(m.Body)]++
	}
	for _, d := range deliveries {
		missing[string(d.Body)]--
	}
	for body, count := range missing {
		if count != 0 {
			t.Errorf("delivered %d times too few: %s", count, body)
		}
	}
}
