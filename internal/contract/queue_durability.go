package contract

import (
	"context"
	"errors"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func queueDelivers(t *testing.T, q QueueFixture) {
	t.Helper()
	s := q.subscribe(t, 0)
	m := q.publishNew(t, 1)
	d := receive(t, s)
	wantBodies(t, []seckill.Delivery{d}, m...)
	if d.Redelivered {
		t.Error("says redelivered")
	}
}

func queueAvailable(t *testing.T, q QueueFixture) {
	t.Helper()
	for shard := range 2 {
		if err := q.Available(shard); err != nil {
			t.Errorf("shard %d: %v", shard, err)
		}
	}
	for _, shard := range []int{-1, 2} {
		if err := q.Available(shard); !errors.Is(err, seckill.ErrUnavailable) {
			t.Errorf("shard %d, which there is none: %v", shard, err)
		}
	}
	q.publishNew(t, 1)
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if err := q.Available(0); !errors.Is(err, seckill.ErrUnavailable) {
		t.Errorf("after closing: %v", err)
	}
	if err := q.Publish(t.Context(), newMessage()); !errors.Is(err, seckill.ErrUnavailable) {
		t.Errorf("published after closing: %v", err)
	}
}

func queueKeepsConfirmed(t *testing.T, q QueueFixture) {
	t.Helper()
	messages := q.publishNew(t, 3)
	q = q.Crash(t)
	wantBodies(t, receiveAll(t, q.subscribe(t, 0), 3), messages...)
}

func queueKeepsLeased(t *testing.T, q QueueFixture) {
	t.Helper()
	m := q.publishNew(t, 1)
	receive(t, q.subscribe(t, 0))
	q = q.Crash(t)
	d := receive(t, q.subscribe(t, 0))
	wantBodies(t, []seckill.Delivery{d}, m...)
	if !d.Redelivered {
		t.Error("does not say redelivered")
	}
}

func queueForgetsAcknowledged(t *testing.T, q QueueFixture) {
	t.Helper()
	messages := q.publishNew(t, 2)
	s := q.subscribe(t, 0)
	both := receiveAll(t, s, 2)
	ack(t, s, both[0])
	q = q.Crash(t)
	s = q.subscribe(t, 0)
	again := receive(t, s)
	wantBodies(t, []seckill.Delivery{both[0], again}, messages...)
	ack(t, s, again)
	q.awaitEmpty(t)
}

func queueTakesTwice(t *testing.T, q QueueFixture) {
	t.Helper()
	m := newMessage()
	q.publish(t, m, m)
	s := q.subscribe(t, 0)
	deliveries := receiveAll(t, s, 2)
	wantBodies(t, deliveries, m, m)
	ack(t, s, deliveries...)
	q.awaitEmpty(t)
}

func queueNeverConfirmsUnheard(t *testing.T, q QueueFixture) {
	t.Helper()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Publish(gone, newMessage()); err == nil {
		t.Error("confirmed")
	}
}
