package settle

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// orderAll claims everything and places the orders as well, when it is told what they say.
func orderAll(messages []seckill.Message, terms map[seckill.ID]seckill.Terms) (seckill.Settlement, error) {
	s, err := holdAll(messages)
	if len(terms) > 0 {
		s.Ordered, s.Held = s.Held, nil
	}
	return s, err
}

// awayCatalog does not answer, which is known after the first time.
type awayCatalog struct {
	seckill.Catalog
	asked atomic.Int64
}

func (c *awayCatalog) Item(ctx context.Context, _ seckill.ID) (seckill.Item, error) {
	if c.asked.Add(1) == 1 {
		<-ctx.Done()
	}
	return seckill.Item{}, seckill.ErrUnavailable
}

func TestAtOnce(t *testing.T) {
	t.Parallel()
	t.Run("announces what T1 has ordered, and leaves nothing to T2", func(t *testing.T) {
		t.Parallel()
		rig := newRig()
		rig.onSettleWith = orderAll
		rig.run(t, func() bool { return len(rig.announced) == 2 && len(rig.settled) == 1 }, body(1, 11, 12))
		if len(rig.placed)+len(rig.ordered) > 0 || len(rig.acked) != 1 {
			t.Fatalf("placed %v, marked %v, acked %v", rig.placed, rig.ordered, rig.acked)
		}
	})
	t.Run("claims although the catalog does not answer", func(t *testing.T) {
		t.Parallel()
		rig := newRig()
		rig.onSettleWith = orderAll
		ports := rig.ports()
		ports.Catalog = &awayCatalog{}
		rig.deliver(body(1, 11))
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		go func() { stopped <- NewWorker(ports).Run(ctx) }()
		rig.await(t, func() bool { return len(rig.acked) == 1 })
		stop()
		if err := <-stopped; err != nil || len(rig.announced) > 0 {
			t.Fatalf("announced %v, %v", rig.announced, err)
		}
	})
	t.Run("leaves T2 to the caller of what it settles one by one", func(t *testing.T) {
		t.Parallel()
		rig := newRig()
		rig.onSettleWith = func(messages []seckill.Message, terms map[seckill.ID]seckill.Terms) (seckill.Settlement, error) {
			if len(messages[0].Reservations) > 1 {
				return seckill.Settlement{}, seckill.ErrPoison
			}
			return orderAll(messages, terms)
		}
		rig.run(t, func() bool { return len(rig.announced) == 2 }, body(1, 11, 12))
		if !slices.Equal(rig.placed, []seckill.ID{11, 12}) {
			t.Fatalf("placed %v", rig.placed)
		}
	})
}

// fullBody is a message that makes a batch of its own.
func fullBody(batch seckill.ID) []byte {
	ids := make([]seckill.ID, reservationsMax)
	for i := range ids {
		ids[i] = batch*10*reservationsMax + seckill.ID(i)
	}
	return body(batch, ids...)
}

func TestLanes(t *testing.T) {
	t.Parallel()
	t.Run("settles batches beside each other and acknowledges them in the order they came", func(t *testing.T) {
		t.Parallel()
		rig := newRig()
		second := make(chan struct{})
		rig.onSettleWith = func(messages []seckill.Message, terms map[seckill.ID]seckill.Terms) (seckill.Settlement, error) {
			if messages[0].Batch == 1 {
				<-second
			} else {
				defer close(second)
			}
			return orderAll(messages, terms)
		}
		rig.run(t, func() bool { return len(rig.settled) == 2 }, fullBody(1), fullBody(2))
		if !slices.Equal(rig.acked, []uint64{1, 2}) || len(rig.announced) != 2*reservationsMax {
			t.Fatalf("acked %v, announced %d", rig.acked, len(rig.announced))
		}
	})
	t.Run("acknowledges what is settled although the batch before it is given up", func(t *testing.T) {
		t.Parallel()
		rig := newRig()
		ctx, stop := context.WithCancel(t.Context())
		rig.onSettleWith = func(messages []seckill.Message, terms map[seckill.ID]seckill.Terms) (seckill.Settlement, error) {
			if messages[0].Batch == 1 {
				<-ctx.Done()
				return seckill.Settlement{}, seckill.ErrTransient
			}
			return orderAll(messages, terms)
		}
		rig.deliver(fullBody(1), fullBody(2))
		stopped := rig.work(ctx)
		rig.await(t, func() bool { return len(rig.announced) == reservationsMax })
		stop()
		if err := <-stopped; err != nil || !slices.Equal(rig.acked, []uint64{2}) || !slices.Equal(rig.settled, []seckill.ID{2}) {
			t.Fatalf("acked %v, settled %v, %v", rig.acked, rig.settled, err)
		}
	})
}

func TestMoreThanLanes(t *testing.T) {
	t.Parallel()
	t.Run("finishes more than it has lanes for", func(t *testing.T) {
		t.Parallel()
		rig := newRig()
		rig.onSettleWith = orderAll
		const count = 5 * lanesDefault
		var bodies [][]byte
		for n := range seckill.ID(count) {
			bodies = append(bodies, fullBody(n+1))
		}
		rig.run(t, func() bool { return len(rig.settled) == count }, bodies...)
		if len(rig.acked) != count || !slices.IsSorted(rig.acked) {
			t.Fatalf("acked %v", rig.acked)
		}
	})
}

func TestGathering(t *testing.T) {
	t.Parallel()
	clock := handclock.New()
	deliver := func(g *gathering, count int) {
		for n := range count {
			g.add(seckill.Delivery{Body: body(1, seckill.ID(n+1))})
		}
	}
	for _, c := range []struct {
		name          string
		count, waited int
		idle, beside  bool
	}{
		{"waits for more", 1, 0, false, false},
		{"goes after a while when nothing is under way", 1, 1, true, false},
		{"goes after a long while in any case", 1, 2, true, true},
		{"goes when it is full", reservationsMax, 0, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := &gathering{clock: clock}
			deliver(g, c.count)
			for range c.waited {
				if g.late == nil {
					t.Fatal("waits for nothing")
				}
				g.wait()
			}
			if g.isDue(0) != c.idle || g.isDue(1) != c.beside {
				t.Fatalf("due alone: %t, beside others: %t", g.isDue(0), g.isDue(1))
			}
			if got := g.take(); len(got) != c.count || g.count > 0 || g.isDue(0) {
				t.Fatalf("took %d, %d are left", len(got), g.count)
			}
		})
	}
}
