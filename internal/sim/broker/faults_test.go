package broker_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/broker"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, it := range []struct {
		does string
		test func(t *testing.T, h hands)
	}{
		{"hands on what it is told to, in any order", handsOn},
		{"delivers a duplicate beside the message", duplicates},
		{"shows nobody what is held, and loses what was not confirmed", holds},
		{"has nothing after a wipe", wiped},
		{"answers nobody while it is down, and has everything when it is back", down},
		{"takes nothing while it is blocked, and delivers", blocked},
		{"looks empty without a leader, and confirms nothing", leaderless},
		{"leaves a letter and the message when it crashes between the two", buriesTwice},
		{"makes a message a dead letter that came back too often", givesUp},
		{"is drained when nothing of the epoch is left", drained},
	} {
		t.Run(it.does, func(t *testing.T) {
			t.Parallel()
			b := broker.New(handclock.New(), broker.Settings{Shards: 1, Prefetch: 2, Manual: true, RedeliveriesMax: 1})
			it.test(t, hands{t, b})
		})
	}
}

// hands are a broker that delivers by hand.
type hands struct {
	testing.TB
	*broker.Broker
}

func message(batch seckill.ID) seckill.Outgoing {
	return seckill.Outgoing{Batch: batch, Item: 7, Epoch: 3, Body: []byte(batch.String())}
}

func (h hands) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h hands) publish(batches ...seckill.ID) {
	h.Helper()
	for _, batch := range batches {
		h.must(h.Publish(h.Context(), message(batch)))
	}
}

func (h hands) subscribe() seckill.Subscription {
	h.Helper()
	s, err := h.Subscribe(h.Context(), 0)
	h.must(err)
	return s
}

// deliver hands the nth ready message on and takes it out of the channel.
func (h hands) deliver(s seckill.Subscription, nth int) seckill.Delivery {
	h.Helper()
	h.Deliver(0, nth, 0)
	select {
	case d := <-s.Deliveries():
		return d
	default:
		h.Fatal("nothing came")
		return seckill.Delivery{}
	}
}

// has expects the states of the messages, in order.
func (h hands) has(want ...broker.State) {
	h.Helper()
	var got []broker.State
	for _, state := range h.Messages(0) {
		got = append(got, state)
	}
	if !slices.Equal(got, want) {
		h.Fatalf("the messages are %v, want %v", got, want)
	}
}

func handsOn(t *testing.T, h hands) {
	t.Helper()
	h.publish(1, 2, 3)
	s := h.subscribe()
	if messages, consumers := h.Offers(0); messages != 3 || consumers != 1 {
		t.Fatalf("offers %d to %d", messages, consumers)
	}
	last := h.deliver(s, 2)
	first := h.deliver(s, 0)
	if string(last.Body) != "3" || string(first.Body) != "1" {
		t.Errorf("delivered %s and %s", last.Body, first.Body)
	}
	if _, consumers := h.Offers(0); consumers != 0 {
		t.Error("offers more than the prefetch")
	}
	h.has(broker.Leased, broker.Ready, broker.Leased)
	h.must(s.Ack(t.Context(), []seckill.Delivery{last}))
	h.Cut(s)
	h.has(broker.Ready, broker.Ready)
	h.must(s.Ack(t.Context(), []seckill.Delivery{first}))
	h.has(broker.Ready, broker.Ready)
}

func duplicates(t *testing.T, h hands) {
	t.Helper()
	h.publish(1)
	h.Duplicate(0, 0)
	s := h.subscribe()
	if a, b := h.deliver(s, 1), h.deliver(s, 0); string(a.Body) != string(b.Body) || a.Message == b.Message || a.Redelivered {
		t.Errorf("delivered %+v and %+v", a, b)
	}
}

func holds(t *testing.T, h hands) {
	t.Helper()
	h.publish(1)
	h.Delay(0, 0)
	h.Late(message(2))
	if state, err := h.Look(t.Context(), 0); err != nil || state.Ready+state.Unacked != 0 || h.Held(0) != 2 {
		t.Errorf("state %+v, %v, %d held", state, err, h.Held(0))
	}
	if h.Forget(0, 0) || !h.Forget(0, 1) {
		t.Error("forgot the confirmed one, or kept the other")
	}
	h.Arrive(0, 0)
	h.has(broker.Ready)
}

func wiped(t *testing.T, h hands) {
	t.Helper()
	h.publish(1)
	s := h.subscribe()
	h.deliver(s, 0)
	h.Wipe()
	h.has()
	if _, open := <-s.Deliveries(); open {
		t.Error("the subscription goes on")
	}
	h.publish(2)
	h.has(broker.Ready)
}

func down(t *testing.T, h hands) {
	t.Helper()
	h.publish(1)
	h.Down(true)
	_, looked := h.Look(t.Context(), 0)
	_, subscribed := h.Subscribe(t.Context(), 0)
	for _, err := range []error{h.Publish(t.Context(), message(2)), h.Available(0), looked, subscribed} {
		if !errors.Is(err, seckill.ErrUnavailable) {
			t.Errorf("answered %v", err)
		}
	}
	h.Down(false)
	h.has(broker.Ready)
}

func blocked(t *testing.T, h hands) {
	t.Helper()
	h.publish(1)
	h.Block(true)
	if err := h.Publish(t.Context(), message(2)); !errors.Is(err, seckill.ErrUnavailable) || h.Available(0) == nil {
		t.Errorf("published: %v", err)
	}
	h.deliver(h.subscribe(), 0)
	h.Block(false)
	h.publish(2)
}

func leaderless(t *testing.T, h hands) {
	t.Helper()
	h.publish(1)
	h.subscribe()
	h.Leaderless(0, true)
	if err := h.Publish(t.Context(), message(2)); err == nil || errors.Is(err, seckill.ErrUnavailable) {
		t.Errorf("published: %v", err)
	}
	if err := h.Available(0); !errors.Is(err, seckill.ErrUnavailable) {
		t.Errorf("available: %v", err)
	}
	if state, err := h.Look(t.Context(), 0); err != nil || state != (seckill.QueueState{}) {
		t.Errorf("state %+v, %v", state, err)
	}
	if _, err := h.Subscribe(t.Context(), 0); !errors.Is(err, seckill.ErrUnavailable) {
		t.Errorf("subscribed: %v", err)
	}
	h.Leaderless(0, false)
	h.must(h.Available(0))
	h.has(broker.Ready, broker.Held)
}

func buriesTwice(t *testing.T, h hands) {
	t.Helper()
	h.publish(1)
	s := h.subscribe()
	d := h.deliver(s, 0)
	crash := errors.New("crashed")
	h.Between = func(string) error { return crash }
	if err := s.DeadLetter(context.WithoutCancel(t.Context()), d, "poison"); !errors.Is(err, crash) {
		t.Errorf("answered %v", err)
	}
	h.has(broker.Leased)
	if len(h.Letters()) != 1 {
		t.Errorf("letters %+v", h.Letters())
	}
}

func givesUp(t *testing.T, h hands) {
	t.Helper()
	h.publish(1)
	for range 2 {
		s := h.subscribe()
		h.deliver(s, 0)
		h.must(s.Close())
	}
	h.has()
	if len(h.Letters()) != 1 {
		t.Errorf("letters %+v", h.Letters())
	}
}

func drained(t *testing.T, h hands) {
	t.Helper()
	h.publish(1)
	s := h.subscribe()
	d := h.deliver(s, 0)
	for _, want := range []bool{false, true} {
		if got, err := h.Drained(t.Context(), seckill.Stock{Item: 7, Epoch: 3}); err != nil || got.Done != want {
			t.Errorf("drained %+v, %v, want %v", got, err, want)
		}
		h.must(s.Ack(t.Context(), []seckill.Delivery{d}))
	}
}
