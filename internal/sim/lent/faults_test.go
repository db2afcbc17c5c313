package lent_test

import (
	"errors"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/lent"
)

const (
	item  = seckill.ID(1<<61 + 7)
	epoch = int64(3)
)

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, it := range []struct {
		does string
		test func(t *testing.T, s *sale)
	}{
		{"forgets everything when wiped, and stays who it is", wiped},
		{"has everything but the last writes after a failover, and sells nothing", failedOver},
		{"goes on selling at the former primary until its gate lapses", zombie},
		{"knows a gate that came along with a full sync for another server's", synced},
		{"knows a gate for another history's when the same process is promoted twice", promotedTwice},
		{"comes back from its disk as another process", restarted},
		{"comes back from an old dump as another process", restored},
		{"answers nobody while it is down", down},
		{"gets the wipe back that a failover lost", lostWipe},
		{"lets others in between two scripts of one call", between},
	} {
		t.Run(it.does, func(t *testing.T) {
			t.Parallel()
			it.test(t, open(t))
		})
	}
}

// sale is an item on sale, with three batches of one unit each.
type sale struct {
	testing.TB
	*lent.Redis
	*lent.Client

	gate seckill.Gate
}

func open(t *testing.T) *sale {
	t.Helper()
	r := lent.New(seckill.SystemClock{})
	s := &sale{TB: t, Redis: r, Client: r.Client()}
	now := s.who().Now
	s.must(s.Load(t.Context(), seckill.Load{
		Item: item, Epoch: epoch, Attempt: 1, Issue: 1, Available: 10, Limit: 5, Version: 1,
		OpensAt: now.Add(-time.Hour), ClosesAt: now.Add(time.Hour),
	}))
	s.gate = seckill.Gate{Item: item, Epoch: epoch, Server: s.who(), Until: now.Add(time.Hour)}
	s.must(s.Open(t.Context(), s.gate))
	for batch := range seckill.ID(3) {
		s.must(s.reserve(s.Client, 100+batch))
	}
	return s
}

func (s *sale) who() seckill.Server {
	s.Helper()
	server, err := s.Server(s.Context(), item)
	s.must(err)
	return server
}

func (s *sale) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *sale) reserve(c *lent.Client, batch seckill.ID) error {
	id := 1000 + batch
	_, err := c.Reserve(s.Context(), item, batch, []seckill.ReserveRequest{{ID: id, User: "ann", Quantity: 1, KeyHash: id.String()}})
	return err
}

// sold expects what the item has sold, and whether it sells on.
func (s *sale) sold(units int64, live bool) {
	s.Helper()
	v := s.View(item)
	if !v.Known || v.Sold != units || v.Available != 10-units || v.Live != live || int64(len(v.Buyer("ann"))) != units {
		s.Fatalf("the primary has %+v", v.LentState)
	}
	var owed int64
	for range v.Owed() {
		owed++
	}
	if owed != units {
		s.Fatalf("%d batches are owed for %d units", owed, units)
	}
	if err := s.reserve(s.Client, 500); (err == nil) != live {
		s.Fatalf("selling on: %v", err)
	}
}

// refusesRenewal expects that a keeper that asks this server who it is cannot prolong the gate.
func (s *sale) refusesRenewal() {
	s.Helper()
	g := s.gate
	g.Server = s.who()
	if err := s.Renew(s.Context(), seckill.Renewal{Gate: g, Version: 1}); !errors.Is(err, seckill.ErrNotLive) {
		s.Errorf("renewed: %v", err)
	}
}

func wiped(t *testing.T, s *sale) {
	t.Helper()
	before := s.who()
	s.Wipe()
	after := s.who()
	if v := s.View(item); v.Known || v.GateEpoch != 0 || v.Unsent != 0 || before.RunID != after.RunID || before.ReplicationID != after.ReplicationID {
		t.Errorf("left %+v at %+v", v.LentState, after)
	}
}

func failedOver(t *testing.T, s *sale) {
	t.Helper()
	before := s.who()
	s.Failover(lent.Loss{Writes: 2})
	if after := s.who(); after.RunID == before.RunID || after.ReplicationID == before.ReplicationID {
		t.Errorf("%+v became %+v", before, after)
	}
	s.refusesRenewal()
	s.sold(1, false)
}

func zombie(t *testing.T, s *sale) {
	t.Helper()
	pinned := s.Redis.Client()
	pinned.Pin()
	s.Failover(lent.Loss{})
	s.must(s.reserve(pinned, 200))
	s.sold(3, false)
	if v := s.Former(item); v.Sold != 4 || !v.Live {
		t.Errorf("the former primary has %+v", v.LentState)
	}
	pinned.Follow()
	if err := s.reserve(pinned, 201); !errors.Is(err, seckill.ErrNotLive) {
		t.Errorf("following: %v", err)
	}
}

func synced(t *testing.T, s *sale) {
	t.Helper()
	s.Failover(lent.Loss{Gates: true})
	if v := s.View(item); v.GateRunID != s.gate.Server.RunID {
		t.Errorf("the gate did not come along: %+v", v.LentState)
	}
	s.sold(3, false)
}

func promotedTwice(t *testing.T, s *sale) {
	t.Helper()
	s.Failover(lent.Loss{Gates: true})
	s.Failover(lent.Loss{Gates: true})
	if v := s.View(item); v.GateRunID != s.who().RunID || v.GateReplicationID == s.who().ReplicationID {
		t.Errorf("the gate is for %s %s, this is %+v", v.GateRunID, v.GateReplicationID, s.who())
	}
	s.sold(3, false)
}

func restarted(t *testing.T, s *sale) {
	t.Helper()
	before := s.who()
	s.Restart(lent.Loss{Writes: 1, Gates: true})
	if after := s.who(); after.RunID == before.RunID {
		t.Errorf("%+v became %+v", before, after)
	}
	s.sold(2, false)
}

func restored(t *testing.T, s *sale) {
	t.Helper()
	dump := s.Snapshot()
	s.must(s.reserve(s.Client, 300))
	s.Restore(dump)
	s.refusesRenewal()
	s.sold(3, false)
	s.Restore(dump) // the dump itself stays as it was
	s.sold(3, false)
}

func down(t *testing.T, s *sale) {
	t.Helper()
	s.Down(true)
	if err := s.reserve(s.Client, 300); !errors.Is(err, seckill.ErrUnavailable) {
		t.Errorf("answered %v", err)
	}
	s.Down(false)
	s.sold(3, true)
}

func lostWipe(t *testing.T, s *sale) {
	t.Helper()
	s.Wipe()
	s.Failover(lent.Loss{Writes: 1})
	s.sold(3, false)
}

func between(t *testing.T, s *sale) {
	t.Helper()
	crash := errors.New("crashed")
	calls := 0
	s.Between = func(string) error { calls++; s.Wipe(); return crash }
	states, err := s.States(t.Context(), []seckill.ID{item, item, item})
	if !errors.Is(err, crash) || len(states) != 1 || calls != 1 {
		t.Errorf("%d states, %v, %d calls", len(states), err, calls)
	}
}

func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	s := open(t)
	for range 5000 {
		s.must(s.Renew(t.Context(), seckill.Renewal{Gate: s.gate, Version: 1, Limit: 5, ClosesAt: s.gate.Until}))
	}
	if n := s.Writes(); n > 4096 {
		t.Errorf("the log has %d writes", n)
	}
	s.Failover(lent.Loss{Writes: 1000})
	s.sold(3, false)
}
