package contract

import (
	"fmt"
	"slices"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Returns is the suite of seckill.Returns, and of what other ports make of a returned claim.
func Returns(t *testing.T, open func(t *testing.T) Ledger) {
	t.Helper()
	runLedger(t, open, []ledgerCase{
		{"moves units of held claims to the pool and owes the buyer's entry", movesUnitsBack},
		{"peers: stock does not grow by a repeated return", returnsOnce},
		{"peers: not oversold by a message that comes after its unit was given back and sold again", returnedStaysReturned},
		{"skips what is rejected, another item's or nobody's", returnsOnlyHeld},
		{"believes the claim and not the request", believesTheClaim},
		{"takes what is given back for ordered, though nobody could say so before", returnedIsOrdered},
		{"brings units back whatever the state of the stock", returnsInEveryState},
		{"lends what came back with the next issue", lendsReturned},
		{"tells which claims an issue lends again, also the first of an epoch", tellsLentAgain},
		{"lets the buyer buy again, with a new key", returnedBuysAgain},
		{"counts what was given back of an only try", countsTheOnlyTry},
		{"takes more than one statement can carry", returnsMany},
	})
}

// sold is an open item of which these have been claimed.
func (l ledgerTest) sold(item seckill.Item, reserved ...seckill.Reserved) seckill.ID {
	l.Helper()
	id := l.stockedAs(item)
	l.openNext(id, 0)
	var units int64
	for _, r := range reserved {
		units += r.Quantity
	}
	l.heldOnly(l.settle(l.message(id, 1, units, reserved...)), reserved...)
	return id
}

// many is an item whose limit no case reaches by accident.
func many(units int64) seckill.Item { return seckill.Item{Allotment: units, LimitPerUser: limitMany} }

// gives returns reservations and wants so many units to come back.
func (l ledgerTest) gives(item seckill.ID, want int64, reserved ...seckill.Reserved) {
	l.Helper()
	if units, err := l.Returns.Return(l.Context(), item, returnsOf(reserved)); err != nil || units != want {
		l.Fatalf("%d units came back, want %d, %v", units, want, err)
	}
}

func returnsOf(reserved []seckill.Reserved) []seckill.Return {
	returns := make([]seckill.Return, len(reserved))
	for i, r := range reserved {
		returns[i] = seckill.Return{Claim: r.ID, User: r.User, Quantity: r.Quantity}
	}
	return returns
}

// claim reads one claim.
func (l ledgerTest) claim(item seckill.ID, r seckill.Reserved) seckill.Claim {
	l.Helper()
	claims, err := l.Claims.Find(l.Context(), item, []seckill.ID{r.ID})
	if err != nil || len(claims) != 1 {
		l.Fatalf("got %+v, %v", claims, err)
	}
	return claims[0]
}

func movesUnitsBack(l ledgerTest) {
	a, b := l.reserveKey("a", 2, "key"), l.reserve("b", 1)
	item := l.sold(many(10), a, b)
	l.gives(item, 2, a)
	l.units(item, 2, 7, 0, 1)
	l.owes(item, 1, a, 0)
	if c := l.claim(item, a); c.State != seckill.ClaimReturned || c.Reason != "" || c.KeyHash != a.KeyHash {
		l.Fatalf("got %+v", c)
	}
	id := "return:" + a.ID.String()
	moves, err := l.Books.MovesOf(l.Context(), item, []string{id, "return:" + b.ID.String()})
	if err != nil || len(moves) != 1 || moves[0].ID != id || moves[0].Units != 2 || moves[0].Kind != seckill.MoveReturn || moves[0].Epoch != 1 {
		l.Fatalf("got %+v, %v", moves, err)
	}
}

func returnsOnce(l ledgerTest) {
	a, b := l.reserve("a", 2), l.reserve("b", 1)
	item := l.sold(many(10), a, b)
	l.gives(item, 2, a, a)
	version := l.stock(item).Version
	l.gives(item, 0, a)
	if stock := l.stock(item); stock.Version != version {
		l.Fatal("a repeated return touched the row")
	}
	l.gives(item, 1, b, a)
	l.gives(item, 0, a, b)
	l.units(item, 3, 7, 0, 0)
	if owed := l.owed(item); len(owed) != 2 {
		l.Fatalf("got %+v", owed)
	}
}

func returnsOnlyHeld(l ledgerTest) {
	item, other := l.neighbours() // 5 units each
	mine, theirs := l.reserve("a", 1), l.reserve("a", 1)
	rejected := l.reserve("b", 6)
	l.settle(l.message(item, 1, 7, mine, rejected), l.message(other, 1, 1, theirs))
	l.gives(item, 0, rejected, theirs, l.reserve("c", 1))
	l.gives(item, 0)
	l.units(other, 0, 4, 0, 1)
	if c := l.claim(item, rejected); c.State != seckill.ClaimRejected || c.Ordered {
		l.Fatalf("got %+v", c)
	}
	l.gives(item, 1, rejected, mine, theirs)
	l.units(other, 0, 4, 0, 1)
	l.addsUp(item)
}

func believesTheClaim(l ledgerTest) {
	a := l.reserve("a", 2)
	item := l.sold(many(10), a)
	asked := []seckill.Return{{Claim: a.ID, User: "somebody else", Quantity: 9}}
	if units, err := l.Returns.Return(l.Context(), item, asked); err != nil || units != 2 {
		l.Fatalf("%d units came back, %v", units, err)
	}
	l.units(item, 2, 8, 0, 0)
	l.owes(item, 1, a, 0)
}

func returnedIsOrdered(l ledgerTest) {
	a := l.reserve("a", 1)
	item := l.sold(many(10), a)
	shard := seckill.HomeShard(l.Shards, item)
	l.unordered(shard, 0, 10, 1)
	l.gives(item, 1, a)
	if c := l.claim(item, a); !c.Ordered || c.Reservation().State != seckill.ReservationOrdered {
		l.Fatalf("got %+v", c)
	}
	l.unordered(shard, 0, 10, 0)
	if settlement := l.settle(l.message(item, 1, 1, a)); len(settlement.Held)+len(settlement.Rejected)+len(settlement.Doubled) > 0 {
		l.Fatalf("its message came again, and it was taken for new: %+v", settlement)
	}
}

func returnedStaysReturned(l ledgerTest) {
	a, b := l.reserve("a", 1), l.reserve("b", 1)
	item := l.sold(many(1), a)
	l.gives(item, 1, a)
	if _, issued, err := l.Stocks.Issue(l.Context(), item); err != nil || !issued {
		l.Fatalf("got %t, %v", issued, err)
	}
	l.heldOnly(l.settle(l.message(item, 1, 2, b)), b)
	if late := l.settle(l.message(item, 1, 2, a)); len(late.Held)+len(late.Rejected)+len(late.Doubled) > 0 {
		l.Fatalf("got %+v", late)
	}
	l.units(item, 0, 0, 0, 1)
	l.addsUp(item)
}

func returnsInEveryState(l ledgerTest) {
	reserved := make([]seckill.Reserved, 4)
	for i := range reserved {
		reserved[i] = l.reserve(seckill.UserID(fmt.Sprintf("user-%d", i)), 1)
	}
	item := l.sold(many(10), reserved...)
	l.seal(seckill.SealRequest{Item: item})
	l.gives(item, 1, reserved[0])
	l.units(item, 1, 6, 0, 3)
	attempt := l.rebuild(item, 0).Attempt
	l.gives(item, 1, reserved[1])
	l.units(item, 1, 7, 0, 2)
	if opened, err := l.Stocks.Open(l.Context(), item, 2, attempt); err != nil || !opened {
		l.Fatalf("got %t, %v", opened, err)
	}
	l.gives(item, 1, reserved[2])
	l.seal(seckill.SealRequest{Item: item, Final: true})
	l.rebuild(item, 0)
	l.gives(item, 1, reserved[3])
	l.units(item, 10, 0, 0, 0)
	for i, epoch := range []int64{1, 2, 2, 3} { // of which Redis must be, to be told
		if owed := l.owed(item)[i]; owed.Epoch != epoch || owed.Entry.ID != reserved[i].ID {
			l.Fatalf("%d: got %+v", i, owed)
		}
	}
}

func lendsReturned(l ledgerTest) {
	a, b := l.reserve("a", 3), l.reserve("b", 3)
	item := l.sold(many(3), a)
	l.gives(item, 3, a)
	move, issued, err := l.Stocks.Issue(l.Context(), item)
	if err != nil || !issued || move.Issue != 2 || move.Units != 3 {
		l.Fatalf("got %+v, %t, %v", move, issued, err)
	}
	l.heldOnly(l.settle(l.message(item, 1, 6, b)), b)
	l.units(item, 0, 0, 0, 3)
}

func tellsLentAgain(l ledgerTest) {
	reserved := []seckill.Reserved{l.reserve("a", 1), l.reserve("b", 2), l.reserve("c", 1), l.reserve("d", 1)}
	item := l.sold(many(5), reserved...)
	lent := func(limit int, want ...seckill.Reserved) {
		l.Helper()
		stock := l.stock(item)
		got, err := l.Returns.LentAgain(l.Context(), item, stock.Epoch, stock.Issue, limit)
		same := slices.EqualFunc(got, want, func(id seckill.ID, r seckill.Reserved) bool { return id == r.ID })
		if err != nil || !same {
			l.Fatalf("issue %d lends %v again, want %+v, %v", stock.Issue, got, want, err)
		}
	}
	issue := func() {
		l.Helper()
		if _, issued, err := l.Stocks.Issue(l.Context(), item); err != nil || !issued {
			l.Fatalf("issued: %t, %v", issued, err)
		}
	}
	lent(10)
	l.ticks(item)
	l.gives(item, 1, reserved[0])
	l.ticks(item)
	l.gives(item, 2, reserved[1])
	lent(10)
	issue()
	lent(10, reserved[:2]...)
	lent(1, reserved[0])
	l.ticks(item)
	l.gives(item, 1, reserved[2])
	l.openNext(item, 5)
	lent(10, reserved[2])
	l.ticks(item)
	l.gives(item, 1, reserved[3])
	issue()
	lent(10, reserved[3])
	if none, err := l.Returns.LentAgain(l.Context(), item, 1, 1, 10); err != nil || len(none) > 0 {
		l.Fatalf("the first issue lends %v again, %v", none, err)
	}
}

// ticks waits until the database's clock has moved on: the moves of an item are told apart by it.
func (l ledgerTest) ticks(item seckill.ID) {
	l.Helper()
	for before := l.stock(item).ReadAt; !l.stock(item).ReadAt.After(before); {
		if l.Context().Err() != nil {
			l.Fatal("the database's clock stands still")
		}
	}
}

func returnedBuysAgain(l ledgerTest) {
	a := l.reserveKey("a", 2, "key")
	item := l.sold(seckill.Item{Allotment: 10, LimitPerUser: 2}, a)
	l.gives(item, 2, a)
	l.entryIs(item, seckill.BuyerEntry{ID: a.ID, KeyHash: a.KeyHash})
	sameKey := l.reserveKey("a", 2, "key")
	c := l.rejectedOnly(l.settle(l.message(item, 1, 4, sameKey)), sameKey, seckill.Duplicate)
	if c.First != a.ID {
		l.Fatalf("got %+v", c)
	}
	again := l.reserveKey("a", 2, "another key")
	l.heldOnly(l.settle(l.message(item, 1, 6, again)), again)
	l.addsUp(item)
}

// entryIs wants what a rebuilt Redis would know of the item's only buyer.
func (l ledgerTest) entryIs(item seckill.ID, want seckill.BuyerEntry) {
	l.Helper()
	buyers, err := l.Claims.Buyers(l.Context(), item, "", 10)
	if err != nil || len(buyers) != 1 || len(buyers[0].Entries) != 1 || buyers[0].Entries[0] != want {
		l.Fatalf("want %+v, got %+v, %v", want, buyers, err)
	}
}

func countsTheOnlyTry(l ledgerTest) {
	first := l.reserve("a", 2)
	item := l.sold(seckill.Item{Allotment: 10, LimitPerUser: 3, OneTry: true}, first)
	l.gives(item, 2, first)
	l.units(item, 2, 8, 0, 0)
	if owed := l.owed(item); len(owed) > 0 {
		l.Fatalf("redis is told to forget it: %+v", owed)
	}
	l.entryIs(item, seckill.BuyerEntry{ID: first.ID, Quantity: 2, KeyHash: first.KeyHash})
	second, third := l.reserve("a", 2), l.reserve("a", 1)
	l.rejectedOnly(l.settle(l.message(item, 1, 4, second)), second, seckill.LimitReached)
	l.heldOnly(l.settle(l.message(item, 1, 5, third)), third)
	other := l.reserve("b", 3)
	l.heldOnly(l.settle(l.message(item, 1, 8, other)), other)
	l.addsUp(item)
}

func returnsMany(l ledgerTest) {
	const claims = 1100
	reserved := make([]seckill.Reserved, claims)
	for i := range reserved {
		reserved[i] = l.reserve(seckill.UserID(fmt.Sprintf("user-%d", i)), 1)
	}
	item := l.sold(many(claims), reserved...)
	l.gives(item, claims, reserved...)
	l.units(item, claims, 0, 0, 0)
	moves, err := l.Books.MovesAfter(l.Context(), item, "return:", 2*claims)
	if err != nil || len(moves) != claims {
		l.Fatalf("%d moves, %v", len(moves), err)
	}
}
