package contract

import (
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// lentMoment is how far ahead a window's edge is put: long enough to be asked before it, short enough to wait for.
const lentMoment = 40 * time.Millisecond

func lentWindow() []lentCase {
	return []lentCase{
		{"opens neither early nor late, by Redis time", lentOpensOnTime},
		{"closes neither early nor late, by Redis time", lentClosesOnTime},
		{"does not open a part of a millisecond early", lentOpensNotEarly},
		{"says paused whatever the window says", lentSaysPaused},
		{"takes a gate for valid until its last millisecond", lentLapsesOnTime},
	}
}

func lentOpensOnTime(t *testing.T, o lentOpener) {
	t.Helper()
	i, opens := o.openNearEdge(t)
	i.renew(func(r *seckill.Renewal) { r.OpensAt = opens })
	i.crosses(opens, seckill.ReserveNotStarted, seckill.ReserveAccepted)
}

func lentClosesOnTime(t *testing.T, o lentOpener) {
	t.Helper()
	i, closes := o.openNearEdge(t)
	i.renew(func(r *seckill.Renewal) { r.ClosesAt = closes })
	i.crosses(closes, seckill.ReserveAccepted, seckill.ReserveEnded)
}

func lentOpensNotEarly(t *testing.T, o lentOpener) {
	t.Helper()
	i, opens := o.openNearEdge(t)
	i.renew(func(r *seckill.Renewal) { r.OpensAt = opens.Add(-999 * time.Microsecond) })
	i.crosses(opens, seckill.ReserveNotStarted, seckill.ReserveAccepted)
}

// openNearEdge opens an item that nobody empties, and returns the moment to put an edge of its window on.
func (o lentOpener) openNearEdge(t *testing.T) (*lentItem, time.Time) {
	t.Helper()
	i := o.open(t, func(l *seckill.Load) { l.Available, l.Limit = 1_000_000, 1_000_000 })
	return i, i.nearEdge()
}

func (i *lentItem) nearEdge() time.Time {
	i.Helper()
	return i.now().Now.Add(lentMoment).Truncate(time.Millisecond)
}

func lentSaysPaused(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t, func(l *seckill.Load) { l.Paused = true })
	i.one(seckill.ReservePaused, i.ask("ann", 1, ""))
	i.renew(func(r *seckill.Renewal) { r.Paused, r.OpensAt = true, i.server.Now.Add(time.Hour) })
	i.one(seckill.ReservePaused, i.ask("ann", 1, ""))
	i.renew(func(r *seckill.Renewal) { r.Paused = false })
	i.one(seckill.ReserveAccepted, i.ask("ann", 1, ""))
}

func lentLapsesOnTime(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.fresh(t)
	i.must(i.Lent.Load(t.Context(), i.load))
	gate := i.gate()
	gate.Until = i.nearEdge()
	i.must(i.Lent.Open(t.Context(), gate))
	i.until("lapsed", func() bool {
		s := i.state()
		if s.Live != s.Server.Now.Before(gate.Until) {
			t.Fatalf("live %v at %v with a gate until %v", s.Live, s.Server.Now, gate.Until)
		}
		return !s.Live
	})
	i.notLive()
}

// crosses asks until the edge has passed and holds every answer against the time at which Redis gave it.
func (i *lentItem) crosses(edge time.Time, before, after seckill.ReserveCode) {
	i.Helper()
	i.until("past the edge", func() bool {
		reply := i.reserve(i.ask("ann", 1, ""))
		want := before
		if !reply.Now.Before(edge) {
			want = after
		}
		if got := reply.Outcomes[0].Code; got != want {
			i.Fatalf("code %d at %v, want %d: the edge is %v", got, reply.Now, want, edge)
		}
		return want == after
	})
}
