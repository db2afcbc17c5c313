package contract

import (
	"errors"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Settle is the suite of what Claims.Settle and Claims.Reject decide.
func Settle(t *testing.T, open func(t *testing.T) Ledger) {
	t.Helper()
	runLedger(t, open, []ledgerCase{
		{"claims units of the present epoch from what is lent", claimsFromLent},
		{"trap 6: moves only what is new of a batch with known ids", skipsKnown},
		{"peers: settles a message once, however often it is delivered", settlesOnce},
		{"lifts high also when every id is known, without taking it for a claim", liftsHighOfKnown},
		{"trap 23: takes no doubled id for a duplicate", setsDoubledAside},
		{"trap 23: notices an id that is doubled within one call", doubledWithinACall},
		{"trap 24: owes redis the claim of a sealed epoch", claimsFromDoubt},
		{"takes what is missing out of the pool", claimsFromPool},
		{"trap 1: rejects a straggler only when nothing is left anywhere", rejectsStraggler},
		{"peers: sells not one more than there is", sellsNotOneMore},
		{"halts an item whose redis is ahead, and settles its neighbours", haltsWhatIsAhead},
		{"sets messages of an unknown item aside", unknownItemIsAhead},
		{"trap 4: rejects a taken key and remembers who has it", rejectsTakenKey},
		{"trap 4: locks nobody out after a rejection", locksNobodyOut},
		{"trap 4: gives the key of a rejected reservation to the next that is promised with it", givesRejectedKeyAway},
		{"gives the key of a rejected reservation away within a call", givesRejectedKeyAwayWithinACall},
		{"meets a taken key within one call", takenKeyWithinACall},
		{"trap 5: sums what a user holds over keys, messages and calls", sumsHeld},
		{"trap 14: gives a rejected reservation's unit back to the pool", rejectedUnitReturns},
		{"trap 14: gives a rejected straggler's unit back out of doubt", rejectedStragglerReturns},
		{"trap 29: gives back no more than is there", returnsWhatIsThere},
		{"peers: strands nothing of too little in an open epoch", soldOutReturnsLent},
		{"keeps the rest of too little for other promises while sealing and in doubt", soldOutKeepsRest},
		{"trap 28: judges by the ceiling in the row", judgesByCeiling},
		{"settles the present epoch while it is sealing", settlesWhileSealing},
		{"trap 33: settles stragglers of a closed item", settlesWhenClosed},
		{"refuses what can never be stored as poison and writes nothing", refusesPoison},
		{"rejects poison for the reason given, once", rejectsPoison},
		{"rejects poison whose key is taken", rejectsPoisonOfTakenKey},
		{"refuses an item of another shard", refusesOtherShard},
	})
}

func claimsFromLent(l ledgerTest) {
	item := l.opened(5, limitMany)
	a, b := l.reserve("a", 2), l.reserveKey("b", 1, "key of b")
	settlement := l.settle(l.message(item, 1, 3, a, b))
	l.heldOnly(settlement, a, b)
	l.units(item, 0, 2, 0, 3)
	s := l.stock(item)
	if s.Accounted != 3 || s.High != 3 || s.ClaimedAt.IsZero() || s.ClaimedAt.After(s.ReadAt) {
		l.Fatalf("got %+v", s)
	}
	if c := settlement.Held[1]; c.Item != item || c.KeyHash != b.KeyHash || c.Epoch != 1 || c.CreatedAt.IsZero() {
		l.Fatalf("got %+v", c)
	}
	if owed := l.owed(item); len(owed) > 0 {
		l.Fatalf("redis knows them already: %+v", owed)
	}
}

func skipsKnown(l ledgerTest) {
	item := l.opened(9, limitMany)
	a, b, c := l.reserve("a", 2), l.reserve("b", 3), l.reserve("c", 1)
	l.settle(l.message(item, 1, 5, a, b))
	if err := l.Claims.MarkOrdered(l.Context(), seckill.HomeShard(l.Shards, item), []seckill.ID{a.ID}); err != nil {
		l.Fatal(err)
	}
	settlement := l.settle(l.message(item, 1, 6, a, b, c))
	l.heldOnly(settlement, b, c) // the order of a exists, that of b may not
	l.units(item, 0, 3, 0, 6)
}

func settlesOnce(l ledgerTest) {
	item := l.opened(9, limitMany)
	a, b, c := l.reserve("a", 1), l.reserve("b", 1), l.reserve("c", 1)
	first, overlapping := l.message(item, 1, 2, a, b), l.message(item, 1, 3, b, c)
	for range 3 {
		l.heldOnly(l.settle(first, overlapping, first), a, b, c)
		l.units(item, 0, 6, 0, 3)
	}
}

func liftsHighOfKnown(l ledgerTest) {
	item := l.opened(9, limitMany)
	a := l.reserve("a", 1)
	l.settle(l.message(item, 1, 1, a))
	l.elapse(item, time.Minute)
	before := l.stock(item)
	l.heldOnly(l.settle(l.message(item, 1, 4, a)), a)
	if s := l.stock(item); s.High != 4 || s.Accounted != 1 || !s.ClaimedAt.Equal(before.ClaimedAt) {
		l.Fatalf("got %+v", s)
	}
}

func setsDoubledAside(l ledgerTest) {
	item, other := l.neighbours()
	a := l.reserveKey("a", 1, "key")
	l.settle(l.message(item, 1, 1, a))
	otherUser, otherKey, otherQuantity := a, a, a
	otherUser.User, otherKey.KeyHash, otherQuantity.Quantity = "b", seckill.KeyHash("other", a.ID), 2
	for name, m := range map[string]seckill.Message{
		"user":     l.message(item, 1, 2, otherUser),
		"key":      l.message(item, 1, 2, otherKey),
		"quantity": l.message(item, 1, 2, otherQuantity),
		"item":     l.message(other, 1, 2, a),
	} {
		settlement := l.settle(m)
		if len(settlement.Doubled) != 1 || len(settlement.Held)+len(settlement.Rejected) > 0 {
			l.Fatalf("other %s: got %+v", name, settlement)
		}
		if d := settlement.Doubled[0]; d.Reservation != m.Reservations[0] || d.Message.Batch != m.Batch || d.Cause == "" {
			l.Fatalf("other %s: got %+v", name, d)
		}
		l.units(item, 0, 4, 0, 1)
		l.units(other, 0, 5, 0, 0)
	}
	if l.stock(item).Accounted != 1 || l.stock(other).Accounted != 0 {
		l.Fatal("a doubled reservation was accounted for")
	}
}

// neighbours are two open items of five units on one shard.
func (l ledgerTest) neighbours() (one, other seckill.ID) {
	l.Helper()
	one = l.opened(5, limitMany)
	for {
		other = l.opened(5, limitMany)
		if seckill.HomeShard(l.Shards, one) == seckill.HomeShard(l.Shards, other) {
			return one, other
		}
	}
}

func doubledWithinACall(l ledgerTest) {
	item, other := l.neighbours()
	a := l.reserve("a", 1)
	stolen := a
	stolen.User = "b"
	settlement := l.settle(l.message(item, 1, 2, a, stolen), l.message(other, 1, 1, a))
	if len(settlement.Held) != 1 || len(settlement.Doubled) != 2 {
		l.Fatalf("got %+v", settlement)
	}
	l.addsUp(item)
	l.addsUp(other)
}

func claimsFromDoubt(l ledgerTest) {
	item := l.opened(5, limitMany)
	l.openNext(item, 3)
	late := l.reserveKey("late", 2, "key")
	l.heldOnly(l.settle(l.message(item, 1, 3, late)), late)
	l.units(item, 0, 2, 1, 2)
	l.owes(item, 2, late, 2)
	if s := l.stock(item); s.Accounted != 0 || s.High != 0 || !s.ClaimedAt.IsZero() {
		l.Fatalf("a sealed epoch was counted in the present one: %+v", s)
	}
	l.heldOnly(l.settle(l.message(item, 1, 3, late)), late)
	l.owes(item, 2, late, 2)
}

func claimsFromPool(l ledgerTest) {
	item := l.opened(6, 2)
	over := l.reserve("over", 3)
	l.rejectedOnly(l.settle(l.message(item, 1, 3, over)), over, seckill.LimitReached)
	l.units(item, 3, 3, 0, 0)
	first, second, third := l.reserve("a", 2), l.reserve("b", 2), l.reserve("c", 1)
	l.heldOnly(l.settle(l.message(item, 1, 8, first, second, third)), first, second, third)
	l.units(item, 1, 0, 0, 5)
	l.openNext(item, 0)
	l.seal(seckill.SealRequest{Item: item, Final: true})
	l.rebuild(item, 0)
	late := l.reserve("late", 1)
	l.heldOnly(l.settle(l.message(item, 1, 9, late)), late)
	l.units(item, 0, 0, 0, 6)
}

func rejectsStraggler(l ledgerTest) {
	item := l.opened(2, limitMany)
	l.openNext(item, 0)
	late := l.reserve("late", 1)
	l.rejectedOnly(l.settle(l.message(item, 1, 1, late)), late, seckill.SoldOut)
	l.units(item, 0, 2, 0, 0)
	l.owes(item, 2, late, 0)
}

func sellsNotOneMore(l ledgerTest) {
	item := l.opened(2, limitMany)
	a, b, c := l.reserve("a", 1), l.reserve("b", 1), l.reserve("c", 1)
	settlement := l.settle(l.message(item, 1, 3, a, b, c))
	if len(settlement.Held) != 2 || len(settlement.Rejected) != 1 || settlement.Rejected[0].Reason != seckill.SoldOut {
		l.Fatalf("got %+v", settlement)
	}
	l.units(item, 0, 0, 0, 2)
	l.owes(item, 1, c, 0)
}

func haltsWhatIsAhead(l ledgerTest) {
	item, neighbour := l.neighbours()
	known, ahead, fine := l.reserve("a", 1), l.reserve("b", 1), l.reserve("c", 1)
	settlement := l.settle(l.message(item, 1, 1, known), l.message(item, 2, 1, ahead), l.message(neighbour, 1, 1, fine))
	if len(settlement.Held) != 2 || len(settlement.Ahead) != 1 || settlement.Ahead[0].Reservations[0] != ahead {
		l.Fatalf("got %+v", settlement)
	}
	l.units(item, 0, 4, 0, 1)
	l.units(neighbour, 0, 4, 0, 1)
	if s := l.stock(item); s.Halted == "" || s.High != 1 || l.stock(neighbour).Halted != "" {
		l.Fatalf("got %+v", s)
	}
	if found, err := l.Claims.Find(l.Context(), item, []seckill.ID{ahead.ID}); err != nil || len(found) > 0 {
		l.Fatalf("got %+v, %v", found, err)
	}
}

func unknownItemIsAhead(l ledgerTest) {
	item := l.opened(5, limitMany)
	a, b := l.reserve("a", 1), l.reserve("b", 1)
	settlement := l.settle(l.message(item, 1, 1, a), l.message(l.id(item.Bucket()), 1, 1, b))
	if len(settlement.Held) != 1 || len(settlement.Ahead) != 1 {
		l.Fatalf("got %+v", settlement)
	}
	l.units(item, 0, 4, 0, 1)
}

func settlesWhileSealing(l ledgerTest) {
	item := l.opened(5, limitMany)
	l.seal(seckill.SealRequest{Item: item})
	a := l.reserve("a", 2)
	l.heldOnly(l.settle(l.message(item, 1, 2, a)), a)
	l.units(item, 0, 3, 0, 2)
	if s := l.stock(item); s.Accounted != 2 || s.High != 2 || s.ClaimedAt.IsZero() || s.State != seckill.StockSealing {
		l.Fatalf("got %+v", s)
	}
}

func settlesWhenClosed(l ledgerTest) {
	item := l.opened(5, limitMany)
	l.seal(seckill.SealRequest{Item: item, Final: true})
	l.rebuild(item, 2)
	l.units(item, 3, 0, 2, 0)
	a, b := l.reserve("a", 2), l.reserve("b", 1)
	l.heldOnly(l.settle(l.message(item, 1, 3, a, b)), a, b)
	l.units(item, 2, 0, 0, 3)
	l.issuesNothing(item)
}

func refusesPoison(l ledgerTest) {
	item := l.opened(5, limitMany)
	good, bad := l.reserve("good", 1), l.reserve("bad", 0)
	before := l.stock(item)
	settlement, err := l.Claims.Settle(l.Context(), seckill.HomeShard(l.Shards, item),
		[]seckill.Message{l.message(item, 1, 1, good, bad)}, nil)
	if !errors.Is(err, seckill.ErrPoison) || len(settlement.Held) > 0 {
		l.Fatalf("got %+v, %v", settlement, err)
	}
	if after := l.readAt(before); after != before {
		l.Fatalf("the row was changed: %+v", after)
	}
}

func rejectsPoison(l ledgerTest) {
	item := l.opened(5, limitMany)
	bad, neighbour := l.reserve("bad", 2), l.reserve("good", 1)
	m := l.message(item, 1, 3, neighbour, bad)
	shard := seckill.HomeShard(l.Shards, item)
	for i, want := range []int{1, 0} {
		settlement, err := l.Claims.Reject(l.Context(), shard, m, bad, seckill.Invalid)
		if err != nil || len(settlement.Rejected) != want || len(settlement.Held)+len(settlement.Doubled) > 0 {
			l.Fatalf("%d: got %+v, %v", i, settlement, err)
		}
		l.units(item, 2, 3, 0, 0)
		l.owes(item, 1, bad, 0)
	}
	if s := l.stock(item); s.Accounted != 2 || s.High != 3 {
		l.Fatalf("got %+v", s)
	}
	l.heldOnly(l.settle(m), neighbour)
	settlement, err := l.Claims.Reject(l.Context(), shard, m, neighbour, seckill.Invalid)
	if err != nil {
		l.Fatal(err)
	}
	l.heldOnly(settlement, neighbour) // what is claimed stays claimed
}

func rejectsPoisonOfTakenKey(l ledgerTest) {
	item := l.opened(5, limitMany)
	first, bad := l.reserveKey("a", 1, "key"), l.reserveKey("a", 1, "key")
	l.settle(l.message(item, 1, 1, first))
	settlement, err := l.Claims.Reject(l.Context(), seckill.HomeShard(l.Shards, item), l.message(item, 1, 2, bad), bad, seckill.Invalid)
	if err != nil {
		l.Fatal(err)
	}
	l.rejectedOnly(settlement, bad, seckill.Invalid)
	l.units(item, 1, 3, 0, 1)
}

func refusesOtherShard(l ledgerTest) {
	item := l.opened(5, limitMany)
	for shard := range l.Shards.Count() {
		_, err := l.Claims.Settle(l.Context(), shard, []seckill.Message{l.message(item, 1, 1, l.reserve("a", 1))}, nil)
		if (err == nil) != (shard == seckill.HomeShard(l.Shards, item)) {
			l.Fatalf("shard %d: %v", shard, err)
		}
	}
}
