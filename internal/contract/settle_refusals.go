package contract

import (
	"github.com/seckill-dev/seckill/internal/seckill"
)

func rejectsTakenKey(l ledgerTest) {
	item := l.opened(5, limitMany)
	first, second := l.reserveKey("a", 1, "key"), l.reserveKey("a", 1, "key")
	other := l.reserveKey("b", 1, "key") // keys are a user's own
	l.heldOnly(l.settle(l.message(item, 1, 2, first, other)), first, other)
	rejected := l.rejectedOnly(l.settle(l.message(item, 1, 3, second)), second, seckill.Duplicate)
	if rejected.First != first.ID || rejected.KeyHash != second.ID.String() {
		l.Fatalf("got %+v", rejected)
	}
	l.units(item, 1, 2, 0, 2)
	// Redis is owed the rejected one's own entry, under the key it knows; the first one's entry keeps its quantity.
	l.owes(item, 1, second, 0)
	// Delivered again it is the same claim, not a doubled id, although its key reads differently now.
	if settlement := l.settle(l.message(item, 1, 3, second)); len(settlement.Doubled)+len(settlement.Rejected)+len(settlement.Held) > 0 {
		l.Fatalf("got %+v", settlement)
	}
	l.hasKey(item, first, first.ID)
}

func locksNobodyOut(l ledgerTest) {
	item := l.opened(5, 1)
	first, second := l.reserveKey("a", 2, "key"), l.reserveKey("a", 1, "key")
	l.rejectedOnly(l.settle(l.message(item, 1, 2, first)), first, seckill.LimitReached)
	// Without a key nothing is in the way: nobody is locked out, and no unique key swallows the reservation.
	third := l.reserve("a", 1)
	l.heldOnly(l.settle(l.message(item, 1, 3, third)), third)
	l.units(item, 2, 2, 0, 1)
	// With the key of the first it is judged for itself; rejected, too, it leaves the key where it is.
	rejected := l.rejectedOnly(l.settle(l.message(item, 1, 4, second)), second, seckill.LimitReached)
	if rejected.First != 0 || rejected.KeyHash != second.ID.String() {
		l.Fatalf("got %+v", rejected)
	}
	l.hasKey(item, first, first.ID)
	l.units(item, 3, 1, 0, 1)
}

// givesRejectedKeyAway: the first comes from a Redis that was lost, after its shopper has asked again with the same key and
// was promised the second.
func givesRejectedKeyAway(l ledgerTest) {
	item := l.opened(5, 1)
	first, second, third := l.reserveKey("a", 2, "key"), l.reserveKey("a", 1, "key"), l.reserveKey("a", 1, "key")
	l.rejectedOnly(l.settle(l.message(item, 1, 2, first)), first, seckill.LimitReached)
	l.heldOnly(l.settle(l.message(item, 1, 3, second)), second)
	l.units(item, 2, 2, 0, 1)
	l.hasKey(item, first, second.ID)
	l.hasKey(item, seckill.Reserved{User: "a", KeyHash: first.ID.String()}, first.ID)
	// Delivered again the first is the same claim, although its key reads differently now.
	if settlement := l.settle(l.message(item, 1, 3, first)); len(settlement.Doubled)+len(settlement.Rejected)+len(settlement.Held) > 0 {
		l.Fatalf("got %+v", settlement)
	}
	if rejected := l.rejectedOnly(l.settle(l.message(item, 1, 4, third)), third, seckill.Duplicate); rejected.First != second.ID {
		l.Fatalf("got %+v", rejected)
	}
	l.addsUp(item)
}

func givesRejectedKeyAwayWithinACall(l ledgerTest) {
	item := l.opened(5, 1)
	first, second := l.reserveKey("a", 2, "key"), l.reserveKey("a", 1, "key")
	settlement := l.settle(l.message(item, 1, 2, first), l.message(item, 1, 3, second))
	if len(settlement.Held) != 1 || len(settlement.Rejected) != 1 || settlement.Held[0].ID != second.ID {
		l.Fatalf("got %+v", settlement)
	}
	l.hasKey(item, first, second.ID)
	l.hasKey(item, seckill.Reserved{User: "a", KeyHash: first.ID.String()}, first.ID)
}

// hasKey wants a claim to be found by a reservation's key.
func (l ledgerTest) hasKey(item seckill.ID, r seckill.Reserved, want seckill.ID) {
	l.Helper()
	found, err := l.Claims.FindKeys(l.Context(), item, []seckill.LookRequest{{User: r.User, KeyHash: r.KeyHash}})
	if err != nil || len(found) != 1 || found[0].ID != want {
		l.Fatalf("want %s, got %+v, %v", want, found, err)
	}
}

func takenKeyWithinACall(l ledgerTest) {
	item := l.opened(5, limitMany)
	l.openNext(item, 1)
	first, second := l.reserveKey("a", 1, "key"), l.reserveKey("a", 1, "key")
	// The first was reserved before Redis was lost, the retry with the same key after it.
	settlement := l.settle(l.message(item, 1, 1, first), l.message(item, 2, 1, second))
	if len(settlement.Held) != 1 || len(settlement.Rejected) != 1 || settlement.Rejected[0].First != first.ID {
		l.Fatalf("got %+v", settlement)
	}
	l.units(item, 1, 3, 0, 1)
	owed := l.owed(item)
	if len(owed) != 2 || owed[0].Entry.Quantity != 1 || owed[1].Entry.Quantity != 0 || owed[1].Entry.ID != second.ID {
		l.Fatalf("got %+v", owed)
	}
}

func sumsHeld(l ledgerTest) {
	item := l.opened(9, 3)
	one, two, three, four := l.reserveKey("a", 1, "1"), l.reserveKey("a", 1, "2"), l.reserve("a", 2), l.reserve("a", 1)
	other := l.reserve("b", 3)
	l.heldOnly(l.settle(l.message(item, 1, 1, one)), one)
	settlement := l.settle(l.message(item, 1, 4, two, three), l.message(item, 1, 8, four, other))
	if len(settlement.Held) != 3 || len(settlement.Rejected) != 1 || settlement.Rejected[0].ID != three.ID {
		l.Fatalf("got %+v", settlement)
	}
	l.units(item, 2, 1, 0, 6)
}

func rejectedUnitReturns(l ledgerTest) {
	item := l.opened(4, 1)
	a, again := l.reserve("a", 1), l.reserve("a", 1)
	l.settle(l.message(item, 1, 1, a))
	rejected := l.rejectedOnly(l.settle(l.message(item, 1, 2, again)), again, seckill.LimitReached)
	if rejected.KeyHash != again.KeyHash || rejected.First != 0 {
		l.Fatalf("got %+v", rejected)
	}
	l.units(item, 1, 2, 0, 1)
	l.owes(item, 1, again, 0)
	if s := l.stock(item); s.Accounted != 2 {
		l.Fatalf("a rejected reservation is accounted for too: %+v", s)
	}
	if _, issued, err := l.Stocks.Issue(l.Context(), item); err != nil || !issued {
		l.Fatalf("the unit cannot be sold again: %t, %v", issued, err)
	}
	l.units(item, 0, 3, 0, 1)
}

func rejectedStragglerReturns(l ledgerTest) {
	item := l.opened(4, 1)
	a, again := l.reserve("a", 1), l.reserve("a", 1)
	l.settle(l.message(item, 1, 1, a))
	l.openNext(item, 3)
	l.units(item, 0, 1, 2, 1)
	l.rejectedOnly(l.settle(l.message(item, 1, 2, again)), again, seckill.LimitReached)
	l.units(item, 1, 1, 1, 1)
	l.owes(item, 2, again, 0)
}

func returnsWhatIsThere(l ledgerTest) {
	item := l.opened(4, 1)
	l.openNext(item, 1)
	late, later := l.reserve("a", 2), l.reserve("b", 2)
	l.rejectedOnly(l.settle(l.message(item, 1, 2, late)), late, seckill.LimitReached)
	l.units(item, 1, 3, 0, 0)
	l.rejectedOnly(l.settle(l.message(item, 1, 4, later)), later, seckill.LimitReached)
	l.units(item, 1, 3, 0, 0)
	own := l.reserve("c", 5)
	l.rejectedOnly(l.settle(l.message(item, 2, 5, own)), own, seckill.LimitReached)
	l.units(item, 4, 0, 0, 0)
}

func soldOutReturnsLent(l ledgerTest) {
	item := l.opened(2, limitMany)
	big, small := l.reserve("a", 3), l.reserve("b", 1)
	l.rejectedOnly(l.settle(l.message(item, 1, 3, big)), big, seckill.SoldOut)
	l.units(item, 2, 0, 0, 0)
	l.owes(item, 1, big, 0)
	l.heldOnly(l.settle(l.message(item, 1, 4, small)), small)
	l.units(item, 1, 0, 0, 1)
}

func soldOutKeepsRest(l ledgerTest) {
	item := l.opened(2, limitMany)
	l.seal(seckill.SealRequest{Item: item})
	big, small := l.reserve("a", 3), l.reserve("b", 1)
	l.rejectedOnly(l.settle(l.message(item, 1, 3, big)), big, seckill.SoldOut)
	l.units(item, 0, 2, 0, 0)
	l.openNext(item, 4) // one more was promised
	l.units(item, 0, 1, 1, 0)
	late := l.reserve("c", 2)
	l.rejectedOnly(l.settle(l.message(item, 1, 5, late)), late, seckill.SoldOut)
	l.units(item, 0, 1, 1, 0)
	l.heldOnly(l.settle(l.message(item, 1, 4, small)), small)
	l.units(item, 0, 1, 0, 1)
}

func judgesByCeiling(l ledgerTest) {
	item := l.opened(9, 1)
	promised, late := l.reserve("a", 2), l.reserve("b", 2)
	if err := l.Stocks.RaiseCeiling(l.Context(), item, 2); err != nil {
		l.Fatal(err)
	}
	l.heldOnly(l.settle(l.message(item, 1, 2, promised)), promised)
	// The operator lowers the limit again: what Redis has granted under the higher one is honoured.
	if err := l.Stocks.RaiseCeiling(l.Context(), item, 1); err != nil {
		l.Fatal(err)
	}
	l.heldOnly(l.settle(l.message(item, 1, 4, late)), late)
	l.units(item, 0, 5, 0, 4)
}
