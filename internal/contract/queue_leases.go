package contract

import (
	"errors"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func queueGivesBack(t *testing.T, q QueueFixture) {
	t.Helper()
	messages := q.publishNew(t, 2)
	s := q.subscribe(t, 0)
	receive(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantBodies(t, receiveAll(t, q.subscribe(t, 0), 2), messages...)
}

func queueEndsDeliveries(t *testing.T, q QueueFixture) {
	t.Helper()
	s := q.subscribe(t, 0)
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	select {
	case d, open := <-s.Deliveries():
		if open {
			t.Errorf("delivered %+v", d)
		}
	case <-time.After(queueWithin):
		t.Error("still open")
	}
}

func queueTakesLateAck(t *testing.T, q QueueFixture) {
	t.Helper()
	slow := q.subscribe(t, 0)
	m := q.publishNew(t, 1)
	late := receive(t, slow)
	other := q.subscribe(t, 0)
	q.Lose(t, slow)
	d := receive(t, other)
	wantBodies(t, []seckill.Delivery{d}, m...)
	if !d.Redelivered {
		t.Error("does not say redelivered")
	}
	_ = slow.Ack(t.Context(), []seckill.Delivery{late}) // may be refused, must not hurt
	next := q.publishNew(t, 1)
	if err := slow.Close(); err != nil {
		t.Fatal(err)
	}
	e := receive(t, other)
	wantBodies(t, []seckill.Delivery{e}, next...)
	ack(t, other, d, e)
	q.awaitEmpty(t)
}

func queueBoundsPrefetch(t *testing.T, q QueueFixture) {
	t.Helper()
	q.publishNew(t, q.Prefetch+2)
	s := q.subscribe(t, 0)
	deliveries := receiveAll(t, s, q.Prefetch)
	q.awaitState(t, "2 ready, the prefetch leased", func(state seckill.QueueState) bool {
		return state.Ready == 2 && state.Unacked == int64(q.Prefetch)
	})
	select {
	case d := <-s.Deliveries():
		t.Fatalf("delivered %+v beyond the prefetch", d)
	default:
	}
	ack(t, s, deliveries...)
	ack(t, s, receiveAll(t, s, 2)...)
	q.awaitEmpty(t)
}

func queueKeepsShardsApart(t *testing.T, q QueueFixture) {
	t.Helper()
	elsewhere := newMessage()
	elsewhere.Shard = 1
	q.publish(t, elsewhere)
	here := q.publishNew(t, 1)
	wantBodies(t, receiveAll(t, q.subscribe(t, 0), 1), here...)
	wantBodies(t, receiveAll(t, q.subscribe(t, 1), 1), elsewhere)
}
