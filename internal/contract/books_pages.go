package contract

import (
	"slices"
	"strings"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// claimsOf pages through all claims of an item; between is called after each page.
func (l ledgerTest) claimsOf(item seckill.ID, size int, between func()) []seckill.Claim {
	l.Helper()
	var all []seckill.Claim
	var after seckill.ClaimPlace
	for {
		page, err := l.Books.ClaimsOf(l.Context(), item, after, size)
		if err != nil || len(page) > size {
			l.Fatalf("got %+v, %v", page, err)
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		after = page[len(page)-1].Place()
		between()
	}
}

func pagesClaimsByUser(l ledgerTest) {
	item, _, _, _ := l.mixed() // two of user a, one of b and one of c
	l.mixed()
	for size := 1; size <= 5; size++ {
		var users string
		ids := make(map[seckill.ID]bool)
		for _, claim := range l.claimsOf(item, size, func() {}) {
			if claim.Item != item || ids[claim.ID] {
				l.Fatalf("got %+v", claim)
			}
			ids[claim.ID] = true
			users += string(claim.User)
		}
		if users != "aabc" {
			l.Fatalf("with %d a page: %s", size, users)
		}
	}
	if none, err := l.Books.ClaimsOf(l.Context(), l.id(0), seckill.ClaimPlace{}, 5); err != nil || len(none) > 0 {
		l.Fatalf("got %+v, %v", none, err)
	}
}

func pagesClaimsWhileSettling(l ledgerTest) {
	item := l.opened(9, limitMany)
	l.settle(l.message(item, 1, 2, l.reserve("b", 1), l.reserve("d", 1)))
	sold := int64(2)
	var users string
	for _, claim := range l.claimsOf(item, 1, func() {
		if sold == 2 {
			sold += 2
			l.settle(l.message(item, 1, sold, l.reserve("a", 1), l.reserve("c", 1)))
		}
	}) {
		users += string(claim.User)
	}
	if users != "bcd" {
		l.Fatalf("got %s", users)
	}
}

func pagesMovesBetween(l ledgerTest) {
	item := l.opened(5, 1)
	l.openNext(item, 2)
	l.opened(5, 1)
	shard := seckill.HomeShard(l.Shards, item)
	between := func(after, before string) (ids []string) {
		for {
			page, err := l.Books.MovesBetween(l.Context(), shard, after, before, 2)
			if err != nil || len(page) > 2 {
				l.Fatalf("got %+v, %v", page, err)
			}
			if len(page) == 0 {
				return ids
			}
			for _, move := range page {
				ids = append(ids, move.ID)
			}
			after = ids[len(ids)-1]
		}
	}
	prefix := "issue:" + item.String() + ":"
	if issues := between(prefix, prefix+"~"); len(issues) != 2 || !strings.HasPrefix(issues[1], prefix) {
		l.Fatalf("got %v", issues)
	}
	all := between("", "~")
	// The allotment, two issues, what was sealed and what stayed in doubt; of the other item, if it lives here, two.
	if len(all) < 5 || !slices.IsSorted(all) || !slices.Contains(all, prefix+"1") {
		l.Fatalf("got %v", all)
	}
}
