package keeper

import (
	"errors"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
)

type loadRig struct {
	lent    *fakeLent
	stocks  *fakeStocks
	catalog *fakeCatalog
	recover *Recover
	stock   seckill.Stock
}

func newLoadRig() *loadRig {
	clock := handclock.New()
	rig := &loadRig{
		lent:   &fakeLent{state: seckill.LentState{Server: seckill.Server{Now: clock.Now(), RunID: "run", ReplicationID: "repl"}}},
		stocks: &fakeStocks{},
		catalog: &fakeCatalog{
			sale: seckill.Sale{ID: 1, State: seckill.SaleScheduled, StartsAt: clock.Now(), EndsAt: clock.Now().Add(time.Hour)},
			item: seckill.Item{ID: 7, Sale: 1, LimitPerUser: 2},
		},
		stock: seckill.Stock{Item: 7, Epoch: 3, Attempt: 9, State: seckill.StockLoading, Gate: time.Second, Lent: 10},
	}
	rig.recover = NewRecover(Ports{
		Lent: rig.lent, Stocks: rig.stocks, Catalog: rig.catalog, Claims: fakeClaims{}, Shards: oneShard{}, Clock: clock, Log: discard(),
	})
	return rig
}

func TestLoad(t *testing.T) {
	t.Parallel()
	t.Run("lights the gate for one gate length after the time it asked for first", func(t *testing.T) {
		t.Parallel()
		rig := newLoadRig()
		if err := rig.recover.load(t.Context(), rig.stock); err != nil {
			t.Fatal(err)
		}
		if len(rig.lent.lit) != 1 || !rig.lent.lit[0].Until.Equal(rig.lent.state.Server.Now.Add(time.Second)) {
			t.Fatalf("lit %+v", rig.lent.lit)
		}
	})
	t.Run("trap 28: raises the ceiling before redis hears of a higher limit", func(t *testing.T) {
		t.Parallel()
		rig := newLoadRig()
		rig.lent.onRead = func() {
			if rig.stocks.ceiling != 2 {
				t.Errorf("ceiling %d when redis is loaded with limit 2", rig.stocks.ceiling)
			}
		}
		if err := rig.recover.load(t.Context(), rig.stock); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("is not disturbed by the clock making the sale live", func(t *testing.T) {
		t.Parallel()
		rig := newLoadRig()
		rig.catalog.onRead = func() { rig.catalog.sale.State = seckill.SaleLive; rig.catalog.sale.Version++ }
		if err := rig.recover.load(t.Context(), rig.stock); err != nil || len(rig.lent.lit) != 1 {
			t.Fatalf("lit %v, error %v", rig.lent.lit, err)
		}
	})
	t.Run("trap 34: lights nothing after an unsure or refused opening", darkAfterOpening)
	t.Run("lights nothing when the sale was paused, ended or changed during the load", darkAfterTurn)
}

func darkAfterOpening(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*fakeStocks){
		"unsure":  func(s *fakeStocks) { s.openError = errors.New("connection lost in commit") },
		"refused": func(s *fakeStocks) { s.refuseOpen = true },
	} {
		rig := newLoadRig()
		change(rig.stocks)
		rig.wantDark(t, name)
	}
}

func darkAfterTurn(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*seckill.Sale){
		"paused":   func(s *seckill.Sale) { s.State = seckill.SalePaused },
		"ended":    func(s *seckill.Sale) { s.State = seckill.SaleEnded },
		"extended": func(s *seckill.Sale) { s.EndsAt = s.EndsAt.Add(time.Hour) },
	} {
		rig := newLoadRig()
		rig.catalog.onRead = func() { change(&rig.catalog.sale) }
		rig.wantDark(t, name)
	}
}

// wantDark wants a load that fails and lights no gate.
func (r *loadRig) wantDark(t *testing.T, name string) {
	t.Helper()
	if err := r.recover.load(t.Context(), r.stock); err == nil || len(r.lent.lit) > 0 {
		t.Errorf("%s: lit %v, error %v", name, r.lent.lit, err)
	}
}
