package contract

import (
	"slices"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func lentState() []lentCase {
	return []lentCase{
		{"reads several items in the order asked", lentReadsItems},
		{"reads none, and very many", lentReadsMany},
		{"says the same of an item alone and among others", lentReadsAlike},
		{"tells the server's clock and names", lentTellsServer},
		{"goes on after the server forgot the scripts", lentSurvivesForgetting},
	}
}

func lentReadsItems(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	i.reserve(i.ask("ann", 2, ""))
	items := []seckill.ID{i.next(), i.id, i.next(), i.id}
	got, err := i.Lent.States(t.Context(), items)
	i.must(err)
	for n, s := range got {
		if s.Item != items[n] || s.Known != (s.Item == i.id) || s.Live != s.Known || s.Server.RunID == "" {
			t.Errorf("state %d: %+v", n, s)
		}
	}
	if len(got) != len(items) || got[1].Sold != 2 {
		t.Errorf("states %+v", got)
	}
}

func lentReadsMany(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	if got, err := i.Lent.States(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("none: %v, %v", got, err)
	}
	got, err := i.Lent.States(t.Context(), slices.Repeat([]seckill.ID{i.id}, 300))
	i.must(err)
	if len(got) != 300 || !got[299].Live {
		t.Errorf("%d states", len(got))
	}
}

// A gate that another server has left, one that has lapsed, and one that holds.
func lentReadsAlike(t *testing.T, o lentOpener) {
	t.Helper()
	for name, change := range map[string]func(*seckill.Gate){
		"holds":      func(*seckill.Gate) {},
		"lapsed":     func(g *seckill.Gate) { g.Until = g.Server.Now.Add(-time.Second) },
		"is another": func(g *seckill.Gate) { g.Server.ReplicationID = "0123456789abcdef" },
	} {
		i := o.fresh(t)
		i.must(i.Lent.Load(t.Context(), i.load))
		gate := i.gate()
		change(&gate)
		i.must(i.Lent.Open(t.Context(), gate))
		alone := i.state()
		among, err := i.Lent.States(t.Context(), []seckill.ID{i.next(), i.next(), i.id})
		i.must(err)
		got := among[2]
		got.Server.Now = alone.Server.Now
		if got != alone || got.Live != (name == "holds") || among[0].Live {
			t.Errorf("%s: among others %+v, alone %+v", name, got, alone)
		}
	}
}

func lentTellsServer(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.fresh(t)
	before := i.now()
	after := i.now()
	if after.Now.Before(before.Now) || time.Since(after.Now).Abs() > time.Minute {
		t.Errorf("clock %v then %v", before.Now, after.Now)
	}
	if before.RunID == "" || before.ReplicationID == "" || before.RunID != after.RunID || before.ReplicationID != after.ReplicationID {
		t.Errorf("server %+v then %+v", before, after)
	}
}

func lentSurvivesForgetting(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	if i.ForgetScripts == nil {
		t.Skip("other tests would notice")
	}
	i.ForgetScripts(t)
	if s, err := i.Lent.States(t.Context(), []seckill.ID{i.next(), i.id}); err != nil || !s[1].Live {
		t.Errorf("states %+v, %v", s, err)
	}
	i.ForgetScripts(t)
	i.one(seckill.ReserveAccepted, i.ask("ann", 1, ""))
}

func lentExpire() []lentCase {
	return []lentCase{
		{"drops the item after a while", lentExpires},
		{"keeps an item whose outbox is not empty", lentKeepsOwing},
		{"is not put off by a repeat", lentExpiresOnTime},
		{"does not reach into the next epoch", lentExpiresOldOnly},
	}
}

func lentExpires(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	i.reserveAndSettle()
	i.must(i.Lent.Expire(t.Context(), i.id, lentMoment))
	i.until("gone", func() bool { // its keys may end a millisecond apart
		s := i.state()
		return !s.Known && s.GateEpoch == 0
	})
	i.reload() // nothing of the old item is in the way
	i.one(seckill.ReserveAccepted, i.ask("ann", 1, lentSomeKey))
}

func lentKeepsOwing(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	i.batches(1)
	i.must(i.Lent.Expire(t.Context(), i.id, time.Millisecond))
	i.outlives(lentMoment)
	i.must(i.Lent.Sent(t.Context(), i.id, lentBatches(i.outbox())))
	i.must(i.Lent.Expire(t.Context(), i.id, time.Millisecond))
	i.outlives(lentMoment)
}

func lentExpiresOnTime(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	i.must(i.Lent.Expire(t.Context(), i.id, lentMoment))
	i.must(i.Lent.Expire(t.Context(), i.id, time.Hour))
	i.until("gone", func() bool { return !i.state().Known })
}

func lentExpiresOldOnly(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	i.reserveAndSettle()
	i.must(i.Lent.Expire(t.Context(), i.id, lentMoment))
	buyers := i.buyers(1)
	i.load.Epoch++
	i.loadBuyers(buyers...)
	i.must(i.Lent.Open(t.Context(), i.gate()))
	i.outlives(2 * lentMoment)
	i.holds(buyers, true)
}

func (i *lentItem) reserveAndSettle() {
	i.Helper()
	made := i.reserve(i.ask("ann", 1, lentSomeKey))
	i.must(i.Lent.Settled(i.Context(), i.id, []seckill.ID{made.Own.Batch}))
}

// outlives watches the item until Redis's clock has passed so much.
func (i *lentItem) outlives(span time.Duration) {
	i.Helper()
	end := i.now().Now.Add(span)
	i.until("past the span", func() bool {
		s := i.state()
		if !s.Known {
			i.Fatal("the item is gone")
		}
		return s.Server.Now.After(end)
	})
}
