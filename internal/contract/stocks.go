package contract

import (
	"errors"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Stocks is the suite of seckill.Stocks.
func Stocks(t *testing.T, open func(t *testing.T) Ledger) {
	t.Helper()
	runLedger(t, open, []ledgerCase{
		{"creates a row once, with its adjust move", createsOnce},
		{"does not know an item without a row", unknownStock},
		{"lists rows by state", listsByState},
		{"preloads: the whole pool becomes the first issue", preloads},
		{"opens only the epoch and attempt that was loaded", opensOnlyWhatWasLoaded},
		{"peers: stock does not grow by a repeated rebuild (traps 10, 24)", rebuildsOnce},
		{"restarts a load only for the attempt that stalled (trap 24)", restartsOnlyTheStalledLoad},
		{"trap 1: keeps promised units in doubt over a loss", keepsPromisedInDoubt},
		{"trap 30: does not rebuild a row that was touched since it was judged", rebuildsWhatWasJudged},
		{"puts no more in doubt than is lent, and nothing when more was seen than promised", boundsDoubt},
		{"trap 20: issue numbers never restart with the epoch", numbersGoOn},
		{"trap 26: an issue belongs to its epoch and can be sent again", movesAreListed},
		{"trap 33: lends nothing of an item that is not open", issuesOnlyWhenOpen},
		{"seals only an open epoch, and the one that was judged", sealsTheJudgedEpoch},
		{"notes final in every state and closes at the next step", finalSticks},
		{"passes close at once when told so, also while sealing", passesClose},
		{"trap 32: lifts high, never lowers it, and only for that epoch", raisesHigh},
		{"notes the progress of the load under way only", notesProgress},
		{"releases doubt a minute after the last seal, also when closed", releasesDoubt},
		{"counts the minute from the last seal", releasesAfterTheLastSeal},
		{"trap 28: lifts the ceiling and never lowers it", raisesCeiling},
		{"halts lending and rebuilding and keeps the first reason", halts},
	})
}

func createsOnce(l ledgerTest) {
	item := seckill.Item{ID: l.id(1), Allotment: 7, LimitPerUser: 2, OneTry: true}
	for _, allotment := range []int64{7, 9} {
		item.Allotment = allotment
		if err := l.Stocks.Create(l.Context(), item, seckill.GateMax); err != nil {
			l.Fatal(err)
		}
	}
	l.units(item.ID, 7, 0, 0, 0)
	s := l.stock(item.ID)
	if s.State != seckill.StockNew || s.Epoch != 0 || s.Ceiling != 2 || !s.OneTry || s.Gate != seckill.GateMax || s.Since.IsZero() {
		l.Fatalf("got %+v", s)
	}
}

func unknownStock(l ledgerTest) {
	nowhere := l.id(3)
	_, err := l.Stocks.Get(l.Context(), nowhere)
	_, factsErr := l.Books.Facts(l.Context(), nowhere)
	_, sealErr := l.Stocks.Seal(l.Context(), seckill.SealRequest{Item: nowhere})
	for _, err := range []error{
		err, factsErr, sealErr, l.Stocks.RaiseCeiling(l.Context(), nowhere, 1), l.Stocks.Halt(l.Context(), nowhere, "gone"),
	} {
		if !errors.Is(err, seckill.ErrNotFound) {
			l.Fatalf("want ErrNotFound, got %v", err)
		}
	}
}

func listsByState(l ledgerTest) {
	first, second := l.stocked(1, 1), l.opened(1, 1)
	for _, want := range []struct {
		item   seckill.ID
		states []seckill.StockState
		count  int
	}{
		{first, []seckill.StockState{seckill.StockNew}, 1},
		{second, []seckill.StockState{seckill.StockOpen, seckill.StockSealing}, 1},
		{first, []seckill.StockState{seckill.StockLoading}, 0},
	} {
		list, err := l.Stocks.List(l.Context(), seckill.HomeShard(l.Shards, want.item), want.states...)
		if err != nil || len(list) != want.count || (want.count > 0 && list[0] != l.readAt(list[0])) {
			l.Fatalf("%v: got %+v, %v", want.states, list, err)
		}
	}
}

// readAt is the row now, as if read when the other one was.
func (l ledgerTest) readAt(other seckill.Stock) seckill.Stock {
	l.Helper()
	s := l.stock(other.Item)
	s.ReadAt = other.ReadAt
	return s
}

func preloads(l ledgerTest) {
	item := l.stocked(10, 1)
	next := l.rebuild(item, 0)
	if next.State != seckill.StockLoading || next.Epoch != 1 || next.Issue != 1 || next.Attempt == 0 || next.Progress.IsZero() {
		l.Fatalf("got %+v", next)
	}
	if next != l.readAt(next) {
		l.Fatalf("the row differs from what was answered: %+v", next)
	}
	l.units(item, 0, 10, 0, 0)
}

func opensOnlyWhatWasLoaded(l ledgerTest) {
	item := l.stocked(10, 1)
	s := l.rebuild(item, 0)
	for _, try := range []struct {
		epoch   int64
		attempt seckill.ID
		want    bool
	}{{s.Epoch + 1, s.Attempt, false}, {s.Epoch, s.Attempt + 1, false}, {s.Epoch, s.Attempt, true}, {s.Epoch, s.Attempt, false}} {
		opened, err := l.Stocks.Open(l.Context(), item, try.epoch, try.attempt)
		if err != nil || opened != try.want {
			l.Fatalf("%+v: got %t, %v", try, opened, err)
		}
	}
	if l.stock(item).State != seckill.StockOpen {
		l.Fatal("not open")
	}
}

func rebuildsOnce(l ledgerTest) {
	item := l.stocked(10, 1)
	first := seckill.Rebuild{Item: item, From: seckill.StockNew, NextAttempt: l.id(0)}
	for i, want := range []bool{true, false} {
		s, done, err := l.Stocks.Rebuild(l.Context(), first)
		if err != nil || done != want || s.Epoch != 1 || s.Attempt != first.NextAttempt {
			l.Fatalf("%d: got %t, %+v, %v", i, done, s, err)
		}
	}
	l.units(item, 0, 10, 0, 0)
	if _, done, err := l.Stocks.Rebuild(l.Context(), seckill.Rebuild{Item: item, Epoch: 1, From: seckill.StockOpen}); done || err != nil {
		l.Fatalf("rebuilt without a seal: %t, %v", done, err)
	}
}

func restartsOnlyTheStalledLoad(l ledgerTest) {
	item := l.stocked(10, 1)
	stalled := l.rebuild(item, 0)
	again := seckill.Rebuild{Item: item, Epoch: 1, From: seckill.StockLoading, Attempt: l.id(0), NextAttempt: l.id(0)}
	if _, done, err := l.Stocks.Rebuild(l.Context(), again); done || err != nil {
		l.Fatalf("another attempt was restarted: %t, %v", done, err)
	}
	again.Attempt = stalled.Attempt
	again.Target = 10 // nothing of an epoch that was never opened was promised
	s, done, err := l.Stocks.Rebuild(l.Context(), again)
	if err != nil || !done || s.Epoch != 2 || s.Issue != 2 || s.Attempt != again.NextAttempt || !s.SealedAt.IsZero() {
		l.Fatalf("got %t, %+v, %v", done, s, err)
	}
	l.units(item, 0, 10, 0, 0)
	if opened, err := l.Stocks.Open(l.Context(), item, 1, stalled.Attempt); opened || err != nil {
		l.Fatalf("a keeper that wakes up opened its old epoch: %t, %v", opened, err)
	}
}

func keepsPromisedInDoubt(l ledgerTest) {
	item := l.opened(10, limitMany)
	seen, late := l.reserve("seen", 2), l.reserve("late", 3)
	l.settle(l.message(item, 1, 2, seen))
	s := l.openNext(item, 5)
	l.units(item, 0, 5, 3, 2)
	if s.High != 0 || s.Accounted != 0 || !s.ClaimedAt.IsZero() || s.SealedAt.IsZero() {
		l.Fatalf("the new epoch began with the old one's counts: %+v", s)
	}
	l.heldOnly(l.settle(l.message(item, 1, 5, late)), late)
	l.units(item, 0, 5, 0, 5)
}

func rebuildsWhatWasJudged(l ledgerTest) {
	item := l.opened(4, limitMany)
	l.seal(seckill.SealRequest{Item: item})
	judged := l.stock(item)
	l.settle(l.message(item, 1, 3, l.reserve("a", 1))) // so two more were promised than the keeper knew
	rebuild := seckill.Rebuild{Item: item, Epoch: 1, From: seckill.StockSealing, NextAttempt: l.id(0), Version: judged.Version}
	if s, done, err := l.Stocks.Rebuild(l.Context(), rebuild); done || err != nil || s.State != seckill.StockSealing {
		l.Fatalf("got %+v, %t, %v", s, done, err)
	}
	judged = l.stock(item)
	rebuild.Version, rebuild.Target = judged.Version, judged.High
	if _, done, err := l.Stocks.Rebuild(l.Context(), rebuild); !done || err != nil {
		l.Fatalf("got %t, %v", done, err)
	}
	l.units(item, 0, 1, 2, 1)
}

func boundsDoubt(l ledgerTest) {
	item := l.opened(4, limitMany)
	l.openNext(item, 1000)
	l.units(item, 0, 0, 4, 0)
	item = l.opened(4, limitMany)
	l.settle(l.message(item, 1, 2, l.reserve("a", 2)))
	l.openNext(item, 1)
	l.units(item, 0, 2, 0, 2)
}

func numbersGoOn(l ledgerTest) {
	item := l.opened(4, limitMany)
	for want := int64(2); want < 5; want++ {
		if s := l.openNext(item, 0); s.Issue != want || s.Epoch != want {
			l.Fatalf("got issue %d of epoch %d, want %d", s.Issue, s.Epoch, want)
		}
	}
	l.openNext(item, 4) // everything is in doubt: the issue is empty and numbered all the same
	if s := l.stock(item); s.Issue != 5 || s.Lent != 0 {
		l.Fatalf("got %+v", s)
	}
	l.addsUp(item)
}

func movesAreListed(l ledgerTest) {
	item := l.opened(4, 1)
	a, b := l.reserve("a", 1), l.reserve("a", 1)
	l.settle(l.message(item, 1, 2, a, b)) // the second is over the limit: one unit returns to the pool
	move, issued, err := l.Stocks.Issue(l.Context(), item)
	if err != nil || !issued || move.Issue != 2 || move.Epoch != 1 || move.Units != 1 {
		l.Fatalf("got %+v, %t, %v", move, issued, err)
	}
	for after, want := range map[int64]int{0: 2, 1: 1, 2: 0} {
		moves, err := l.Stocks.Moves(l.Context(), item, 1, after)
		if err != nil || len(moves) != want || (want > 0 && moves[want-1] != move) {
			l.Fatalf("after %d: got %+v, %v", after, moves, err)
		}
	}
	if moves, err := l.Stocks.Moves(l.Context(), item, 2, 0); err != nil || len(moves) != 0 {
		l.Fatalf("got %+v, %v", moves, err)
	}
}

func issuesOnlyWhenOpen(l ledgerTest) {
	item := l.stocked(4, limitMany)
	l.issuesNothing(item) // new
	l.rebuild(item, 0)
	l.issuesNothing(item) // loading
	s := l.stock(item)
	if _, err := l.Stocks.Open(l.Context(), item, s.Epoch, s.Attempt); err != nil {
		l.Fatal(err)
	}
	l.issuesNothing(item) // open, the pool is empty
	l.seal(seckill.SealRequest{Item: item, Final: true})
	l.issuesNothing(item) // sealing
	l.rebuild(item, 0)
	l.units(item, 4, 0, 0, 0)
	l.issuesNothing(item) // closed
}

func (l ledgerTest) issuesNothing(item seckill.ID) {
	l.Helper()
	before := l.stock(item)
	if move, issued, err := l.Stocks.Issue(l.Context(), item); err != nil || issued || move != (seckill.Move{}) {
		l.Fatalf("%s: got %+v, %t, %v", before.State, move, issued, err)
	}
	if after := l.stock(item); after.Version != before.Version {
		l.Fatalf("%s: the row was changed", before.State)
	}
}

func sealsTheJudgedEpoch(l ledgerTest) {
	item := l.opened(4, 1)
	for _, try := range []struct {
		epoch int64
		want  bool
	}{{2, false}, {1, true}, {1, false}} {
		if sealed := l.seal(seckill.SealRequest{Item: item, Epoch: try.epoch}); sealed != try.want {
			l.Fatalf("%+v: got %t", try, sealed)
		}
	}
	s := l.stock(item)
	if s.State != seckill.StockSealing || s.Since.Before(s.ReadAt.Add(-time.Minute)) || s.Final {
		l.Fatalf("got %+v", s)
	}
	l.units(item, 0, 4, 0, 0)
}

func finalSticks(l ledgerTest) {
	fresh, loading, sealing := l.stocked(4, 1), l.stocked(4, 1), l.opened(4, 1)
	attempt := l.rebuild(loading, 0).Attempt
	l.seal(seckill.SealRequest{Item: sealing})
	for _, item := range []seckill.ID{fresh, loading, sealing} {
		if l.seal(seckill.SealRequest{Item: item, Epoch: l.stock(item).Epoch + 1, Final: true}); l.stock(item).Final {
			l.Fatal("another epoch's end was noted")
		}
		if sealed := l.seal(seckill.SealRequest{Item: item, Final: true}); sealed || !l.stock(item).Final {
			l.Fatalf("sealed %t, %+v", sealed, l.stock(item))
		}
	}
	if opened, err := l.Stocks.Open(l.Context(), loading, 1, attempt); opened || err != nil {
		l.Fatalf("an ended item was opened: %t, %v", opened, err)
	}
	for _, item := range []seckill.ID{fresh, loading, sealing} {
		if s := l.rebuild(item, 0); s.State != seckill.StockClosed || s.Pool != 4 || s.Lent != 0 {
			l.Fatalf("got %+v", s)
		}
		if l.seal(seckill.SealRequest{Item: item}) {
			l.Fatal("a closed item was sealed")
		}
		l.units(item, 4, 0, 0, 0)
	}
}

func passesClose(l ledgerTest) {
	open, sealing := l.opened(4, 1), l.opened(4, 1)
	l.seal(seckill.SealRequest{Item: sealing})
	for item, want := range map[seckill.ID]bool{open: true, sealing: false} {
		sealed := l.seal(seckill.SealRequest{Item: item, Epoch: 1, PastClose: true})
		s := l.stock(item)
		wait := s.Gate + seckill.AcceptWindow + seckill.CloseMargin
		if sealed != want || s.State != seckill.StockSealing || s.ReadAt.Before(s.Since.Add(wait)) {
			l.Fatalf("sealed %t, %+v", sealed, s)
		}
	}
}

func raisesHigh(l ledgerTest) {
	item := l.opened(9, limitMany)
	for _, raise := range []struct{ epoch, sold, want int64 }{{1, 4, 4}, {1, 3, 4}, {2, 9, 4}, {1, 6, 6}} {
		if err := l.Stocks.RaiseHigh(l.Context(), item, raise.epoch, raise.sold); err != nil {
			l.Fatal(err)
		}
		if s := l.stock(item); s.High != raise.want {
			l.Fatalf("%+v: got %d", raise, s.High)
		}
	}
	l.settle(l.message(item, 1, 5, l.reserve("a", 1)))
	if s := l.stock(item); s.High != 6 {
		l.Fatalf("a message lowered high to %d", s.High)
	}
}

func notesProgress(l ledgerTest) {
	item := l.stocked(4, 1)
	s := l.rebuild(item, 0)
	l.elapse(item, time.Minute)
	for range 2 {
		if alive, err := l.Stocks.Progress(l.Context(), item, 1, s.Attempt); err != nil || !alive {
			l.Fatalf("got %t, %v", alive, err)
		}
	}
	if s := l.stock(item); s.Progress.Before(s.ReadAt.Add(-seckill.LoadStall)) {
		l.Fatalf("progress is %s at %s", s.Progress, s.ReadAt)
	}
	l.openNext(item, 0)
	for _, attempt := range []seckill.ID{s.Attempt, l.stock(item).Attempt} {
		if alive, err := l.Stocks.Progress(l.Context(), item, l.stock(item).Epoch, attempt); err != nil || alive {
			l.Fatalf("a load that is over has progressed: %t, %v", alive, err)
		}
	}
}

func releasesDoubt(l ledgerTest) {
	open, closed := l.opened(5, limitMany), l.opened(5, limitMany)
	l.openNext(open, 3)
	l.seal(seckill.SealRequest{Item: closed, Final: true})
	l.rebuild(closed, 3)
	for _, item := range []seckill.ID{open, closed} {
		l.releases(item, 0)
		l.elapse(item, seckill.DoubtFor-10*time.Second)
		l.releases(item, 0)
		l.elapse(item, 10*time.Second)
		l.releases(item, 3)
		l.releases(item, 0)
	}
	l.units(open, 3, 2, 0, 0)
	l.units(closed, 5, 0, 0, 0)
}

func (l ledgerTest) releases(item seckill.ID, want int64) {
	l.Helper()
	if units, err := l.Stocks.ReleaseDoubt(l.Context(), item); err != nil || units != want {
		l.Fatalf("released %d, want %d, %v", units, want, err)
	}
}

func releasesAfterTheLastSeal(l ledgerTest) {
	item := l.opened(5, limitMany)
	l.openNext(item, 2)
	l.elapse(item, seckill.DoubtFor-time.Second)
	l.openNext(item, 1)
	l.elapse(item, 10*time.Second)
	l.releases(item, 0)
	l.units(item, 0, 2, 3, 0)
	l.elapse(item, seckill.DoubtFor)
	l.releases(item, 3)
}

func raisesCeiling(l ledgerTest) {
	item := l.opened(9, 1)
	for _, limit := range []int64{3, 2} {
		if err := l.Stocks.RaiseCeiling(l.Context(), item, limit); err != nil || l.stock(item).Ceiling != 3 {
			l.Fatalf("got %d, %v", l.stock(item).Ceiling, err)
		}
	}
	three := l.reserve("a", 3)
	l.heldOnly(l.settle(l.message(item, 1, 3, three)), three)
	l.addsUp(item)
}

func halts(l ledgerTest) {
	item := l.opened(4, 1)
	for _, reason := range []string{"first", "second"} {
		if err := l.Stocks.Halt(l.Context(), item, reason); err != nil || l.stock(item).Halted != "first" {
			l.Fatalf("got %q, %v", l.stock(item).Halted, err)
		}
	}
	rejected := l.reserve("a", 2)
	l.rejectedOnly(l.settle(l.message(item, 1, 2, rejected)), rejected, seckill.LimitReached)
	l.issuesNothing(item)
	l.seal(seckill.SealRequest{Item: item})
	if _, done, err := l.Stocks.Rebuild(l.Context(), seckill.Rebuild{Item: item, Epoch: 1, From: seckill.StockSealing}); done || err != nil {
		l.Fatalf("rebuilt %t, %v", done, err)
	}
	loading := l.stocked(4, 1)
	s := l.rebuild(loading, 0)
	if err := l.Stocks.Halt(l.Context(), loading, "stop"); err != nil {
		l.Fatal(err)
	}
	if opened, err := l.Stocks.Open(l.Context(), loading, s.Epoch, s.Attempt); opened || err != nil {
		l.Fatalf("opened %t, %v", opened, err)
	}
}
