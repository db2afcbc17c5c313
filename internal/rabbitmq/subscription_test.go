package rabbitmq_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestAcknowledgementsMayComeInAnyOrderAndTwice(t *testing.T) {
	t.Parallel()
	config := configFor(t, env.RabbitMQ(t))
	deleteAfter(t, config)
	q := openQueue(t, config)
	mustPublish(t, q, "1", "2", "3", "4", "5", "6")
	s := subscribe(t, q)
	var all []seckill.Delivery
	for range 6 {
		all = append(all, receive(t, s))
	}
	for _, step := range [][]seckill.Delivery{all[1:2], all[3:4], all[:1], all[:3], slices.Concat(all[5:], all[4:5]), all} {
		if err := s.Ack(t.Context(), step); err != nil {
			t.Fatal(err)
		}
	}
	mustPublish(t, q, "7")
	if d := receive(t, s); string(d.Body) != "7" { // the broker would have ended the channel for a number it does not know
		t.Errorf("delivered %q", d.Body)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if d := receive(t, subscribe(t, q)); string(d.Body) != "7" {
		t.Errorf("delivered %q again", d.Body)
	}
}

func TestSeveralReadersOfDeadLettersSeeAll(t *testing.T) {
	t.Parallel()
	config := configFor(t, env.RabbitMQ(t))
	deleteAfter(t, config)
	q := openQueue(t, config)
	const count, readers = 3, 4
	s := subscribe(t, q)
	for range count {
		mustPublish(t, q, "poison")
		if err := s.DeadLetter(t.Context(), receive(t, s), "test"); err != nil {
			t.Fatal(err)
		}
	}
	var reading sync.WaitGroup
	for range readers {
		reading.Go(func() {
			letters, err := q.List(t.Context(), 0, 10)
			if err != nil || len(letters) != count {
				t.Errorf("lists %d letters, %v", len(letters), err)
			}
		})
	}
	reading.Wait()
}

// TestSubscriptionsAreMadeAnewWhenAQueueWasGone is for a consumer that a busy broker took along to the new queue: it looks
// idle, and what it is given gets lost on the way.
func TestSubscriptionsAreMadeAnewWhenAQueueWasGone(t *testing.T) {
	t.Parallel()
	config := configFor(t, env.RabbitMQ(t))
	deleteAfter(t, config)
	worker, other := openQueue(t, config), openQueue(t, config)
	held := subscribe(t, worker)
	mustPublish(t, other, "in hand")
	receive(t, held)
	if err := other.TellAnew(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, held)
	if d := receive(t, subscribe(t, worker)); string(d.Body) != "in hand" {
		t.Errorf("delivered %q", d.Body)
	}
}

func TestCloseEndsEverythingWithinItsBounds(t *testing.T) {
	t.Parallel()
	broker := env.RabbitMQ(t)
	p := proxyTo(t, broker)
	config := configFor(t, through(t, p, broker))
	deleteAfter(t, config)
	q := openQueue(t, config)
	s := subscribe(t, q)
	p.DropReplies() // nobody says farewell
	defer p.Heal()
	began := time.Now()
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("took %v", took)
	}
	awaitEnd(t, s)
	wantUnavailable(t, publish(t, q, message("late")))
	_, err := q.Subscribe(t.Context(), 0)
	wantUnavailable(t, err)
	_, err = q.Look(t.Context(), 0)
	wantUnavailable(t, err)
	_, err = q.List(t.Context(), 0, 1)
	wantUnavailable(t, err)
}
