package settle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestWorker(t *testing.T) {
	t.Parallel()
	t.Run("acknowledges after T1 and tells redis, places orders after that", func(t *testing.T) {
		t.Parallel()
		rig := newRig()
		rig.run(t, func() bool { return len(rig.announced) == 2 }, body(1, 11, 12))
		if !rig.before("t1", "ack") || !rig.before("ack", "settled") || !rig.before("t2", "mark") {
			t.Fatalf("order of events: %v", rig.events)
		}
		if !slices.Equal(rig.placed, []seckill.ID{11, 12}) || !slices.Equal(rig.ordered, []seckill.ID{11, 12}) {
			t.Fatalf("placed %v, marked %v", rig.placed, rig.ordered)
		}
	})
	t.Run("trap 15: acknowledges though the users' shard is down", func(t *testing.T) {
		t.Parallel()
		rig := newRig()
		rig.onPlace = func([]seckill.NewOrder) error { return seckill.ErrUnavailable }
		rig.run(t, func() bool { return len(rig.acked) == 1 && slices.Contains(rig.events, "t2") }, body(1, 11))
		if len(rig.ordered) > 0 || len(rig.announced) > 0 {
			t.Fatal("claims are marked ordered without orders")
		}
	})
	t.Run("writes the orders of what it has acknowledged though it is being stopped", func(t *testing.T) {
		t.Parallel()
		rig := newRig()
		ctx, stop := context.WithCancel(t.Context())
		stopping := make(chan struct{})
		context.AfterFunc(ctx, func() { close(stopping) })
		rig.onPlace = func([]seckill.NewOrder) error { <-stopping; return nil }
		rig.deliver(body(1, 11))
		stopped := rig.work(ctx)
		rig.await(t, func() bool { return len(rig.acked) == 1 })
		stop()
		if err := <-stopped; err != nil || !slices.Equal(rig.ordered, []seckill.ID{11}) {
			t.Fatalf("marked %v, %v", rig.ordered, err)
		}
	})
}

// twoShards has the users of even bucket on shard 1.
type twoShards struct{}

func (twoShards) Count() int           { return 2 }
func (twoShards) Shard(bucket int) int { return 1 - bucket%2 }

func TestWorkerOutage(t *testing.T) {
	t.Parallel()
	t.Run("places the orders of the other users while one users' shard does not answer", func(t *testing.T) {
		t.Parallel()
		rig := newRig()
		ports := rig.ports()
		ports.Shards = twoShards{}
		away := make(chan struct{})
		rig.onPlace = func(orders []seckill.NewOrder) error {
			if orders[0].User == "ann" {
				<-away
				return seckill.ErrTransient
			}
			return nil
		}
		claims := []seckill.Claim{{ID: 11, Item: 9, User: "ann", Quantity: 1}}
		for n := 0; len(claims) == 1; n++ {
			user := seckill.UserID(fmt.Sprint("bob", n))
			if seckill.UserShard(ports.Shards, user) != seckill.UserShard(ports.Shards, "ann") {
				claims = append(claims, seckill.Claim{ID: 12, Item: 9, User: user, Quantity: 1})
			}
		}
		outcomes := make(chan map[int]error, 1)
		go func() { outcomes <- newPlacer(ports).order(context.Background(), 0, claims) }()
		rig.await(t, func() bool { return slices.Equal(rig.announced, []seckill.ID{12}) })
		close(away)
		if got := <-outcomes; len(got) != 2 || got[seckill.UserShard(ports.Shards, "ann")] == nil {
			t.Fatalf("got %v", got)
		}
	})
	t.Run("peers: no lost order: keeps the messages while the database is away, and settles them when it is back", func(t *testing.T) {
		t.Parallel()
		rig := newRig()
		rig.onSettle = holdAllAfter(3, fmt.Errorf("commit: %w", seckill.ErrTransient))
		rig.run(t, func() bool { return len(rig.announced) == 1 }, body(1, 11))
		if len(rig.acked) != 1 || len(rig.buried) != 0 {
			t.Fatalf("acked %v, buried %v", rig.acked, rig.buried)
		}
	})
	t.Run("never rejects what an unsure error hit", func(t *testing.T) {
		t.Parallel()
		rig := newRig()
		rig.onSettle = holdAllAfter(2, errors.New("commit: connection reset"))
		rig.run(t, func() bool { return len(rig.announced) == 1 }, body(1, 11))
		if slices.Contains(rig.events, "reject") {
			t.Fatal("rejected")
		}
	})
}

// holdAllAfter fails that many times first.
func holdAllAfter(failures int, failure error) func([]seckill.Message) (seckill.Settlement, error) {
	return func(messages []seckill.Message) (seckill.Settlement, error) {
		if failures--; failures >= 0 {
			return seckill.Settlement{}, failure
		}
		return holdAll(messages)
	}
}

func TestWorkerDeadLetters(t *testing.T) {
	t.Parallel()
	t.Run("buries what cannot be decoded and settles its neighbours", func(t *testing.T) {
		t.Parallel()
		rig := newRig()
		rig.run(t, func() bool { return len(rig.announced) == 2 }, body(1, 11), []byte(`{"v":1`), body(2, 12))
		if len(rig.buried) != 1 || !strings.HasSuffix(rig.buried[0], `|{"v":1`) {
			t.Fatalf("buried %q", rig.buried)
		}
		if !slices.Equal(rig.acked, []uint64{1, 3}) {
			t.Fatalf("acked %v", rig.acked)
		}
		rig.wantAlarm(t, Undecodable, "message-2")
	})
	t.Run("trap 23: buries the one reservation whose id is doubled", func(t *testing.T) {
		t.Parallel()
		rig := newRig()
		rig.onSettle = func(messages []seckill.Message) (seckill.Settlement, error) {
			s, _ := holdAll(messages)
			s.Held = s.Held[:1]
			s.Doubled = []seckill.Doubled{{Message: messages[0], Reservation: messages[0].Reservations[1], Cause: "id of somebody else"}}
			return s, nil
		}
		rig.run(t, func() bool { return len(rig.announced) == 1 }, body(1, 11, 12))
		if want := "id of somebody else|" + string(body(1, 12)); len(rig.buried) != 1 || rig.buried[0] != want {
			t.Fatalf("buried %q, want %q", rig.buried, want)
		}
		if len(rig.acked) != 1 {
			t.Fatal("its message was not acknowledged")
		}
		rig.wantAlarm(t, Unclaimable, "message-1")
	})
	t.Run("buries a message that is ahead of SQL instead of acknowledging it", func(t *testing.T) {
		t.Parallel()
		rig := newRig()
		rig.onSettle = func(messages []seckill.Message) (seckill.Settlement, error) {
			s, _ := holdAll(messages[1:])
			s.Ahead = messages[:1]
			return s, nil
		}
		rig.run(t, func() bool { return len(rig.announced) == 1 }, body(1, 11), body(2, 12))
		if len(rig.buried) != 1 || !slices.Equal(rig.acked, []uint64{2}) || !slices.Equal(rig.settled, []seckill.ID{2}) {
			t.Fatalf("buried %q, acked %v, settled %v", rig.buried, rig.acked, rig.settled)
		}
		rig.wantAlarm(t, Ahead, "message-1")
	})
}

func TestWorkerMisrouted(t *testing.T) {
	t.Parallel()
	t.Run("buries what is in the queue of another shard, which would stand in the way for ever", func(t *testing.T) {
		t.Parallel()
		rig := newRig()
		ports := rig.ports()
		ports.Shards = twoShards{}
		away, here := seckill.ComposeID(1, 0, 0, 0), seckill.ComposeID(1, 1, 0, 0)
		batch := []parcel{{message: seckill.Message{Item: away}}, {message: seckill.Message{Item: here}}}
		l := &line{worker: NewWorker(ports), shard: 0, subscription: rigSubscription{r: rig}}
		good, err := l.setAside(t.Context(), batch)
		if err != nil || len(good) != 1 || good[0].message.Item != here || len(rig.buried) != 1 {
			t.Fatalf("left %+v, buried %q: %v", good, rig.buried, err)
		}
		rig.wantAlarm(t, Misrouted, `""`)
	})
}

// wantAlarm insists on one error that names the shard, the message and the reason, and on its count.
func (r *rig) wantAlarm(t *testing.T, poison Poison, message string) {
	t.Helper()
	want := fmt.Sprintf(`level=ERROR msg="dead letter" shard=0 message=%s poison=%s cause=`, message, poison)
	log := r.log.String()
	if strings.Count(log, "level=ERROR") != 1 || !strings.Contains(log, want) {
		t.Errorf("want %s once in:\n%s", want, log)
	}
	if !slices.Equal(r.counted, []Poison{poison}) {
		t.Errorf("counted %v", r.counted)
	}
}

func TestWorkerPoison(t *testing.T) {
	t.Parallel()
	poisoned := func(messages []seckill.Message) (seckill.Settlement, error) {
		for _, m := range messages {
			for _, r := range m.Reservations {
				if r.ID == 12 {
					return seckill.Settlement{}, fmt.Errorf("insert claim: %w", seckill.ErrPoison)
				}
			}
		}
		return holdAll(messages)
	}
	t.Run("peers: no poison loop: rejects the poisoned reservation and claims its neighbours", func(t *testing.T) {
		t.Parallel()
		rig := newRig()
		rig.onSettle = poisoned
		rig.run(t, func() bool { return len(rig.announced) == 4 }, body(1, 11, 12), body(2, 13, 14))
		if !slices.Equal(rig.placed, []seckill.ID{11, 13, 14}) || len(rig.acked) != 2 {
			t.Fatalf("placed %v, acked %v", rig.placed, rig.acked)
		}
	})
	t.Run("buries what cannot even be rejected", func(t *testing.T) {
		t.Parallel()
		rig := newRig()
		rig.onSettle = poisoned
		rig.onReject = func(seckill.Reserved) (seckill.Settlement, error) { return seckill.Settlement{}, seckill.ErrPoison }
		rig.run(t, func() bool { return len(rig.announced) == 1 }, body(1, 11, 12))
		if len(rig.buried) != 1 || len(rig.acked) != 1 {
			t.Fatalf("buried %q, acked %v", rig.buried, rig.acked)
		}
	})
}

func TestCompleter(t *testing.T) {
	t.Parallel()
	t.Run("writes the orders that T2 left out", func(t *testing.T) {
		t.Parallel()
		rig := newRig()
		rig.waiting = []seckill.Claim{{ID: 11, Item: 9, User: "ann", Quantity: 1, State: seckill.ClaimHeld}}
		if err := NewCompleter(rig.ports()).RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(rig.placed, []seckill.ID{11}) || !slices.Equal(rig.ordered, []seckill.ID{11}) || len(rig.announced) != 1 {
			t.Fatalf("placed %v, marked %v, announced %v", rig.placed, rig.ordered, rig.announced)
		}
	})
	t.Run("reports a users' shard that is down", func(t *testing.T) {
		t.Parallel()
		rig := newRig()
		rig.waiting = []seckill.Claim{{ID: 11, Item: 9, User: "ann", Quantity: 1}}
		rig.onPlace = func([]seckill.NewOrder) error { return seckill.ErrUnavailable }
		if err := NewCompleter(rig.ports()).RunOnce(t.Context()); err == nil {
			t.Fatal("no error")
		}
	})
}
