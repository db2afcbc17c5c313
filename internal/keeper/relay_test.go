package keeper

import (
	"slices"
	"testing"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
)

type relayRig struct {
	lent      *fakeLent
	queue     *fakeQueue
	publisher *fakePublisher
	relay     *Relay
}

func newRelayRig(entries ...seckill.DueEntry) *relayRig {
	rig := &relayRig{
		lent:  &fakeLent{state: seckill.LentState{Item: 7, Known: true, Unsent: 1, Unsettled: 1}, due: entries},
		queue: &fakeQueue{state: seckill.QueueState{Consumers: 1}}, publisher: &fakePublisher{},
	}
	stocks := &fakeStocks{stock: seckill.Stock{Item: 7, Epoch: 3, State: seckill.StockOpen}}
	rig.relay = NewRelay(Ports{
		Lent: rig.lent, Queue: rig.queue, Publisher: rig.publisher, Stocks: stocks,
		Shards: oneShard{}, Clock: handclock.New(), Log: discard(),
	})
	return rig
}

func dueEntry(batch seckill.ID, unsent bool) seckill.DueEntry {
	m := seckill.Message{Batch: batch, Item: 7, Epoch: 3, At: 1, Sold: 1, Reservations: []seckill.Reserved{
		{ID: 1, User: "ann", Quantity: 1, KeyHash: "1"},
	}}
	return seckill.DueEntry{Body: seckill.Body{Batch: batch, Bytes: m.Encode()}, Unsent: unsent, Tries: 1}
}

func TestRelay(t *testing.T) {
	t.Parallel()
	t.Run("publishes what is due and notes what was unsent as sent", func(t *testing.T) {
		t.Parallel()
		rig := newRelayRig(dueEntry(1, true), dueEntry(2, false))
		if err := rig.relay.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(rig.publisher.published, []seckill.ID{1, 2}) || !slices.Equal(rig.lent.sent, []seckill.ID{1}) {
			t.Fatalf("published %v, sent %v", rig.publisher.published, rig.lent.sent)
		}
	})
	t.Run("notes nothing as sent that was not confirmed", func(t *testing.T) {
		t.Parallel()
		rig := newRelayRig(dueEntry(1, true), dueEntry(2, true))
		rig.publisher.refuse = 2
		if err := rig.relay.RunOnce(t.Context()); err == nil {
			t.Fatal("no error")
		}
		if !slices.Equal(rig.lent.sent, []seckill.ID{1}) {
			t.Fatalf("sent %v", rig.lent.sent)
		}
	})
	t.Run("trap 16: leaves a backlog alone for a minute, and slows down after 20 tries", leavesABacklog)
}

func leavesABacklog(t *testing.T) {
	t.Parallel()
	rig := newRelayRig()
	rig.queue.state.Ready = 5
	if err := rig.relay.RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	query := rig.lent.queries[0]
	if query.UnsettledFor != unsettledAnyway || query.UnsentFor != unsentFor {
		t.Fatalf("asked %+v while messages are ready", query)
	}
	if query.TriesMax != relayTriesMax || query.SlowFor != relaySlowFor {
		t.Fatalf("asked %+v: tries are not bounded", query)
	}
	rig.queue.state.Ready = 0
	if err := rig.relay.RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := rig.lent.queries[1].UnsettledFor; got != unsettledFor {
		t.Fatalf("waits %v for unsettled batches though nothing is ready", got)
	}
}

func TestOwed(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, outcome seckill.BuyerOutcome, state seckill.StockState) []seckill.ID {
		t.Helper()
		owing := &fakeOwing{rows: []seckill.Owed{{ID: 5, Kind: seckill.OwedBuyer, Item: 7, Epoch: 3, User: "ann"}}}
		job := NewOwed(Ports{
			Owing: owing, Lent: &fakeLent{outcome: outcome}, Stocks: &fakeStocks{stock: seckill.Stock{Item: 7, State: state}},
			Shards: oneShard{}, Clock: handclock.New(), Log: discard(),
		})
		if err := job.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		return owing.done
	}
	t.Run("is done when redis has taken the entry", func(t *testing.T) {
		t.Parallel()
		if done := run(t, seckill.BuyerApplied, seckill.StockOpen); !slices.Equal(done, []seckill.ID{5}) {
			t.Fatalf("done %v", done)
		}
	})
	t.Run("trap 12: stays owed while no epoch at least as late is open", func(t *testing.T) {
		t.Parallel()
		for _, state := range []seckill.StockState{seckill.StockSealing, seckill.StockLoading, seckill.StockOpen} {
			if done := run(t, seckill.BuyerNotLive, state); len(done) > 0 {
				t.Fatalf("dropped while %s", state)
			}
		}
	})
	t.Run("trap 33: is done when the item is closed", func(t *testing.T) {
		t.Parallel()
		if done := run(t, seckill.BuyerNotLive, seckill.StockClosed); !slices.Equal(done, []seckill.ID{5}) {
			t.Fatalf("done %v", done)
		}
	})
}

func TestIssueJob(t *testing.T) {
	t.Parallel()
	// issued runs the job on an item at issue 6 of epoch 3 in SQL, of which redis has issue 4 under some epoch.
	issued := func(t *testing.T, epoch int64) []int64 {
		t.Helper()
		lent := &fakeLent{state: seckill.LentState{Item: 7, Known: true, Epoch: epoch, Issue: 4}}
		stocks := &fakeStocks{
			stock: seckill.Stock{Item: 7, Epoch: 3, State: seckill.StockOpen, Issue: 6},
			moves: []seckill.Move{{Item: 7, Epoch: 3, Issue: 5, Units: 1}, {Item: 7, Epoch: 3, Issue: 6, Units: 2}},
		}
		job := NewIssue(Ports{Lent: lent, Stocks: stocks, Shards: oneShard{}, Clock: handclock.New(), Log: discard()})
		if err := job.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		return lent.issued
	}
	t.Run("sends every issue that redis lacks, in order", func(t *testing.T) {
		t.Parallel()
		if got := issued(t, 3); !slices.Equal(got, []int64{5, 6}) {
			t.Fatalf("issued %v", got)
		}
	})
	t.Run("trap 20: sends nothing to another epoch", func(t *testing.T) {
		t.Parallel()
		if got := issued(t, 2); len(got) > 0 {
			t.Fatalf("issued %v", got)
		}
	})
}
