package keeper

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// rebuilding notes how an epoch was to be ended, and ends none.
type rebuilding struct {
	*fakeStocks
	rebuilt []seckill.Rebuild
}

func (r *rebuilding) Rebuild(_ context.Context, rebuild seckill.Rebuild) (seckill.Stock, bool, error) {
	r.rebuilt = append(r.rebuilt, rebuild)
	return r.stock, false, nil
}

// manyIDs makes ids that differ.
type manyIDs struct{ made seckill.ID }

func (m *manyIDs) Next(int) (seckill.ID, error) {
	m.made++
	return m.made, nil
}

func TestReload(t *testing.T) {
	t.Parallel()
	clock := handclock.New()
	for name, c := range map[string]struct {
		change func(*seckill.Stock)
		again  bool
	}{
		"leaves a load alone that goes on":                    {func(*seckill.Stock) {}, false},
		"begins anew what stands still":                       {func(s *seckill.Stock) { s.Progress = s.ReadAt.Add(-time.Minute) }, true},
		"closes what ends meanwhile":                          {func(s *seckill.Stock) { s.Final = true }, true},
		"begins anew what an operator has taken units of":     {func(s *seckill.Stock) { s.OwedDecrease = 1 }, true},
		"leaves a halted item alone, whatever it owes":        {func(s *seckill.Stock) { s.OwedDecrease, s.Halted = 1, "restored" }, false},
		"leaves an open epoch alone that is as it should be":  {func(s *seckill.Stock) { s.State, s.Since = seckill.StockOpen, s.ReadAt }, false},
		"leaves a closed item alone that was never loaded":    {func(s *seckill.Stock) { s.State = seckill.StockClosed }, false},
		"leaves a sealing one to the drain while it is early": {func(s *seckill.Stock) { s.State, s.Since = seckill.StockSealing, s.ReadAt }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stock := seckill.Stock{
				Item: 7, Epoch: 3, Attempt: 9, State: seckill.StockLoading, Gate: time.Second, Version: 4,
				ReadAt: clock.Now(), Progress: clock.Now(),
			}
			c.change(&stock)
			stocks := &rebuilding{fakeStocks: &fakeStocks{stock: stock}}
			job := NewRecover(Ports{
				Stocks: stocks, Lent: &fakeLent{err: nil}, Shards: oneShard{}, Clock: clock, Log: discard(), IDs: &manyIDs{},
			})
			if err := job.step(t.Context(), stock, picture{}); err != nil && !errors.Is(err, seckill.ErrNotLive) {
				t.Fatal(err)
			}
			if (len(stocks.rebuilt) == 1) != c.again || c.again && (stocks.rebuilt[0].From != seckill.StockLoading || stocks.rebuilt[0].Version != 4) {
				t.Fatalf("got %+v", stocks.rebuilt)
			}
		})
	}
}
