package keeper

import (
	"context"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// holding is what the claims say of the only buyer, and what Redis was told of him.
type holding struct {
	units  int64
	loaded []seckill.BuyerEntry
}

// returning is an item whose buyer gives all back while the next epoch is begun.
type returning struct {
	*fakeStocks
	*holding
	begins bool
}

func (r returning) Rebuild(context.Context, seckill.Rebuild) (seckill.Stock, bool, error) {
	r.units = 0
	next := r.stock
	next.Epoch, next.State = r.stock.Epoch+1, seckill.StockLoading
	return next, r.begins, nil
}

type heldClaims struct {
	seckill.Claims
	*holding
}

func (c heldClaims) Buyers(_ context.Context, _ seckill.ID, after seckill.UserID, _ int) ([]seckill.Buyer, error) {
	if after != "" {
		return nil, nil
	}
	return []seckill.Buyer{{User: "ann", Entries: []seckill.BuyerEntry{{ID: 5, Quantity: c.units}}}}, nil
}

type heldLent struct {
	*fakeLent
	*holding
}

func (l heldLent) LoadBuyers(_ context.Context, _ seckill.ID, _ int64, _ seckill.ID, buyers []seckill.Buyer) error {
	for _, buyer := range buyers {
		l.loaded = append(l.loaded, buyer.Entries...)
	}
	return nil
}

func TestBuyers(t *testing.T) {
	t.Parallel()
	for begins, does := range map[bool]string{
		true:  "trap 11: are read when the epoch has begun, not before: what is returned until then is in the claims",
		false: "are left to the keeper that has begun the epoch",
	} {
		t.Run(does, func(t *testing.T) {
			t.Parallel()
			rig, ann := newLoadRig(), &holding{units: 2}
			ports := rig.recover.ports
			rig.stock.ReadAt = ports.Clock.Now()
			rig.stock.Progress = rig.stock.ReadAt.Add(-time.Minute)
			rig.stocks.stock = rig.stock
			ports.Stocks, ports.Claims, ports.Lent = returning{rig.stocks, ann, begins}, heldClaims{holding: ann}, heldLent{rig.lent, ann}
			ports.IDs = &manyIDs{}
			if err := NewRecover(ports).step(t.Context(), rig.stock, picture{}); err != nil {
				t.Fatal(err)
			}
			if begins && (len(ann.loaded) != 1 || ann.loaded[0].Quantity != 0) || !begins && len(ann.loaded) > 0 {
				t.Errorf("redis was told %+v", ann.loaded)
			}
		})
	}
}
