package sqlstore

import (
	"math"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// adjustCase is one adjustment of a row in epoch 5, of which owed is owed already.
type adjustCase struct {
	state  seckill.StockState // open unless set
	before purses
	owed   int64
	delta  int64
	want   seckill.Adjusted
	after  purses
	then   seckill.StockState // as before unless set
	moves  []int64
}

func adjustCases() map[string]adjustCase {
	refused := func(largest int64) seckill.Adjusted { return seckill.Adjusted{Refused: true, Largest: largest} }
	return map[string]adjustCase{
		"adds to the pool": {
			before: purses{1, 2, 3, 4}, delta: 5, want: seckill.Adjusted{Taken: 5}, after: purses{6, 2, 3, 4}, moves: []int64{5},
		},
		"takes from the pool without sealing": {
			before: purses{3, 2, 0, 4}, delta: -3, want: seckill.Adjusted{Taken: -3}, after: purses{0, 2, 0, 4}, moves: []int64{-3},
		},
		"owes what the pool lacks, and seals": {
			before: purses{1, 5, 0, 4}, delta: -3, want: seckill.Adjusted{Taken: -1, Owed: 2}, after: purses{0, 5, 0, 4},
			then: seckill.StockSealing, moves: []int64{-1, 2},
		},
		"is known by a move of nothing when all of it is owed": {
			before: purses{0, 5, 0, 4}, delta: -5, want: seckill.Adjusted{Owed: 5}, after: purses{0, 5, 0, 4},
			then: seckill.StockSealing, moves: []int64{0, 5},
		},
		"owes more while a load is under way": {
			state: seckill.StockLoading, before: purses{0, 5, 0, 0}, owed: 2, delta: -3, want: seckill.Adjusted{Owed: 3},
			after: purses{0, 5, 0, 0}, moves: []int64{0, 3},
		},
		"may ask for what is in doubt": {
			state: seckill.StockSealing, before: purses{1, 1, 1, 0}, delta: -3, want: seckill.Adjusted{Taken: -1, Owed: 2},
			after: purses{0, 1, 1, 0}, moves: []int64{-1, 2},
		},
		"is refused below what is claimed": {
			before: purses{1, 2, 3, 4}, delta: -7, want: refused(6), after: purses{1, 2, 3, 4},
		},
		"is refused what an earlier one will take": {
			state: seckill.StockSealing, before: purses{0, 5, 0, 4}, owed: 3, delta: -3, want: refused(2), after: purses{0, 5, 0, 4},
		},
		"is refused whatever an earlier one will not find any more": {
			state: seckill.StockSealing, before: purses{0, 1, 0, 4}, owed: 3, delta: -1, want: refused(0), after: purses{0, 1, 0, 4},
		},
		"is refused of the largest number there is": {
			before: purses{1, 2, 3, 4}, delta: math.MinInt64, want: refused(6), after: purses{1, 2, 3, 4},
		},
		"goes to the pool while a decrease is owed": {
			state: seckill.StockSealing, before: purses{0, 5, 0, 4}, owed: 3, delta: 2, want: seckill.Adjusted{Taken: 2},
			after: purses{2, 5, 0, 4}, moves: []int64{2},
		},
		"changes no closed item":             {state: seckill.StockClosed, before: purses{5, 0, 0, 4}, delta: -1, want: refused(0), after: purses{5, 0, 0, 4}},
		"changes no closed item, not upward": {state: seckill.StockClosed, before: purses{5, 0, 0, 4}, delta: 1, want: refused(0), after: purses{5, 0, 0, 4}},
	}
}

func TestAdjustStock(t *testing.T) {
	t.Parallel()
	for name, c := range adjustCases() {
		t.Run("an adjustment "+name, func(t *testing.T) {
			t.Parallel()
			if c.state == "" {
				c.state = seckill.StockOpen
			}
			if c.then == "" {
				c.then = c.state
			}
			s := c.before.stock(c.state)
			s.OwedDecrease, s.ReadAt = c.owed, time.UnixMilli(1000)
			got, moves := adjustStock(&s, seckill.Adjustment{Item: 7, Op: "op", Delta: c.delta})
			if got != c.want || pursesOf(s) != c.after || s.State != c.then || s.OwedDecrease != c.owed+c.want.Owed {
				t.Fatalf("got %+v, %+v", got, s)
			}
			if p := pursesOf(s); s.Allotted != p.pool+p.lent+p.doubt+p.claimed {
				t.Fatalf("%+v does not add up to %d", p, s.Allotted)
			}
			wantUnits(t, moves, c.moves)
		})
	}
}

// wantUnits wants moves of these units under two names that no other op has.
func wantUnits(t *testing.T, moves []seckill.Move, units []int64) {
	t.Helper()
	if len(moves) != len(units) {
		t.Fatalf("got %+v", moves)
	}
	for i, id := range []string{"adjust:7:op", "owe:7:op"}[:len(units)] {
		if m := moves[i]; m.ID != id || m.Units != units[i] || m.Epoch != 5 || m.Item != 7 {
			t.Fatalf("got %+v", m)
		}
	}
}

func TestReturnClaims(t *testing.T) {
	t.Parallel()
	claims := []seckill.Claim{
		{ID: 1, Item: 7, User: "a", Quantity: 2, KeyHash: "k", State: seckill.ClaimHeld},
		{ID: 2, Item: 7, User: "b", Quantity: 1, State: seckill.ClaimReturned},
		{ID: 3, Item: 7, User: "c", Quantity: 1, State: seckill.ClaimRejected},
		{ID: 4, Item: 8, User: "d", Quantity: 1, State: seckill.ClaimHeld},
	}
	for name, oneTry := range map[string]bool{"lets the buyer have as many again": false, "keeps counting what is given back": true} {
		t.Run("a return "+name, func(t *testing.T) {
			t.Parallel()
			s := purses{1, 2, 0, 3}.stock(seckill.StockOpen)
			s.OneTry = oneTry
			back := returnClaims(&s, claims)
			if pursesOf(s) != (purses{3, 2, 0, 1}) || back.units != 2 || len(back.claims) != 1 || back.claims[0] != 1 {
				t.Fatalf("got %+v, %+v", s, back)
			}
			if len(back.moves) != 1 || back.moves[0].ID != "return:1" || back.moves[0].Units != 2 || back.moves[0].Epoch != 5 {
				t.Fatalf("got %+v", back.moves)
			}
			if (len(back.owed) == 0) != oneTry {
				t.Fatalf("got %+v", back.owed)
			}
			want := seckill.Owed{Kind: seckill.OwedBuyer, Item: 7, Epoch: 5, User: "a", Entry: seckill.BuyerEntry{ID: 1, KeyHash: "k"}}
			if !oneTry && back.owed[0] != want {
				t.Fatalf("got %+v", back.owed)
			}
		})
	}
}
