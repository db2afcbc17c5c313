package contract

import (
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func (i *lentItem) setBuyer(want seckill.BuyerOutcome, epoch int64, user seckill.UserID, entry seckill.BuyerEntry) {
	i.Helper()
	got, err := i.Lent.SetBuyer(i.Context(), i.id, epoch, user, entry)
	i.must(err)
	if got != want {
		i.Fatalf("outcome %d, want %d", got, want)
	}
}

func lentBuyer() []lentCase {
	return []lentCase{
		{"trap 12: stays owed until an opened epoch that is not older", lentOwesBuyerUntilOpen},
		{"trap 24: adds what is absent, beside what is there", lentAddsBuyer},
		{"takes the smaller quantity of what is present", lentLowersBuyer},
		{"moves no units", lentBuyerMovesNoUnits},
		{"refuses what breaks the format", lentRefusesMalformedBuyer},
	}
}

// Applied to the old meta, or lost with it, the buyer stays locked out.
func lentOwesBuyerUntilOpen(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.fresh(t)
	entry := i.entry(0, lentSomeKey)
	i.setBuyer(seckill.BuyerNotLive, lentEpoch, "ann", entry)
	i.must(i.Lent.Load(t.Context(), i.load))
	i.setBuyer(seckill.BuyerNotLive, lentEpoch, "ann", entry)
	i.must(i.Lent.Open(t.Context(), i.gate()))
	i.setBuyer(seckill.BuyerNotLive, lentEpoch+1, "ann", entry)
	i.setBuyer(seckill.BuyerApplied, lentEpoch, "ann", entry)
	i.setBuyer(seckill.BuyerApplied, lentEpoch-1, "ann", entry)
	i.one(seckill.ReserveGivenBack, i.ask("ann", 1, lentSomeKey))
}

// A straggler's claim of a sealed epoch counts in the new one.
func lentAddsBuyer(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	i.reserve(i.ask("ann", 1, ""))
	straggler := i.entry(2, lentSomeKey)
	i.setBuyer(seckill.BuyerApplied, lentEpoch-1, "ann", straggler)
	i.setBuyer(seckill.BuyerApplied, lentEpoch-1, "ann", straggler)
	got := i.one(seckill.ReserveLimitReached, i.ask("ann", 1, ""))
	if len(got.Held) != 2 || got.Held[1] != straggler {
		t.Errorf("held %+v", got.Held)
	}
	if replay := i.one(seckill.ReserveReplayed, i.ask("ann", 2, lentSomeKey)); replay.ID != straggler.ID {
		t.Errorf("replay %+v", replay)
	}
}

func lentLowersBuyer(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	request := i.ask("ann", 3, lentSomeKey)
	made := i.reserve(request)
	for _, step := range []struct{ say, want int64 }{{3, 3}, {2, 2}, {3, 2}, {0, 0}, {2, 0}} {
		i.setBuyer(seckill.BuyerApplied, lentEpoch, "ann", seckill.BuyerEntry{ID: request.ID, Quantity: step.say, KeyHash: "somethingelse"})
		want := lentEntryOf(request, made)
		want.Quantity = step.want
		if got := i.look(seckill.LookRequest{User: "ann", ID: request.ID})[0].Entry; got != want {
			t.Fatalf("after %d: entry %+v, want %+v", step.say, got, want)
		}
	}
}

func lentBuyerMovesNoUnits(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	request := i.ask("ann", 3, "")
	i.reserve(request)
	i.giveBack(request)
	i.setBuyer(seckill.BuyerApplied, lentEpoch, "bob", i.entry(2, ""))
	if s := i.state(); s.Available != lentStock-3 || s.Sold != 3 {
		t.Errorf("state %+v: returned units come back as an issue", s)
	}
}

func lentRefusesMalformedBuyer(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	for _, entry := range []seckill.BuyerEntry{{Quantity: 1, KeyHash: "k"}, {ID: 1, Quantity: -1, KeyHash: "k"}, {ID: 1, Quantity: 1, KeyHash: "k;"}} {
		if _, err := i.Lent.SetBuyer(t.Context(), i.id, lentEpoch, "ann", entry); err == nil {
			t.Errorf("took %+v", entry)
		}
	}
}
