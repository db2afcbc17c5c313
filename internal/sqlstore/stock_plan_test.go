package sqlstore

import (
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestPayDecrease(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		owed  int64
		final bool
		want  purses
		moves int
	}{
		"is taken from the pool before the next issue":     {owed: 3, want: purses{0, 4, 3, 0}, moves: 5},
		"goes as far as the pool, and is not owed further": {owed: 9, want: purses{0, 0, 3, 0}, moves: 5},
		"is taken from an item that closes":                {owed: 3, final: true, want: purses{4, 0, 3, 0}, moves: 4},
		"changes nothing when nothing is owed":             {want: purses{0, 7, 3, 0}, moves: 3},
	} {
		t.Run("a decrease "+name, func(t *testing.T) {
			t.Parallel()
			s := purses{2, 8, 0, 0}.stock(seckill.StockSealing)
			s.OwedDecrease, s.Final, s.Accounted = c.owed, c.final, 1
			moves, done := rebuildStock(&s, seckill.Rebuild{Epoch: 5, From: seckill.StockSealing, Target: 4})
			if !done || pursesOf(s) != c.want || len(moves) != c.moves || s.OwedDecrease != 0 {
				t.Fatalf("got %t, %+v, %+v", done, s, moves)
			}
			if got := pursesOf(s); s.Allotted != got.pool+got.lent+got.doubt+got.claimed {
				t.Fatalf("%+v does not add up to %d", got, s.Allotted)
			}
		})
	}
}

// TestStockFollowsItsStates holds every decision to the table of transitions.
func TestStockFollowsItsStates(t *testing.T) {
	t.Parallel()
	for _, state := range seckill.StockStates() {
		for _, from := range seckill.StockStates() {
			for _, final := range []bool{false, true} {
				s := purses{1, 2, 0, 0}.stock(state)
				s.Final, s.ReadAt = final, time.UnixMilli(1)
				_, done := rebuildStock(&s, seckill.Rebuild{Epoch: 5, From: from})
				if done != (s.State != state || s.Epoch != 5) || (done && !state.CanBecome(s.State)) {
					t.Errorf("%s, rebuilt from %s, became %s: %t", state, from, s.State, done)
				}
			}
		}
		s := purses{1, 2, 0, 0}.stock(state)
		if sealed, _ := sealStock(&s, seckill.SealRequest{Final: true}); sealed != (s.State != state) || (sealed && !state.CanBecome(s.State)) {
			t.Errorf("%s, sealed, became %s: %t", state, s.State, sealed)
		}
	}
}
