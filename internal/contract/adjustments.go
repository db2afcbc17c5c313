package contract

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Adjustments is the suite of seckill.Adjustments.
func Adjustments(t *testing.T, open func(t *testing.T) Ledger) {
	t.Helper()
	runLedger(t, open, []ledgerCase{
		{"adds units that the next issue lends", addsUnits},
		{"takes units that are in the pool at once", takesFromPool},
		{"owes what is lent, seals for it and takes it from the next epoch", owesWhatIsLent},
		{"owes several decreases at once, and no more than there is", owesSeveral},
		{"takes what is owed also from an increase meanwhile", increasesWhileOwed},
		{"does not open an epoch whose units are owed", opensNothingOwed},
		{"forgets what was promised meanwhile, and says so in the moves", forgetsWhatWasPromised},
		{"refuses less than what is claimed, with the largest number that works", refusesBelowClaimed},
		{"refuses everything when the item is closed", adjustsNothingClosed},
		{"answers a repeated op as the first time, whatever happened since", repeatsOp},
		{"does not remember an op that was refused", forgetsRefusedOp},
		{"refuses an op that is known for another delta", refusesOtherDelta},
		{"refuses names and numbers that make no adjustment", refusesBadOps},
		{"does not know an item without a row", adjustsNothingUnknown},
		{"does one change for an op that is sent from everywhere at once", adjustsOnce},
	})
}

// adjusts wants an adjustment to change these at once and later.
func (l ledgerTest) adjusts(item seckill.ID, op string, delta, taken, owed int64) seckill.Adjusted {
	l.Helper()
	got := l.adjust(item, op, delta)
	if got.Taken != taken || got.Owed != owed || got.Refused || got.Largest != 0 || got.Stock != l.readAt(got.Stock) {
		l.Fatalf("%s of %d: got %+v", op, delta, got)
	}
	l.addsUp(item)
	return got
}

func (l ledgerTest) adjust(item seckill.ID, op string, delta int64) seckill.Adjusted {
	l.Helper()
	got, err := l.Adjustments.Adjust(l.Context(), seckill.Adjustment{Item: item, Op: op, Delta: delta})
	if err != nil {
		l.Fatal(err)
	}
	return got
}

// adjustIsRefused wants nothing changed and the largest number told.
func (l ledgerTest) adjustIsRefused(item seckill.ID, op string, delta, largest int64) {
	l.Helper()
	before := l.stock(item)
	got := l.adjust(item, op, delta)
	if !got.Refused || got.Largest != largest || got.Taken != 0 || got.Owed != 0 || got.Repeated {
		l.Fatalf("%s of %d: got %+v", op, delta, got)
	}
	if after := l.readAt(before); after != before {
		l.Fatalf("%+v became %+v", before, after)
	}
}

func addsUnits(l ledgerTest) {
	item := l.opened(4, 1)
	l.adjusts(item, "more", 6, 6, 0)
	l.units(item, 6, 4, 0, 0)
	if move, issued, err := l.Stocks.Issue(l.Context(), item); err != nil || !issued || move.Units != 6 {
		l.Fatalf("got %+v, %t, %v", move, issued, err)
	}
	if s := l.stock(item); s.Allotted != 10 || s.State != seckill.StockOpen {
		l.Fatalf("got %+v", s)
	}
}

func takesFromPool(l ledgerTest) {
	fresh := l.stocked(10, 1)
	l.adjusts(fresh, "less", -10, -10, 0)
	l.units(fresh, 0, 0, 0, 0)
	a := l.reserve("a", 3)
	item := l.sold(many(10), a)
	l.gives(item, 3, a)
	l.adjusts(item, "less", -3, -3, 0)
	l.units(item, 0, 7, 0, 0)
	if s := l.stock(item); s.State != seckill.StockOpen || s.OwedDecrease != 0 {
		l.Fatalf("got %+v", s)
	}
}

func owesWhatIsLent(l ledgerTest) {
	item := l.sold(many(10), l.reserve("a", 3))
	l.adjusts(item, "more", 1, 1, 0)
	got := l.adjusts(item, "less", -5, -1, 4)
	if got.Stock.State != seckill.StockSealing || got.Stock.OwedDecrease != 4 || got.Stock.Since.Before(got.Stock.ReadAt) {
		l.Fatalf("got %+v", got.Stock)
	}
	l.units(item, 0, 7, 0, 3)
	s := l.openNext(item, 3)
	l.units(item, 0, 3, 0, 3)
	if s.Allotted != 6 || s.OwedDecrease != 0 {
		l.Fatalf("got %+v", s)
	}
	l.addsUp(item)
}

func owesSeveral(l ledgerTest) {
	item := l.opened(10, 1)
	l.adjusts(item, "a", -4, 0, 4)
	l.adjusts(item, "b", -3, 0, 3)
	l.adjustIsRefused(item, "c", -4, 3)
	l.adjusts(item, "c", -3, 0, 3)
	l.adjustIsRefused(item, "d", -1, 0)
	if s := l.openNext(item, 0); s.Allotted != 0 || s.OwedDecrease != 0 {
		l.Fatalf("got %+v", s)
	}
	l.addsUp(item)
}

func increasesWhileOwed(l ledgerTest) {
	item := l.opened(10, 1)
	l.adjusts(item, "less", -4, 0, 4)
	l.adjusts(item, "more", 6, 6, 0)
	l.units(item, 6, 10, 0, 0)
	l.issuesNothing(item)
	l.openNext(item, 0)
	l.units(item, 0, 12, 0, 0)
}

func opensNothingOwed(l ledgerTest) {
	item := l.stocked(10, 1)
	loading := l.rebuild(item, 0)
	if got := l.adjusts(item, "less", -4, 0, 4); got.Stock.State != seckill.StockLoading {
		l.Fatalf("got %+v", got.Stock)
	}
	if opened, err := l.Stocks.Open(l.Context(), item, loading.Epoch, loading.Attempt); err != nil || opened {
		l.Fatalf("got %t, %v", opened, err)
	}
	if s := l.openNext(item, 0); s.Epoch != 2 || s.Lent != 6 {
		l.Fatalf("got %+v", s)
	}
	l.units(item, 0, 6, 0, 0)
}

func forgetsWhatWasPromised(l ledgerTest) {
	item := l.opened(10, limitMany)
	l.adjusts(item, "less", -6, 0, 6)
	s := l.openNext(item, 8)
	l.units(item, 0, 0, 8, 0)
	if s.Allotted != 8 || s.OwedDecrease != 0 {
		l.Fatalf("got %+v", s)
	}
	name := fmt.Sprintf(":%s:owed:%d", item, s.Epoch)
	moves, err := l.Books.MovesOf(l.Context(), item, []string{"owe" + name, "adjust" + name})
	if err != nil || len(moves) != 2 || moves[0].Units+moves[1].Units != -8 {
		l.Fatalf("got %+v, %v", moves, err)
	}
	late := l.reserve("a", 8)
	l.heldOnly(l.settle(l.message(item, 1, 8, late)), late)
	l.addsUp(item)
}

func refusesBelowClaimed(l ledgerTest) {
	item := l.sold(many(10), l.reserve("a", 3))
	l.openNext(item, 5) // two in doubt, five lent
	l.adjusts(item, "more", 1, 1, 0)
	l.adjustIsRefused(item, "less", -9, 8)
	l.adjusts(item, "less", -8, -1, 7)
	l.adjustIsRefused(item, "one-more", -1, 0)
}

func adjustsNothingClosed(l ledgerTest) {
	item := l.opened(10, 1)
	l.seal(seckill.SealRequest{Item: item, Final: true})
	l.adjusts(item, "last", -2, 0, 2)
	l.rebuild(item, 0)
	l.units(item, 8, 0, 0, 0)
	for i, delta := range []int64{-1, 1} {
		l.adjustIsRefused(item, fmt.Sprintf("late-%d", i), delta, 0)
	}
	if got := l.adjusts(item, "last", -2, 0, 2); !got.Repeated {
		l.Fatalf("got %+v", got)
	}
}

func repeatsOp(l ledgerTest) {
	item := l.opened(10, 1)
	l.adjusts(item, "more", 1, 1, 0)
	first := l.adjusts(item, "less", -4, -1, 3)
	if first.Repeated {
		l.Fatalf("got %+v", first)
	}
	for range 2 {
		again := l.adjusts(item, "less", -4, -1, 3)
		if !again.Repeated || again.Stock.OwedDecrease != 3 {
			l.Fatalf("got %+v", again)
		}
		l.adjusts(item, "more", 1, 1, 0)
	}
	l.openNext(item, 0)
	again := l.adjusts(item, "less", -4, -1, 3)
	if !again.Repeated || again.Stock.Allotted != 7 || again.Stock.State != seckill.StockOpen {
		l.Fatalf("got %+v", again)
	}
	other := l.opened(10, 1)
	if got := l.adjusts(other, "less", -4, 0, 4); got.Repeated {
		l.Fatalf("another item's op was taken for it: %+v", got)
	}
}

func forgetsRefusedOp(l ledgerTest) {
	item := l.opened(4, 1)
	l.adjustIsRefused(item, "less", -5, 4)
	l.adjusts(item, "more", 1, 1, 0)
	if got := l.adjusts(item, "less", -5, -1, 4); got.Repeated {
		l.Fatalf("got %+v", got)
	}
}

func refusesOtherDelta(l ledgerTest) {
	item := l.opened(4, 1)
	l.adjusts(item, "op", -3, 0, 3)
	for _, delta := range []int64{-4, 3} {
		_, err := l.Adjustments.Adjust(l.Context(), seckill.Adjustment{Item: item, Op: "op", Delta: delta})
		if seckill.ReasonOf(err) != seckill.IdempotencyMismatch {
			l.Fatalf("got %v", err)
		}
	}
	l.addsUp(item)
}

func refusesBadOps(l ledgerTest) {
	item := l.opened(4, 1)
	longest := strings.Repeat("x", seckill.OpMax)
	for _, op := range []string{"", longest + "x", "owed:2", "two words", "naïve", "allotment"} {
		_, err := l.Adjustments.Adjust(l.Context(), seckill.Adjustment{Item: item, Op: op, Delta: 1})
		if seckill.ReasonOf(err) != seckill.Invalid {
			l.Fatalf("%q: got %v", op, err)
		}
	}
	_, err := l.Adjustments.Adjust(l.Context(), seckill.Adjustment{Item: item, Op: "nothing"})
	if seckill.ReasonOf(err) != seckill.Invalid {
		l.Fatalf("got %v", err)
	}
	l.adjusts(item, longest, -1, 0, 1)
}

func adjustsNothingUnknown(l ledgerTest) {
	_, err := l.Adjustments.Adjust(l.Context(), seckill.Adjustment{Item: l.id(3), Op: "op", Delta: 1})
	if !errors.Is(err, seckill.ErrNotFound) {
		l.Fatalf("got %v", err)
	}
}

func adjustsOnce(l ledgerTest) {
	item := l.opened(10, 1)
	deltas := map[string]int64{"more": 5, "less": -7, "least": -1}
	var mu sync.Mutex
	answers := make(map[string][]seckill.Adjusted)
	var done sync.WaitGroup
	for op, delta := range deltas {
		for range 3 {
			done.Go(func() {
				got, err := l.adjustPatiently(seckill.Adjustment{Item: item, Op: op, Delta: delta})
				if err != nil {
					l.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				answers[op] = append(answers[op], got)
			})
		}
	}
	done.Wait()
	for op, delta := range deltas {
		l.oneFirst(op, delta, answers[op])
	}
	if s := l.stock(item); s.Allotted-s.OwedDecrease != 10+5-7-1 {
		l.Fatalf("got %+v", s)
	}
	l.addsUp(item)
}

// adjustPatiently repeats passing failures, as every caller does.
func (l ledgerTest) adjustPatiently(a seckill.Adjustment) (seckill.Adjusted, error) {
	got, err := l.Adjustments.Adjust(l.Context(), a)
	for errors.Is(err, seckill.ErrTransient) {
		got, err = l.Adjustments.Adjust(l.Context(), a)
	}
	return got, err
}

// oneFirst wants equal answers of which one is the first.
func (l ledgerTest) oneFirst(op string, delta int64, answers []seckill.Adjusted) {
	l.Helper()
	firsts := 0
	for _, got := range answers {
		if got.Taken != answers[0].Taken || got.Owed != answers[0].Owed || got.Taken-got.Owed != delta || got.Refused {
			l.Fatalf("%s: got %+v", op, answers)
		}
		if !got.Repeated {
			firsts++
		}
	}
	if firsts != 1 {
		l.Fatalf("%s was done %d times: %+v", op, firsts, answers)
	}
}
