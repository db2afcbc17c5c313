package sqlqueue_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlqueue"
)

const (
	testWithin = 30 * time.Second
	testLook   = 2 * time.Millisecond
)

func TestExpiredLeasesAreCounted(t *testing.T) {
	t.Parallel()
	q := openWith(t, func(c *sqlqueue.Config) { c.RedeliveriesMax = 2 })
	q.publish(t, "poison")
	s := q.subscribe(t)
	for i := range 3 {
		if d := q.nextLease(t, s); string(d.Body) != "poison" || d.Redelivered != (i > 0) {
			t.Fatalf("delivery %d: %+v", i, d)
		}
	}
	q.await(t, "a dead letter", func(s seckill.QueueState) bool {
		q.clock.Advance(testLease)
		return s.Ready+s.Unacked == 0 && s.Dead == 1
	})
	letters, err := q.List(t.Context(), 0, 10)
	if err != nil || len(letters) != 1 || letters[0].Cause != "delivered 3 times" || string(letters[0].Body) != "poison" {
		t.Errorf("dead letters: %+v, %v", letters, err)
	}
}

func TestCrashesAreCounted(t *testing.T) {
	t.Parallel()
	q := openWith(t, func(c *sqlqueue.Config) { c.RedeliveriesMax = 2 })
	q.publish(t, "poison")
	for range 3 {
		if d := next(t, q.subscribe(t)); string(d.Body) != "poison" {
			t.Fatalf("delivered %s", d.Body)
		}
		q = q.crash(t)
	}
	q.publish(t, "neighbour")
	if d := next(t, q.subscribe(t)); string(d.Body) != "neighbour" || d.Redelivered {
		t.Errorf("delivered %+v", d)
	}
	q.await(t, "a dead letter", func(s seckill.QueueState) bool { return s.Unacked == 1 && s.Dead == 1 })
}

func TestSteppingBackIsNotCounted(t *testing.T) {
	t.Parallel()
	q := openWith(t, func(c *sqlqueue.Config) { c.RedeliveriesMax = 1 })
	q.publish(t, "honest")
	for range 20 {
		s := q.subscribe(t)
		if d := next(t, s); string(d.Body) != "honest" {
			t.Fatalf("delivered %s", d.Body)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatAHangingConsumerNeverReceivedIsNotCounted(t *testing.T) {
	t.Parallel()
	q := openWith(t, func(c *sqlqueue.Config) { c.RedeliveriesMax = 1 })
	s := q.subscribe(t)
	q.publish(t, "received")
	next(t, s)
	q.publish(t, "in the channel")
	q.await(t, "a channel full of redeliveries", func(state seckill.QueueState) bool {
		q.clock.Advance(testLease)
		return len(s.Deliveries()) == testPrefetch && state.Ready+state.Unacked == 2
	})
	q.await(t, "no dead letter", func(state seckill.QueueState) bool { return state.Dead == 0 })
}

func TestExpiredLeaseGoesToAnotherConsumer(t *testing.T) {
	t.Parallel()
	q := open(t)
	hangs, works := q.subscribe(t), q.subscribe(t)
	for i := range 2 * testPrefetch {
		q.publish(t, fmt.Sprint("message ", i))
	}
	q.await(t, "all leased", func(s seckill.QueueState) bool { return s.Unacked == 2*testPrefetch })
	for range testPrefetch {
		q.ack(t, works, next(t, works))
	}
	q.clock.Advance(testLease)
	for range testPrefetch {
		q.ack(t, works, next(t, works))
	}
	q.await(t, "empty", func(s seckill.QueueState) bool { return s.Ready+s.Unacked == 0 })
	if n := len(hangs.Deliveries()); n > testPrefetch {
		t.Errorf("%d messages pile up at the hanging consumer", n)
	}
}

func TestNoRedeliveryAfterALateAcknowledgement(t *testing.T) {
	t.Parallel()
	q := open(t)
	q.publish(t, "settled late")
	slow, other := q.subscribe(t), q.subscribe(t)
	var d seckill.Delivery
	select {
	case d = <-slow.Deliveries():
	case d = <-other.Deliveries():
		slow, other = other, slow
	}
	q.clock.Advance(testLease)
	next(t, other)
	q.ack(t, slow, d)
	q.await(t, "empty", func(s seckill.QueueState) bool { return s.Ready+s.Unacked == 0 })
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	q.publish(t, "next")
	if d := next(t, slow); string(d.Body) != "next" {
		t.Errorf("delivered %s", d.Body)
	}
}

func TestUnsureCommitIsFound(t *testing.T) {
	t.Parallel()
	q := open(t)
	s := q.subscribe(t)
	q.publish(t, "announced")
	q.ack(t, s, next(t, s))
	// A row that nobody announces is what a COMMIT leaves that failed on its way back.
	_, err := q.write.ExecContext(t.Context(), `INSERT INTO queue (shard, batch, item, epoch, enqueued_at, redeliveries, body)
		VALUES (0, 1, 1, 1, 0, 0, CAST('unsure' AS BLOB))`)
	if err != nil {
		t.Fatal(err)
	}
	if d := q.nextLease(t, s); string(d.Body) != "unsure" || d.Redelivered {
		t.Errorf("delivered %+v", d)
	}
}

// nextLease lets time pass until something is delivered.
func (f *fixture) nextLease(t testing.TB, s seckill.Subscription) seckill.Delivery {
	t.Helper()
	deadline := time.After(testWithin)
	for {
		select {
		case d := <-s.Deliveries():
			return d
		case <-time.After(10 * testLook):
			f.clock.Advance(testLease)
		case <-deadline:
			t.Fatal("nothing was delivered")
		}
	}
}

func (f *fixture) publish(t testing.TB, body string) {
	t.Helper()
	if err := f.Publish(t.Context(), seckill.Outgoing{Batch: 1, Item: 1, Epoch: 1, Body: []byte(body)}); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) subscribe(t testing.TB) seckill.Subscription {
	t.Helper()
	s, err := f.Subscribe(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (f *fixture) ack(t testing.TB, s seckill.Subscription, d seckill.Delivery) {
	t.Helper()
	if err := s.Ack(t.Context(), []seckill.Delivery{d}); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) await(t testing.TB, want string, is func(seckill.QueueState) bool) {
	t.Helper()
	var state seckill.QueueState
	for deadline := time.Now().Add(testWithin); time.Now().Before(deadline); <-time.After(testLook) {
		var err error
		if state, err = f.Look(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if is(state) {
			return
		}
	}
	t.Fatalf("the queue is %+v, want %s", state, want)
}

func next(t testing.TB, s seckill.Subscription) seckill.Delivery {
	t.Helper()
	select {
	case d, open := <-s.Deliveries():
		if open {
			return d
		}
		t.Fatal("the subscription ended")
	case <-time.After(testWithin):
		t.Fatal("nothing was delivered")
	}
	return seckill.Delivery{}
}
