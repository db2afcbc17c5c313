package contract

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Claims is the suite of what seckill.Claims reads and marks.
func Claims(t *testing.T, open func(t *testing.T) Ledger) {
	t.Helper()
	runLedger(t, open, []ledgerCase{
		{"finds claims of one item by id", findsByID},
		{"finds claims by user and key", findsByKey},
		{"reads a user's claims, oldest first", readsOfUser},
		{"lists held claims that wait for their order, oldest first", listsUnordered},
		{"marks claims ordered, any number of times", marksOrdered},
		{"trap 24: pages through whole buyers; what is rejected keeps its key", pagesBuyers},
	})
}

// mixed settles two held claims of a, one rejected of b and one held of c.
func (l ledgerTest) mixed() (item seckill.ID, held, rejected, other seckill.Reserved) {
	l.Helper()
	item = l.opened(9, 2)
	held, rejected, other = l.reserveKey("a", 1, "key"), l.reserveKey("b", 3, "key"), l.reserve("c", 2)
	l.settle(l.message(item, 1, 7, held, rejected, other, l.reserve("a", 1)))
	return item, held, rejected, other
}

func findsByID(l ledgerTest) {
	item, held, rejected, _ := l.mixed()
	found, err := l.Claims.Find(l.Context(), item, []seckill.ID{rejected.ID, held.ID, l.id(0)})
	slices.SortFunc(found, func(a, b seckill.Claim) int { return int(a.Quantity - b.Quantity) })
	if err != nil || len(found) != 2 || found[0].ID != held.ID || found[1].Reason != seckill.LimitReached {
		l.Fatalf("got %+v, %v", found, err)
	}
	if c := found[0]; c.Item != item || c.User != "a" || c.KeyHash != held.KeyHash || c.State != seckill.ClaimHeld || c.Epoch != 1 {
		l.Fatalf("got %+v", c)
	}
	other := l.opened(1, 1)
	if found, err := l.Claims.Find(l.Context(), other, []seckill.ID{held.ID}); err != nil || len(found) > 0 {
		l.Fatalf("found under another item: %+v, %v", found, err)
	}
	if found, err := l.Claims.Find(l.Context(), item, nil); err != nil || len(found) > 0 {
		l.Fatalf("got %+v, %v", found, err)
	}
}

func findsByKey(l ledgerTest) {
	item, held, rejected, other := l.mixed()
	look := []seckill.LookRequest{
		{User: "a", KeyHash: held.KeyHash},
		{User: "b", KeyHash: rejected.KeyHash},
		{User: "c", KeyHash: held.KeyHash},
		{User: "c", KeyHash: other.KeyHash},
	}
	for i := range 300 { // more than one statement takes
		look = append(look, seckill.LookRequest{User: seckill.UserID(fmt.Sprintf("nobody-%d", i)), KeyHash: "none"})
	}
	found, err := l.Claims.FindKeys(l.Context(), item, look)
	if err != nil || len(found) != 3 {
		l.Fatalf("got %+v, %v", found, err)
	}
	for _, c := range found {
		if c.ID != held.ID && c.ID != rejected.ID && c.ID != other.ID {
			l.Fatalf("got %+v", c)
		}
	}
}

func readsOfUser(l ledgerTest) {
	item, held, _, _ := l.mixed()
	l.elapse(item, time.Minute)
	last := l.reserve("a", 9)
	l.settle(l.message(item, 1, 9, last))
	claims, err := l.Claims.OfUser(l.Context(), item, "a")
	if err != nil || len(claims) != 3 || claims[0].ID != held.ID || claims[2].ID != last.ID {
		l.Fatalf("got %+v, %v", claims, err)
	}
}

func listsUnordered(l ledgerTest) {
	item, held, _, _ := l.mixed()
	shard := seckill.HomeShard(l.Shards, item)
	l.unordered(shard, time.Minute, 10, 0)
	l.elapse(item, time.Minute)
	fresh := l.reserve("d", 1)
	l.settle(l.message(item, 1, 8, fresh))
	l.unordered(shard, time.Minute, 10, 3)
	if claims := l.unordered(shard, 0, 2, 2); claims[0].ID != held.ID {
		l.Fatalf("got %+v", claims)
	}
	if claims := l.unordered(shard, 0, 10, 4); claims[3].ID != fresh.ID {
		l.Fatalf("got %+v", claims)
	}
	if err := l.Claims.MarkOrdered(l.Context(), shard, []seckill.ID{held.ID}); err != nil {
		l.Fatal(err)
	}
	l.unordered(shard, 0, 10, 3)
}

func (l ledgerTest) unordered(shard int, olderThan time.Duration, limit, want int) []seckill.Claim {
	l.Helper()
	claims, err := l.Claims.Unordered(l.Context(), shard, olderThan, limit)
	if err != nil || len(claims) != want {
		l.Fatalf("want %d, got %+v, %v", want, claims, err)
	}
	return claims
}

func marksOrdered(l ledgerTest) {
	item, held, _, other := l.mixed()
	for range 2 {
		err := l.Claims.MarkOrdered(l.Context(), seckill.HomeShard(l.Shards, item), []seckill.ID{other.ID, held.ID, held.ID, l.id(0)})
		if err != nil {
			l.Fatal(err)
		}
		found, err := l.Claims.Find(l.Context(), item, []seckill.ID{held.ID, other.ID})
		if err != nil || len(found) != 2 || !found[0].Ordered || !found[1].Ordered {
			l.Fatalf("got %+v, %v", found, err)
		}
	}
}

func pagesBuyers(l ledgerTest) {
	item, held, rejected, other := l.mixed()
	l.opened(1, 1)
	var buyers []seckill.Buyer
	for after := seckill.UserID(""); ; after = buyers[len(buyers)-1].User {
		page, err := l.Claims.Buyers(l.Context(), item, after, 2)
		if err != nil || len(page) > 2 {
			l.Fatalf("got %+v, %v", page, err)
		}
		if len(page) == 0 {
			break
		}
		buyers = append(buyers, page...)
	}
	if len(buyers) != 3 || len(buyers[0].Entries) != 2 || len(buyers[1].Entries) != 1 || len(buyers[2].Entries) != 1 {
		l.Fatalf("got %+v", buyers)
	}
	for i, want := range []seckill.BuyerEntry{
		{ID: held.ID, Quantity: 1, KeyHash: held.KeyHash},
		{ID: rejected.ID, Quantity: 0, KeyHash: rejected.KeyHash},
		{ID: other.ID, Quantity: 2, KeyHash: other.KeyHash},
	} {
		if buyers[i].Entries[0] != want {
			l.Fatalf("want %+v, got %+v", want, buyers[i])
		}
	}
}
