package keeper

import (
	"errors"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// judgeRig is an item that has been open for a minute, in SQL and in Redis.
type judgeRig struct {
	clock   *handclock.Clock
	stocks  *fakeStocks
	lent    *fakeLent
	recover *Recover
}

func newJudgeRig() *judgeRig {
	clock := handclock.New()
	stock := seckill.Stock{
		Item: 7, Epoch: 3, State: seckill.StockOpen, Issue: 5, Since: clock.Now().Add(-time.Minute), ReadAt: clock.Now(),
	}
	server := seckill.Server{RunID: "run", ReplicationID: "replication"}
	lent := &fakeLent{state: seckill.LentState{
		Item: 7, Known: true, Live: true, Opened: true, Epoch: 3, Issue: 5,
		GateEpoch: 3, GateRunID: "run", GateReplicationID: "replication", Server: server,
	}}
	stocks := &fakeStocks{stock: stock}
	ports := Ports{Stocks: stocks, Lent: lent, Clock: clock, Shards: oneShard{}, Log: discard()}
	return &judgeRig{clock: clock, stocks: stocks, lent: lent, recover: NewRecover(ports)}
}

// sealed judges once and says whether the epoch was sealed.
func (r *judgeRig) sealed(t *testing.T) bool {
	t.Helper()
	r.stocks.sealed = nil
	if err := r.recover.RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	return len(r.stocks.sealed) > 0
}

func TestJudgeLoss(t *testing.T) {
	t.Parallel()
	losses := map[string]func(*seckill.LentState){
		"meta is missing":                      func(s *seckill.LentState) { s.Known = false },
		"gate is missing":                      func(s *seckill.LentState) { s.GateEpoch, s.GateRunID = 0, "" },
		"trap 8: gate of another run":          func(s *seckill.LentState) { s.GateRunID = "before" },
		"trap 27: gate of another replication": func(s *seckill.LentState) { s.GateReplicationID = "before" },
		"another epoch":                        func(s *seckill.LentState) { s.Epoch = 2 },
		"an issue that SQL does not have":      func(s *seckill.LentState) { s.Issue = 6 },
	}
	for name, lose := range losses {
		t.Run("seals when redis shows a loss: "+name, func(t *testing.T) {
			t.Parallel()
			rig := newJudgeRig()
			lose(&rig.lent.state)
			if !rig.sealed(t) {
				t.Fatal("not sealed")
			}
			if got := rig.stocks.sealed[0].Epoch; got != 3 {
				t.Fatalf("sealed epoch %d, want the one that was judged", got)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	t.Run("leaves a healthy epoch alone", func(t *testing.T) {
		t.Parallel()
		if newJudgeRig().sealed(t) {
			t.Fatal("sealed")
		}
	})
	t.Run("leaves a lapsed gate alone: renewing resumes", func(t *testing.T) {
		t.Parallel()
		rig := newJudgeRig()
		rig.lent.state.Live = false
		if rig.sealed(t) {
			t.Fatal("sealed")
		}
	})
	t.Run("judges nothing in the first 2 s after opening", func(t *testing.T) {
		t.Parallel()
		rig := newJudgeRig()
		rig.lent.state.Known = false
		rig.stocks.stock.Since = rig.stocks.stock.ReadAt.Add(-time.Second)
		if rig.sealed(t) {
			t.Fatal("sealed")
		}
	})
	t.Run("judges nothing by an old picture of redis", func(t *testing.T) {
		t.Parallel()
		rig := newJudgeRig()
		rig.lent.state.Known = false
		rig.lent.onRead = func() { rig.clock.Advance(time.Minute) }
		if rig.sealed(t) {
			t.Fatal("sealed")
		}
	})
	t.Run("takes silence for an outage", func(t *testing.T) {
		t.Parallel()
		rig := newJudgeRig()
		rig.lent.err, rig.lent.state = errors.New("connection refused"), seckill.LentState{}
		if err := rig.recover.RunOnce(t.Context()); err == nil || len(rig.stocks.sealed) > 0 {
			t.Fatalf("error %v, sealed %v", err, rig.stocks.sealed)
		}
	})
}

func TestJudgeIssues(t *testing.T) {
	t.Parallel()
	behind := func() *judgeRig {
		rig := newJudgeRig()
		rig.lent.state.Issue = 4
		rig.stocks.moves = []seckill.Move{{Item: 7, Kind: seckill.MoveIssue, Epoch: 3, Issue: 5, Units: 10}}
		return rig
	}
	t.Run("trap 26: sends an issue that redis lacks instead of sealing", func(t *testing.T) {
		t.Parallel()
		rig := behind()
		if rig.sealed(t) || len(rig.lent.issued) != 1 {
			t.Fatalf("sealed, or issued %v", rig.lent.issued)
		}
		rig.lent.state.Issue = 5
		rig.clock.Advance(time.Minute)
		if rig.sealed(t) {
			t.Fatal("sealed after redis caught up")
		}
	})
	t.Run("seals when redis stays behind 2 s after that", func(t *testing.T) {
		t.Parallel()
		rig := behind()
		rig.sealed(t)
		rig.clock.Advance(seckill.JudgeAfter - time.Millisecond)
		if rig.sealed(t) {
			t.Fatal("too early")
		}
		rig.clock.Advance(time.Millisecond)
		if !rig.sealed(t) {
			t.Fatal("not sealed")
		}
	})
}
