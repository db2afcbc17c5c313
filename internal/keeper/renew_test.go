package keeper

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestCarry(t *testing.T) {
	t.Parallel()
	t.Run("is not done while the gate of a sealing item may be lit", func(t *testing.T) {
		t.Parallel()
		clock := handclock.New()
		stock := seckill.Stock{Item: 7, State: seckill.StockSealing, Gate: time.Second, Since: clock.Now()}
		for after, done := range map[time.Duration]bool{
			0: false, time.Second: false, time.Second + seckill.CloseMargin: true,
		} {
			stock.ReadAt = stock.Since.Add(after)
			job := NewRenew(Ports{
				Stocks: &fakeStocks{stock: stock}, Lent: &fakeLent{}, Shards: oneShard{}, Clock: clock, Log: discard(),
			})
			if err := job.Carry(t.Context(), 7); (err == nil) != done {
				t.Errorf("%v after the seal: %v", after, err)
			}
		}
	})
	t.Run("is done for an item that sells nothing", func(t *testing.T) {
		t.Parallel()
		for _, state := range []seckill.StockState{seckill.StockNew, seckill.StockLoading, seckill.StockClosed} {
			job := NewRenew(Ports{
				Stocks: &fakeStocks{stock: seckill.Stock{Item: 7, State: state}}, Lent: &fakeLent{},
				Shards: oneShard{}, Clock: handclock.New(), Log: discard(),
			})
			if err := job.Carry(t.Context(), 7); err != nil {
				t.Errorf("%s: %v", state, err)
			}
		}
		rig := newBeginRig()
		if err := NewRenew(Ports{Stocks: rig.stocks, Lent: &fakeLent{}}).Carry(t.Context(), 7); err != nil {
			t.Errorf("without a row: %v", err)
		}
	})
}

// partStocks holds items 7 and 8 on the first shard; the second one is away.
type partStocks struct{ fakeStocks }

func (s *partStocks) List(_ context.Context, shard int, _ ...seckill.StockState) ([]seckill.Stock, error) {
	if shard > 0 {
		return nil, errors.New("this shard is away")
	}
	return []seckill.Stock{{Item: 8, State: seckill.StockOpen}, {Item: 7, State: seckill.StockOpen}}, nil
}

type twoShards struct{ oneShard }

func (twoShards) Count() int { return 2 }

// partCatalog has both items in one sale.
type partCatalog struct{ fakeCatalog }

func (c *partCatalog) Running(context.Context, time.Time) ([]seckill.Sale, error) {
	return []seckill.Sale{{Items: []seckill.Item{{ID: 7}, {ID: 8}}}}, nil
}

func TestRenew(t *testing.T) {
	t.Parallel()
	t.Run("renews what answers while a shard and a server of redis are away, and says so", func(t *testing.T) {
		t.Parallel()
		away := errors.New("this server is away")
		lent := &fakeLent{state: seckill.LentState{Item: 7}, err: away}
		job := NewRenew(Ports{
			Stocks: &partStocks{}, Lent: lent, Catalog: &partCatalog{}, Shards: twoShards{}, Clock: handclock.New(), Log: discard(),
		})
		if err := job.RunOnce(t.Context()); !errors.Is(err, away) {
			t.Errorf("error %v", err)
		}
		if len(lent.renewed) != 1 || lent.renewed[0].Item != 7 {
			t.Errorf("renewed %+v", lent.renewed)
		}
	})
}

// renewRig is an open item, and Redis that knows it.
type renewRig struct {
	clock   *handclock.Clock
	lent    *fakeLent
	catalog *fakeCatalog
	renew   *Renew
}

func newRenewRig() *renewRig {
	clock := handclock.New()
	rig := &renewRig{
		clock: clock, lent: &fakeLent{state: seckill.LentState{Item: 7}},
		catalog: &fakeCatalog{sale: seckill.Sale{ID: 1, State: seckill.SaleLive}, item: seckill.Item{ID: 7, Sale: 1, LimitPerUser: 2}},
	}
	rig.renew = NewRenew(Ports{
		Lent: rig.lent, Catalog: rig.catalog, Stocks: &fakeStocks{stock: seckill.Stock{Item: 7, State: seckill.StockOpen, Ceiling: 2}},
		Shards: oneShard{}, Clock: clock, Log: discard(),
	})
	return rig
}

func TestRenewWithoutTheCatalog(t *testing.T) {
	t.Parallel()
	t.Run("goes on with what it said last, and says so after a while", func(t *testing.T) {
		t.Parallel()
		rig := newRenewRig()
		first := rig.renew.RunOnce(t.Context())
		rig.catalog.away, rig.catalog.sale.State = true, seckill.SalePaused
		second := rig.renew.RunOnce(t.Context())
		rig.clock.Advance(termsQuiet)
		third := rig.renew.RunOnce(t.Context())
		if first != nil || second != nil || third == nil {
			t.Fatalf("got %v, %v, %v", first, second, third)
		}
		if len(rig.lent.renewed) != 3 || rig.lent.renewed[1].Limit != 2 || rig.lent.renewed[1].Paused {
			t.Fatalf("got %+v", rig.lent.renewed)
		}
	})
	t.Run("lets gates lapse when nothing was ever heard, or too long ago", func(t *testing.T) {
		t.Parallel()
		rig := newRenewRig()
		rig.catalog.away = true
		_ = rig.renew.RunOnce(t.Context())
		rig.catalog.away = false
		_ = rig.renew.RunOnce(t.Context())
		rig.catalog.away = true
		rig.clock.Advance(termsKept + time.Second)
		_ = rig.renew.RunOnce(t.Context())
		if len(rig.lent.renewed) != 1 {
			t.Fatalf("renewed %d times, want once", len(rig.lent.renewed))
		}
	})
}
