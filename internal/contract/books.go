package contract

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Books is the suite of seckill.Books.
func Books(t *testing.T, open func(t *testing.T) Ledger) {
	t.Helper()
	runLedger(t, open, []ledgerCase{
		{"reads what an item's claims and moves add up to", readsFacts},
		{"reads facts of one moment while others settle", readsOneMoment},
		{"lists the stock of every shard once", listsStockItems},
		{"lists the items that have claims, moves or owed entries and no stock", listsOrphans},
		{"pages through an item's claims by user, whatever the size of a page", pagesClaimsByUser},
		{"sees a claim that comes where it has not been yet, and no claim twice", pagesClaimsWhileSettling},
		{"pages through a shard's moves within bounds", pagesMovesBetween},
		{"pages through an item's moves by id", pagesMoves},
		{"pages through everything a shard owes", pagesOwed},
		{"reads orders wherever they live", readsOrdersAnywhere},
		{"pages through all orders of a shard with their events", pagesOrders},
		{"refuses a cursor that it never returned", refusesCursor},
	})
}

func readsFacts(l ledgerTest) {
	item, _, rejected, _ := l.mixed() // 9 units, 4 held, 3 rejected
	if _, issued, err := l.Stocks.Issue(l.Context(), item); err != nil || !issued {
		l.Fatalf("got %t, %v", issued, err)
	}
	facts, err := l.Books.Facts(l.Context(), item)
	if err != nil || facts.Stock != l.readAt(facts.Stock) {
		l.Fatalf("got %+v, %v", facts, err)
	}
	if facts.HeldUnits != 4 || facts.EpochUnits != 4+rejected.Quantity || facts.AdjustUnits != 9 || facts.LastIssue != 2 || facts.Issues != 2 || facts.OverLimit != nil {
		l.Fatalf("got %+v", facts)
	}
	l.openNext(item, 8)
	l.settle(l.message(item, 1, 8, l.reserve("d", 1)))
	if facts, err = l.Books.Facts(l.Context(), item); err != nil || facts.HeldUnits != 5 || facts.EpochUnits != 0 || facts.LastIssue != 3 {
		l.Fatalf("got %+v, %v", facts, err)
	}
}

func readsOneMoment(l ledgerTest) {
	const settlements = 30
	item := l.opened(settlements, limitMany)
	var settled sync.WaitGroup
	settled.Go(func() {
		for i := range int64(settlements) {
			m := l.message(item, 1, i+1, l.reserve("a", 1))
			if _, err := l.Claims.Settle(l.Context(), seckill.HomeShard(l.Shards, item), []seckill.Message{m}, nil); err != nil {
				l.Error(err)
			}
		}
	})
	for l.stock(item).Claimed < settlements && !l.Failed() {
		l.addsUp(item)
	}
	settled.Wait()
}

func listsStockItems(l ledgerTest) {
	items := []seckill.ID{l.stocked(1, 1), l.stocked(1, 1), l.opened(1, 1)}
	slices.Sort(items)
	var listed []seckill.ID
	for shard := range l.Shards.Count() {
		page, err := l.Books.StockItems(l.Context(), shard)
		if err != nil {
			l.Fatal(err)
		}
		listed = append(listed, page...)
	}
	slices.Sort(listed)
	if !slices.Equal(items, listed) {
		l.Fatalf("want %v, got %v", items, listed)
	}
}

// listsOrphans makes rows that the ports never leave behind.
func listsOrphans(l ledgerTest) {
	item, _, rejected, _ := l.mixed()
	other := l.opened(1, 1)
	want := map[string]seckill.ID{"claims": item, "stock_moves": item, "outbox": item}
	shard := seckill.HomeShard(l.Shards, item)
	if orphans, err := l.Books.Orphans(l.Context(), shard); err != nil || len(orphans) > 0 || len(l.owed(item)) == 0 {
		l.Fatalf("got %+v, %v; %+v is rejected", orphans, err, rejected)
	}
	if err := l.Lose(l.Context(), item); err != nil {
		l.Fatal(err)
	}
	orphans, err := l.Books.Orphans(l.Context(), shard)
	if err != nil || len(orphans) != len(want) {
		l.Fatalf("got %+v, %v", orphans, err)
	}
	for _, o := range orphans {
		if want[o.Table] != o.Item || o.Item == other {
			l.Fatalf("got %+v", orphans)
		}
	}
}

func pagesMoves(l ledgerTest) {
	item := l.opened(5, 1)
	l.openNext(item, 2)
	l.opened(5, 1)
	var ids []string
	for after := ""; ; after = ids[len(ids)-1] {
		page, err := l.Books.MovesAfter(l.Context(), item, after, 2)
		if err != nil || len(page) > 2 {
			l.Fatalf("got %+v, %v", page, err)
		}
		if len(page) == 0 {
			break
		}
		for _, m := range page {
			if m.Item != item || m.Units == 0 || m.At.IsZero() {
				l.Fatalf("got %+v", m)
			}
			ids = append(ids, m.ID)
		}
	}
	// The allotment, two issues, what was sealed and what stayed in doubt.
	if len(ids) != 5 || !slices.IsSorted(ids) {
		l.Fatalf("got %v", ids)
	}
}

func pagesOwed(l ledgerTest) {
	item, _, _, _ := l.mixed()
	want := l.owed(item)
	var found []seckill.Owed
	for after := seckill.ID(0); ; after = found[len(found)-1].ID {
		page, err := l.Books.OwedAfter(l.Context(), seckill.HomeShard(l.Shards, item), after, 1)
		if err != nil || len(page) > 1 {
			l.Fatalf("got %+v, %v", page, err)
		}
		if len(page) == 0 {
			break
		}
		found = append(found, page...)
	}
	if len(want) == 0 || !slices.Equal(want, found) {
		l.Fatalf("want %+v, got %+v", want, found)
	}
}

// placed are orders of as many users.
func (l ledgerTest) placed(count int) []seckill.ID {
	l.Helper()
	var ids []seckill.ID
	orders := make(map[int][]seckill.NewOrder)
	for i := range count {
		user := seckill.UserID(fmt.Sprintf("user-%d", i))
		id := l.id(user.Bucket())
		ids = append(ids, id)
		shard := seckill.UserShard(l.Shards, user)
		orders[shard] = append(orders[shard], seckill.NewOrder{
			ID: id, Item: 7, User: user, Quantity: 2, PriceMinor: 995, Currency: "EUR", PayWithin: time.Minute,
		})
	}
	for shard, orders := range orders {
		if err := l.Orders.Place(l.Context(), shard, orders); err != nil {
			l.Fatal(err)
		}
	}
	slices.Sort(ids)
	return ids
}

func readsOrdersAnywhere(l ledgerTest) {
	ids := l.placed(100)
	orders, err := l.Books.OrdersOf(l.Context(), append(slices.Clone(ids), l.id(0), l.id(900)))
	if err != nil || len(orders) != len(ids) {
		l.Fatalf("got %d of %d, %v", len(orders), len(ids), err)
	}
	for i, o := range orders {
		found, err := l.Orders.Find(l.Context(), ids[i])
		if err != nil || found != o || o.State != seckill.OrderUnpaid {
			l.Fatalf("got %+v and %+v, %v", o, found, err)
		}
	}
}

func pagesOrders(l ledgerTest) {
	ids := l.placed(100)
	for _, of := range [][]seckill.ID{nil, {7}, {6, 7}} {
		if found := l.paged(of); !slices.Equal(ids, found) {
			l.Fatalf("found %d of %d orders of %v", len(found), len(ids), of)
		}
	}
	if found := l.paged([]seckill.ID{6}); len(found) > 0 {
		l.Fatalf("found %v of another item", found)
	}
}

// paged are all orders of these items, a page at a time.
func (l ledgerTest) paged(of []seckill.ID) (found []seckill.ID) {
	for shard := range l.Shards.Count() {
		for cursor, more := "", true; more; more = cursor != "" {
			page, next, err := l.Books.OrdersAfter(l.Context(), shard, of, cursor, 7)
			if err != nil || len(page) > 7 || (next != "" && len(page) < 7) {
				l.Fatalf("got %+v, %q, %v", page, next, err)
			}
			for _, o := range page {
				events := [...]int64{o.Events, o.FirstEvent, o.LastEvent}
				if o.Misplaced || o.Table == "" || events != [...]int64{1, 1, 1} || o.LastState != o.State || o.PriceMinor != 995 {
					l.Fatalf("got %+v", o)
				}
				found = append(found, o.ID)
			}
			cursor = next
		}
	}
	slices.Sort(found)
	return found
}

func refusesCursor(l ledgerTest) {
	for _, cursor := range []string{"x", "0", "16:1", "-1:1", "1:x"} {
		if _, _, err := l.Books.OrdersAfter(l.Context(), 0, nil, cursor, 1); seckill.ReasonOf(err) != seckill.Invalid {
			l.Fatalf("%q: got %v", cursor, err)
		}
	}
}
