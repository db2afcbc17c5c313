package sqlstore

import (
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// purses are the parts of a stock.
type purses struct{ pool, lent, doubt, claimed int64 }

func (p purses) stock(state seckill.StockState) seckill.Stock {
	return seckill.Stock{
		Item: 7, Epoch: 5, State: state, Ceiling: 4, Allotted: p.pool + p.lent + p.doubt + p.claimed,
		Pool: p.pool, Lent: p.lent, Doubt: p.doubt, Claimed: p.claimed,
	}
}

func pursesOf(s seckill.Stock) purses { return purses{s.Pool, s.Lent, s.Doubt, s.Claimed} }

// settleCase is one reservation of 1-4 units by user a under "key", in a message of an epoch; the row's epoch is 5.
type settleCase struct {
	state    seckill.StockState // open unless set
	before   purses
	claims   []seckill.Claim
	epoch    int64
	quantity int64
	forced   seckill.Reason
	foreign  bool // the id is not of the user's bucket
	oneTry   bool
	want     seckill.Reason
	after    purses
	owed     int // -1: nothing
}

// unitCases are about where units come from and go to.
func unitCases() map[string]settleCase {
	return map[string]settleCase{
		"takes its own epoch's units from lent": {
			before: purses{1, 4, 1, 0}, epoch: 5, quantity: 3, after: purses{1, 1, 1, 3}, owed: -1,
		},
		"takes what lent lacks from the pool": {
			before: purses{2, 2, 1, 0}, epoch: 5, quantity: 3, after: purses{1, 0, 1, 3}, owed: -1,
		},
		"takes a sealed epoch's units from doubt": {
			before: purses{1, 4, 4, 0}, epoch: 4, quantity: 3, after: purses{1, 4, 1, 3}, owed: 3,
		},
		"takes what doubt lacks from the pool, never from lent": {
			before: purses{2, 9, 2, 0}, epoch: 4, quantity: 3, after: purses{1, 9, 0, 3}, owed: 3,
		},
		"rejects when doubt and pool lack, whatever is lent": {
			before: purses{1, 9, 1, 0}, epoch: 4, quantity: 3, want: seckill.SoldOut, after: purses{1, 9, 1, 0},
		},
		"keeps the rest lent while sealing": {
			state: seckill.StockSealing, before: purses{0, 2, 0, 0}, epoch: 5, quantity: 3, want: seckill.SoldOut, after: purses{0, 2, 0, 0},
		},
		"returns the rest of lent while open": {
			before: purses{0, 2, 0, 0}, epoch: 5, quantity: 3, want: seckill.SoldOut, after: purses{2, 0, 0, 0},
		},
	}
}

// refusalCases are about what is refused first.
func refusalCases() map[string]settleCase {
	holds := func(user seckill.UserID, key string, quantity int64) []seckill.Claim {
		return []seckill.Claim{{ID: 1, Item: 7, User: user, KeyHash: key, Quantity: quantity, State: seckill.ClaimHeld}}
	}
	return map[string]settleCase{
		"rejects a key that is taken before it looks at the limit": {
			before: purses{0, 4, 0, 4}, claims: holds("a", "key", 4), epoch: 5, quantity: 1, want: seckill.Duplicate, after: purses{1, 3, 0, 4},
		},
		"rejects for the limit before it looks for units": {
			before: purses{0, 0, 0, 4}, claims: holds("a", "other", 4), epoch: 5, quantity: 1, want: seckill.LimitReached, after: purses{0, 0, 0, 4},
		},
		"sells up to the ceiling": {
			before: purses{0, 4, 0, 3}, claims: holds("a", "other", 3), epoch: 5, quantity: 1, after: purses{0, 3, 0, 4}, owed: -1,
		},
		"does not mind what others hold": {
			before: purses{0, 4, 0, 4}, claims: holds("b", "key", 4), epoch: 5, quantity: 4, after: purses{0, 0, 0, 8}, owed: -1,
		},
		"does not count what was returned": {
			before: purses{0, 4, 0, 0}, epoch: 5, quantity: 4, after: purses{0, 0, 0, 4}, owed: -1,
			claims: []seckill.Claim{{ID: 1, User: "a", KeyHash: "other", Quantity: 4, State: seckill.ClaimReturned}},
		},
		"counts what was returned of an only try": {
			oneTry: true, before: purses{0, 4, 0, 0}, epoch: 5, quantity: 3, want: seckill.LimitReached, after: purses{3, 1, 0, 0},
			claims: []seckill.Claim{{ID: 1, User: "a", KeyHash: "other", Quantity: 2, State: seckill.ClaimReturned}},
		},
		"does not count what was rejected, not even of an only try": {
			oneTry: true, before: purses{0, 4, 0, 0}, epoch: 5, quantity: 4, after: purses{0, 0, 0, 4}, owed: -1,
			claims: []seckill.Claim{{ID: 1, User: "a", KeyHash: "other", Quantity: 2, State: seckill.ClaimRejected}},
		},
		"rejects an id whose order could be placed nowhere": {
			foreign: true, before: purses{1, 4, 0, 0}, epoch: 5, quantity: 1, want: seckill.Invalid, after: purses{2, 3, 0, 0},
		},
		"rejects poison whatever it is": {
			before: purses{1, 4, 0, 0}, epoch: 5, quantity: 1, forced: seckill.Invalid, want: seckill.Invalid, after: purses{2, 3, 0, 0},
		},
	}
}

// ownID is an id of the user's bucket, as every honest reservation has one.
func ownID(user seckill.UserID) seckill.ID {
	return seckill.ComposeID(1_800_000_000_000, user.Bucket(), 0, 9)
}

func TestSettlePlan(t *testing.T) {
	t.Parallel()
	cases := unitCases()
	maps.Copy(cases, refusalCases())
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.state == "" {
				c.state = seckill.StockOpen
			}
			stock := c.before.stock(c.state)
			stock.OneTry = c.oneTry
			s := newSettling(stock, c.forced, map[seckill.ID]*knownClaim{}, c.claims)
			r := seckill.Reserved{ID: ownID("a"), User: "a", Quantity: c.quantity, KeyHash: "key"}
			if c.foreign {
				r.ID = ownID("somebody else")
			}
			s.settle(seckill.Message{Item: 7, Epoch: c.epoch, Sold: 9, Reservations: []seckill.Reserved{r}})
			if got := s.claims[0].Reason; got != c.want || pursesOf(s.stock) != c.after {
				t.Fatalf("got %q and %+v, want %q and %+v", got, pursesOf(s.stock), c.want, c.after)
			}
			if len(s.owed) != min(1, c.owed+1) || (len(s.owed) > 0 && s.owed[0].Entry.Quantity != int64(c.owed)) {
				t.Fatalf("owed %+v", s.owed)
			}
		})
	}
}

// TestSettlePlanAddsUp settles any messages on any row.
func TestSettlePlanAddsUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.Int64Range(0, 6)
		before := purses{part.Draw(t, "pool"), part.Draw(t, "lent"), part.Draw(t, "doubt"), 0}
		state := rapid.SampledFrom(seckill.StockStates()).Draw(t, "state")
		s := newSettling(before.stock(state), "", map[seckill.ID]*knownClaim{}, nil)
		for range rapid.IntRange(1, 12).Draw(t, "messages") {
			s.settle(drawMessage(t))
			if p := pursesOf(s.stock); min(p.pool, p.lent, p.doubt, p.claimed) < 0 || p.pool+p.lent+p.doubt+p.claimed != s.stock.Allotted {
				t.Fatalf("%+v does not add up to %d", p, s.stock.Allotted)
			}
		}
		claimsAddUp(t, s)
	})
}

// claimsAddUp compares the stock with the claims that were decided.
func claimsAddUp(t *rapid.T, s *settling) {
	held := make(map[seckill.UserID]int64)
	var claimed, accounted int64
	for _, c := range s.claims {
		if c.Epoch == s.stock.Epoch {
			accounted += c.Quantity
		}
		if c.State == seckill.ClaimHeld {
			claimed += c.Quantity
			held[c.User] += c.Quantity
		}
	}
	if claimed != s.stock.Claimed || accounted != s.stock.Accounted {
		t.Fatalf("claimed %d of %d, accounted %d of %d", claimed, s.stock.Claimed, accounted, s.stock.Accounted)
	}
	for user, units := range held {
		if units > s.stock.Ceiling {
			t.Fatalf("%s holds %d", user, units)
		}
	}
}

func drawMessage(t *rapid.T) seckill.Message {
	m := seckill.Message{Item: 7, Epoch: rapid.Int64Range(3, 5).Draw(t, "epoch"), Sold: 1}
	for range rapid.IntRange(1, 3).Draw(t, "reservations") {
		id := seckill.ID(rapid.Int64Range(1, 40).Draw(t, "id"))
		m.Reservations = append(m.Reservations, seckill.Reserved{
			ID: id, User: rapid.SampledFrom([]seckill.UserID{"a", "b", "c"}).Draw(t, "user"),
			Quantity: rapid.Int64Range(1, 3).Draw(t, "quantity"),
			KeyHash:  seckill.KeyHash(rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "key"), id),
		})
	}
	return m
}
