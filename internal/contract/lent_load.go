package contract

import (
	"errors"
	"fmt"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func lentLoad() []lentCase {
	return []lentCase{
		{"trap 22: brings meta with its first issue, closed", lentLoadsMeta},
		{"trap 10: happens once per epoch", lentLoadsOnce},
		{"compares epochs as numbers", lentComparesEpochs},
		{"trap 30: replaces buyers, drops the gate and keeps the outbox", lentReplacesBuyers},
		{"trap 24: takes the buyers of its own attempt only", lentKeepsAttemptsApart},
		{"takes a chunk twice for once, and large ones", lentTakesChunks},
		{"refuses when buyers are missing or unexpected", lentRefusesLostBuyers},
	}
}

func lentLoadsMeta(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.fresh(t)
	i.load.Paused = true
	i.must(i.Lent.Load(t.Context(), i.load))
	s, l := i.state(), i.load
	want := seckill.LentState{
		Item: i.id, Known: true, Epoch: l.Epoch, Available: l.Available, Issue: l.Issue, Limit: l.Limit,
		OpensAt: l.OpensAt, ClosesAt: l.ClosesAt, Paused: true, Server: s.Server,
	}
	if s != want {
		t.Errorf("state %+v\nwant  %+v", s, want)
	}
	i.notLive()
}

// The amount would be lent twice under one epoch.
func lentLoadsOnce(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	i.reserve(i.ask("ann", 2, ""))
	for _, epoch := range []int64{lentEpoch, lentEpoch - 1} {
		again := i.load
		again.Epoch, again.Attempt = epoch, i.next()
		i.refused(i.Lent.Load(t.Context(), again), seckill.ErrEpochKnown)
		i.refused(i.Lent.LoadBuyers(t.Context(), i.id, epoch, again.Attempt, i.buyers(1)), seckill.ErrEpochKnown)
	}
	if s := i.state(); s.Sold != 2 || s.Available != lentStock-2 || !s.Live {
		t.Errorf("state %+v after loads that should do nothing", s)
	}
}

func lentComparesEpochs(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t, func(l *seckill.Load) { l.Epoch = 9 })
	i.reload()
	if s := i.state(); s.Epoch != 10 || !s.Live {
		t.Errorf("state %+v", s)
	}
}

func lentReplacesBuyers(t *testing.T, o lentOpener) {
	t.Helper()
	lentNextEpoch(o.open(t))
}

// Two keepers that load in chunks would mix their buyers.
func lentKeepsAttemptsApart(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.fresh(t)
	other := i.next()
	mine, theirs := i.buyers(2), i.buyers(3)
	i.must(i.Lent.LoadBuyers(t.Context(), i.id, lentEpoch, other, theirs[:2]))
	i.must(i.Lent.LoadBuyers(t.Context(), i.id, lentEpoch, i.load.Attempt, mine[:1]))
	i.must(i.Lent.LoadBuyers(t.Context(), i.id, lentEpoch, other, theirs[2:]))
	i.must(i.Lent.LoadBuyers(t.Context(), i.id, lentEpoch, i.load.Attempt, mine[1:]))
	i.load.Buyers = 2
	i.must(i.Lent.Load(t.Context(), i.load))
	i.must(i.Lent.Open(t.Context(), i.gate()))
	i.holds(mine, true)
	i.holds(theirs, false)
}

func lentTakesChunks(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.fresh(t)
	buyers := i.buyers(1201)
	for _, chunk := range [][]seckill.Buyer{buyers[:700], buyers[600:], buyers[:700]} {
		i.must(i.Lent.LoadBuyers(t.Context(), i.id, lentEpoch, i.load.Attempt, chunk))
	}
	i.load.Buyers = 1201
	i.must(i.Lent.Load(t.Context(), i.load))
	i.must(i.Lent.Open(t.Context(), i.gate()))
	i.holds(buyers, true)
}

func lentRefusesLostBuyers(t *testing.T, o lentOpener) {
	t.Helper()
	for name, counts := range map[string][2]int{"all lost": {0, 2}, "some lost": {1, 2}, "too many": {2, 1}, "none expected": {1, 0}} {
		i := o.open(t)
		i.load.Epoch, i.load.Attempt, i.load.Buyers = lentEpoch+1, i.next(), int64(counts[1])
		i.must(i.Lent.LoadBuyers(t.Context(), i.id, i.load.Epoch, i.load.Attempt, i.buyers(counts[0])))
		err := i.Lent.Load(t.Context(), i.load)
		if err == nil || errors.Is(err, seckill.ErrEpochKnown) || errors.Is(err, seckill.ErrNotLive) {
			t.Errorf("%s: error %v", name, err)
		}
		if s := i.state(); s.Epoch != lentEpoch || !s.Live {
			t.Errorf("%s: state %+v, want the old epoch as it was", name, s)
		}
	}
}

// buyers are n buyers with one entry each.
func (i *lentItem) buyers(n int) []seckill.Buyer {
	buyers := make([]seckill.Buyer, n)
	for b := range buyers {
		id := i.next()
		entry := seckill.BuyerEntry{ID: id, Quantity: 1, KeyHash: seckill.KeyHash("", id)}
		buyers[b] = seckill.Buyer{User: seckill.UserID(fmt.Sprint("buyer-", id)), Entries: []seckill.BuyerEntry{entry}}
	}
	return buyers
}

func (i *lentItem) entry(quantity int64, key string) seckill.BuyerEntry {
	id := i.next()
	return seckill.BuyerEntry{ID: id, Quantity: quantity, KeyHash: seckill.KeyHash(key, id)}
}

// loadBuyers loads the epoch with exactly these buyers.
func (i *lentItem) loadBuyers(buyers ...seckill.Buyer) {
	i.Helper()
	i.must(i.Lent.LoadBuyers(i.Context(), i.id, i.load.Epoch, i.load.Attempt, buyers))
	i.load.Buyers = int64(len(buyers))
	i.must(i.Lent.Load(i.Context(), i.load))
}

// holds asks for each buyer's first entry by its id.
func (i *lentItem) holds(buyers []seckill.Buyer, want bool) {
	i.Helper()
	var requests []seckill.LookRequest
	for _, buyer := range buyers {
		requests = append(requests, seckill.LookRequest{User: buyer.User, ID: buyer.Entries[0].ID})
	}
	for n, answer := range i.look(requests...) {
		if answer.Found != want {
			i.Errorf("%s is there: %v, want %v", buyers[n].User, answer.Found, want)
		}
	}
}

func lentNextEpoch(i *lentItem) {
	old := i.ask("ann", 2, lentSomeKey)
	made := i.reserve(old)
	i.load.Epoch++
	i.load.Issue++
	i.load.Available = 5
	i.loadBuyers(i.buyers(1)...)
	i.notLive()
	i.refused(i.Lent.Renew(i.Context(), i.renewal()), seckill.ErrNotLive)
	if s := i.state(); s.GateEpoch != 0 || s.Sold != 0 || s.Available != 5 || s.Unsent != 1 {
		i.Errorf("state %+v", s)
	}
	if box := i.outbox(); len(box) != 1 || box[0].Batch != made.Own.Batch {
		i.Errorf("outbox %v, want what is still owed", box)
	}
	i.must(i.Lent.Open(i.Context(), i.gate()))
	i.one(seckill.ReserveAccepted, i.ask("ann", 2, lentSomeKey)) // SQL did not know of the old one
	i.load.Buyers = 0
	i.reload()
	i.one(seckill.ReserveAccepted, i.ask("ann", 2, lentSomeKey))
}
