package keeper

import (
	"slices"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestForSale(t *testing.T) {
	t.Parallel()
	// measured runs the job on issues 5 and 6, which lend orders again, and tells what it measures.
	measured := func(t *testing.T, change func(*till, *fakeLent)) []time.Duration {
		t.Helper()
		r := newTill(0)
		lent := &fakeLent{state: seckill.LentState{Item: 7, Known: true, Epoch: 3, Issue: 4}}
		r.ports.Lent, r.ports.Stocks = lent, &fakeStocks{
			stock: seckill.Stock{Item: 7, Epoch: 3, State: seckill.StockOpen, Issue: 6},
			moves: []seckill.Move{{Item: 7, Epoch: 3, Issue: 5, Units: 1}, {Item: 7, Epoch: 3, Issue: 6, Units: 2}},
		}
		r.returns.lent = map[int64][]seckill.ID{5: {1}, 6: {2, 3}}
		var all []time.Duration
		r.ports.Metrics.ForSale = func(after time.Duration) { all = append(all, after) }
		change(r, lent)
		if err := NewIssue(r.ports).RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		return all
	}
	t.Run("measures from the end of each order to its units being for sale", func(t *testing.T) {
		t.Parallel()
		got := measured(t, func(*till, *fakeLent) {})
		if !slices.Equal(got, []time.Duration{time.Second, 2 * time.Second, 3 * time.Second}) {
			t.Fatalf("measures %v", got)
		}
	})
	t.Run("does not count what has passed since", func(t *testing.T) {
		t.Parallel()
		got := measured(t, func(r *till, _ *fakeLent) {
			r.payments.onAsked = func() { r.clock.Advance(1500 * time.Millisecond) } // once for each issue
		})
		if !slices.Equal(got, []time.Duration{0, 0, 0}) {
			t.Fatalf("measures %v", got)
		}
	})
	t.Run("leaves to another keeper what that one has sent", func(t *testing.T) {
		t.Parallel()
		if got := measured(t, func(_ *till, l *fakeLent) { l.known = true }); len(got) > 0 {
			t.Fatalf("measures %v", got)
		}
	})
	t.Run("is no failure of the job when nobody knows", func(t *testing.T) {
		t.Parallel()
		if got := measured(t, func(r *till, _ *fakeLent) { r.payments.away = seckill.ErrUnavailable }); len(got) > 0 {
			t.Fatalf("measures %v", got)
		}
	})
}
