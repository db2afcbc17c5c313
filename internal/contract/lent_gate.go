package contract

import (
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func lentGate() []lentCase {
	return []lentCase{
		{"is not there for an item without meta: neither zero nor unlimited", lentHasNoGateWithoutMeta},
		{"trap 10: is opened once per epoch", lentOpensOnce},
		{"is opened for the loaded epoch only", lentOpensLoadedEpoch},
		{"traps 8, 27: holds on the server it was made for only", lentHoldsOnOneServer},
		{"does not come along to another server", lentStaysOnOneServer},
		{"needs a server to be for", lentNeedsServer},
	}
}

func lentHasNoGateWithoutMeta(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.fresh(t)
	i.notLive()
	i.refused(i.Lent.Open(t.Context(), i.gate()), seckill.ErrNotLive)
	i.refused(i.Lent.Renew(t.Context(), i.renewal()), seckill.ErrNotLive)
	i.refusesIssue(i.move(lentFirst+1, 1))
	if s := i.state(); s.Known || s.GateEpoch != 0 {
		t.Errorf("state %+v: a refused call left something", s)
	}
}

func lentOpensOnce(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	later := i.gate()
	later.Until = later.Until.Add(time.Hour)
	i.refused(i.Lent.Open(t.Context(), later), seckill.ErrNotLive)
	if s := i.state(); !s.Opened || !s.Live || s.GateEpoch != lentEpoch || s.GateRunID != i.server.RunID || s.GateReplicationID != i.server.ReplicationID {
		t.Errorf("state %+v", s)
	}
}

func lentOpensLoadedEpoch(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.fresh(t)
	i.must(i.Lent.Load(t.Context(), i.load))
	for _, epoch := range []int64{lentEpoch - 1, lentEpoch + 1} {
		gate := i.gate()
		gate.Epoch = epoch
		i.refused(i.Lent.Open(t.Context(), gate), seckill.ErrNotLive)
	}
	i.notLive()
}

// Run id and replication id both have to be the server's.
func lentHoldsOnOneServer(t *testing.T, o lentOpener) {
	t.Helper()
	for name, change := range map[string]func(*seckill.Server){
		"run id":         func(s *seckill.Server) { s.RunID = "0123456789abcdef" },
		"replication id": func(s *seckill.Server) { s.ReplicationID = "0123456789abcdef" },
	} {
		i := o.fresh(t)
		i.must(i.Lent.Load(t.Context(), i.load))
		gate := i.gate()
		change(&gate.Server)
		i.must(i.Lent.Open(t.Context(), gate))
		i.notLive()
		if s := i.state(); !s.Opened || s.GateRunID != gate.Server.RunID || s.GateReplicationID != gate.Server.ReplicationID {
			t.Errorf("other %s: state %+v", name, s)
		}
	}
}

func lentStaysOnOneServer(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	if i.Elsewhere == nil {
		t.Skip("needs a server that can be promoted")
	}
	i.notLiveAt(i.Elsewhere)
	i.one(seckill.ReserveAccepted, i.ask("ann", 1, ""))
}

func lentNeedsServer(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.fresh(t)
	i.must(i.Lent.Load(t.Context(), i.load))
	gate := i.gate()
	gate.Server.RunID = ""
	if err := i.Lent.Open(t.Context(), gate); err == nil {
		t.Error("opened for nobody")
	}
}

func lentRenew() []lentCase {
	return []lentCase{
		{"prolongs, and lets a lapsed gate of the epoch resume", lentProlongs},
		{"trap 9: never shortens", lentNeverShortens},
		{"trap 7: never lights a gate that is not there for this epoch and server", lentNeverLightsGate},
		{"carries pause, window and limit", lentCarriesPauseWindow},
		{"trap 35: does not undo a pause with an older version", lentKeepsPause},
		{"compares versions as numbers", lentComparesVersions},
	}
}

func lentProlongs(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.fresh(t)
	i.must(i.Lent.Load(t.Context(), i.load))
	gate := i.gate()
	gate.Until = i.server.Now.Add(-time.Second)
	i.must(i.Lent.Open(t.Context(), gate))
	i.notLive()
	i.must(i.Lent.Renew(t.Context(), i.renewal()))
	i.one(seckill.ReserveAccepted, i.ask("ann", 1, ""))
}

// A keeper that was stopped in between brings an old end.
func lentNeverShortens(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	late := i.renewal()
	late.Until = i.server.Now.Add(-time.Hour)
	i.must(i.Lent.Renew(t.Context(), late))
	i.one(seckill.ReserveAccepted, i.ask("ann", 1, ""))
}

// Relit on a promoted, stale replica it would sell units twice.
func lentNeverLightsGate(t *testing.T, o lentOpener) {
	t.Helper()
	for name, change := range map[string]func(*seckill.Renewal){
		"other epoch":          func(r *seckill.Renewal) { r.Epoch++ },
		"earlier epoch":        func(r *seckill.Renewal) { r.Epoch-- },
		"other run id":         func(r *seckill.Renewal) { r.Server.RunID = "0123456789abcdef" },
		"other replication id": func(r *seckill.Renewal) { r.Server.ReplicationID = "0123456789abcdef" },
	} {
		i := o.open(t)
		before := i.state()
		renewal := i.renewal()
		renewal.Paused, renewal.Version = true, lentVersion+1
		change(&renewal)
		i.refused(i.Lent.Renew(t.Context(), renewal), seckill.ErrNotLive)
		after := i.state()
		after.Server = before.Server
		if after != before {
			t.Errorf("%s: state %+v, before %+v", name, after, before)
		}
	}
	i := o.fresh(t) // loaded, never opened
	i.must(i.Lent.Load(t.Context(), i.load))
	i.refused(i.Lent.Renew(t.Context(), i.renewal()), seckill.ErrNotLive)
	i.notLive()
}

func lentCarriesPauseWindow(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	opens, closes := i.load.OpensAt.Add(time.Second), i.load.ClosesAt.Add(time.Minute)
	i.renew(func(r *seckill.Renewal) { r.Paused, r.OpensAt, r.ClosesAt, r.Limit = true, opens, closes, 9 })
	if s := i.state(); !s.Paused || !s.OpensAt.Equal(opens) || !s.ClosesAt.Equal(closes) || s.Limit != 9 || !s.Live {
		t.Errorf("state %+v", s)
	}
}

func lentKeepsPause(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	old := i.renewal()
	old.Limit = 99
	i.renew(func(r *seckill.Renewal) { r.Paused = true })
	i.must(i.Lent.Renew(t.Context(), old))
	if s := i.state(); !s.Paused || s.Limit != lentLimit {
		t.Errorf("state %+v", s)
	}
	i.one(seckill.ReservePaused, i.ask("ann", 1, ""))
}

func lentComparesVersions(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t, func(l *seckill.Load) { l.Version = 9 })
	i.renew(func(r *seckill.Renewal) { r.Paused = true })
	i.one(seckill.ReservePaused, i.ask("ann", 1, ""))
}
