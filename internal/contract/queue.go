package contract

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Queue is the suite of seckill.Publisher, Consumer, Subscription, QueueWatch and DeadLetters. open returns an empty
// queue; messages may arrive in any order.
func Queue(t *testing.T, open func(t *testing.T) QueueFixture) {
	t.Helper()
	queueDurability(t, open)
	queueLeases(t, open)
	queueDeadLetters(t, open)
	queueSight(t, open)
}

func queueDurability(t *testing.T, open func(t *testing.T) QueueFixture) {
	t.Helper()
	t.Run("delivers the bytes that were published, for the first time", func(t *testing.T) {
		t.Parallel()
		q := open(t)
		s := q.subscribe(t, 0)
		m := q.publishNew(t, 1)
		d := receive(t, s)
		wantBodies(t, []seckill.Delivery{d}, m...)
		if d.Redelivered {
			t.Error("says redelivered")
		}
	})
	t.Run("has after a crash what it confirmed", func(t *testing.T) {
		t.Parallel()
		q := open(t)
		messages := q.publishNew(t, 3)
		q = q.Crash(t)
		wantBodies(t, receiveAll(t, q.subscribe(t, 0), 3), messages...)
	})
	t.Run("delivers again after a crash what was leased", func(t *testing.T) {
		t.Parallel()
		q := open(t)
		m := q.publishNew(t, 1)
		receive(t, q.subscribe(t, 0))
		q = q.Crash(t)
		d := receive(t, q.subscribe(t, 0))
		wantBodies(t, []seckill.Delivery{d}, m...)
		if !d.Redelivered {
			t.Error("does not say redelivered")
		}
	})
	t.Run("never delivers again what was acknowledged", func(t *testing.T) {
		t.Parallel()
		q := open(t)
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
	})
	t.Run("delivers twice what is published twice", func(t *testing.T) {
		t.Parallel()
		q := open(t)
		m := newMessage()
		q.publish(t, m, m)
		s := q.subscribe(t, 0)
		deliveries := receiveAll(t, s, 2)
		wantBodies(t, deliveries, m, m)
		ack(t, s, deliveries...)
		q.awaitEmpty(t)
	})
	t.Run("never confirms to a caller that stopped waiting", func(t *testing.T) {
		t.Parallel()
		q := open(t)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := q.Publish(gone, newMessage()); err == nil {
			t.Error("confirmed")
		}
	})
	t.Run("loses nothing between many publishers and consumers", func(t *testing.T) {
		t.Parallel()
		queueCrowd(t, open(t))
	})
}

func queueLeases(t *testing.T, open func(t *testing.T) QueueFixture) {
	t.Helper()
	t.Run("gives what a closed subscription had to others at once", func(t *testing.T) {
		t.Parallel()
		q := open(t)
		messages := q.publishNew(t, 2)
		s := q.subscribe(t, 0)
		receive(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		wantBodies(t, receiveAll(t, q.subscribe(t, 0), 2), messages...)
	})
	t.Run("ends the deliveries of a closed subscription, closed twice too", func(t *testing.T) {
		t.Parallel()
		s := open(t).subscribe(t, 0)
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
	})
	t.Run("delivers to others what a consumer lost, and takes its late acknowledgement", func(t *testing.T) {
		t.Parallel()
		q := open(t)
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
	})
	t.Run("leases no more than the prefetch to one consumer", func(t *testing.T) {
		t.Parallel()
		q := open(t)
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
	})
	t.Run("keeps shards apart", func(t *testing.T) {
		t.Parallel()
		q := open(t)
		elsewhere := newMessage()
		elsewhere.Shard = 1
		q.publish(t, elsewhere)
		here := q.publishNew(t, 1)
		wantBodies(t, receiveAll(t, q.subscribe(t, 0), 1), here...)
		wantBodies(t, receiveAll(t, q.subscribe(t, 1), 1), elsewhere)
	})
}

func queueDeadLetters(t *testing.T, open func(t *testing.T) QueueFixture) {
	t.Helper()
	t.Run("keeps the bytes and the cause of a dead letter, and goes on with its neighbours", func(t *testing.T) {
		t.Parallel()
		q := open(t)
		poison := newMessage()
		poison.Body = []byte("\x00\xff{ not json")
		q.publish(t, poison)
		s := q.subscribe(t, 0)
		if err := s.DeadLetter(t.Context(), receive(t, s), "cannot be decoded"); err != nil {
			t.Fatal(err)
		}
		neighbour := q.publishNew(t, 1)
		d := receive(t, s)
		wantBodies(t, []seckill.Delivery{d}, neighbour...)
		ack(t, s, d)
		q.awaitState(t, "empty with one dead letter", func(state seckill.QueueState) bool {
			return state.Ready+state.Unacked == 0 && state.Dead == 1
		})
		wantLetter(t, q.Crash(t), string(poison.Body), "cannot be decoded")
	})
	t.Run("keeps a message of which a part is dead-lettered", func(t *testing.T) {
		t.Parallel()
		q := open(t)
		m := q.publishNew(t, 1)
		s := q.subscribe(t, 0)
		d := receive(t, s)
		if err := s.DeadLetter(t.Context(), seckill.Delivery{Tag: d.Tag, Body: []byte("part")}, "doubled id"); err != nil {
			t.Fatal(err)
		}
		wantLetter(t, q, "part", "doubled id")
		q = q.Crash(t)
		wantBodies(t, receiveAll(t, q.subscribe(t, 0), 1), m...)
	})
	t.Run("pages through dead letters, oldest first", func(t *testing.T) {
		t.Parallel()
		q := open(t)
		messages := q.publishNew(t, 3)
		s := q.subscribe(t, 0)
		dead := receiveAll(t, s, len(messages))
		for _, d := range dead {
			if err := s.DeadLetter(t.Context(), d, "test"); err != nil {
				t.Fatal(err)
			}
		}
		first, err := q.List(t.Context(), 0, 2)
		if err != nil || len(first) != 2 || string(first[0].Body) != string(dead[0].Body) {
			t.Fatalf("the first page is %+v, %v", first, err)
		}
		second, err := q.List(t.Context(), first[1].ID, 2)
		if err != nil || len(second) != 1 || string(second[0].Body) != string(dead[2].Body) {
			t.Fatalf("the second page is %+v, %v", second, err)
		}
	})
}

func queueSight(t *testing.T, open func(t *testing.T) QueueFixture) {
	t.Helper()
	t.Run("shows depth, age and consumers", func(t *testing.T) {
		t.Parallel()
		q := open(t)
		q.awaitState(t, "nothing", func(s seckill.QueueState) bool { return s == seckill.QueueState{} })
		q.publishNew(t, 2)
		q.Pass(1500 * time.Millisecond)
		q.awaitState(t, "2 ready for 1.5 s", func(s seckill.QueueState) bool {
			return s.Ready == 2 && s.Unacked == 0 && s.Consumers == 0 && s.Age >= 1500*time.Millisecond && s.Age < queueWithin
		})
		s := q.subscribe(t, 0)
		deliveries := receiveAll(t, s, 2)
		q.awaitState(t, "2 leased by one", func(s seckill.QueueState) bool {
			return s == seckill.QueueState{Unacked: 2, Consumers: 1}
		})
		ack(t, s, deliveries...)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		q.awaitState(t, "nothing", func(s seckill.QueueState) bool { return s == seckill.QueueState{} })
	})
}

// wantLetter waits for the only dead letter.
func wantLetter(t testing.TB, q QueueFixture, body, cause string) {
	t.Helper()
	q.awaitState(t, "one dead letter", func(s seckill.QueueState) bool { return s.Dead == 1 })
	letters, err := q.List(t.Context(), 0, 10)
	if err != nil || len(letters) != 1 {
		t.Fatalf("dead letters: %+v, %v", letters, err)
	}
	if l := letters[0]; string(l.Body) != body || l.Cause != cause || l.ID <= 0 || l.At.IsZero() {
		t.Errorf("the dead letter is %+v", l)
	}
}

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
		publishing.Go(func() {
			for range each {
				m := newMessage()
				if err := q.Publish(ctx, m); err != nil {
					t.Error(err)
				}
				published[i] = append(published[i], m)
			}
		})
	}
	receive(t, quitter)
	if err := quitter.Close(); err != nil {
		t.Error(err)
	}
	publishing.Wait()
	q.awaitEmpty(t)
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
