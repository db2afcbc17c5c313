package keeper

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// preloads is a store of several items; it notes which rows are made, rebuilt and read.
type preloads struct {
	seckill.Stocks
	rows                 map[seckill.ID]seckill.Stock
	away                 seckill.ID
	made, rebuilt, reads []seckill.ID
	gate                 time.Duration
}

var errNoShard = errors.New("the shard is away")

func (p *preloads) Get(_ context.Context, item seckill.ID) (seckill.Stock, error) {
	p.reads = append(p.reads, item)
	stock, exists := p.rows[item]
	switch {
	case item == p.away:
		return seckill.Stock{}, errNoShard
	case !exists:
		return seckill.Stock{}, seckill.ErrNotFound
	default:
		return stock, nil
	}
}

func (p *preloads) Create(_ context.Context, item seckill.Item, gate time.Duration) error {
	if _, exists := p.rows[item.ID]; !exists {
		p.made, p.gate = append(p.made, item.ID), gate
		p.rows[item.ID] = seckill.Stock{Item: item.ID, State: seckill.StockNew, Pool: item.Allotment}
	}
	return nil
}

// Rebuild is always told that another keeper was first.
func (p *preloads) Rebuild(_ context.Context, r seckill.Rebuild) (seckill.Stock, bool, error) {
	p.rebuilt = append(p.rebuilt, r.Item)
	p.rows[r.Item] = seckill.Stock{Item: r.Item, State: seckill.StockLoading}
	return seckill.Stock{}, false, nil
}

// manyItems is a catalog of one sale.
type manyItems struct {
	seckill.Catalog
	items []seckill.Item
}

func (c *manyItems) Running(context.Context, time.Time) ([]seckill.Sale, error) {
	if len(c.items) == 0 {
		return nil, nil
	}
	return []seckill.Sale{{ID: 1, State: seckill.SaleScheduled, Items: c.items}}, nil
}

type countedIDs struct {
	seckill.IDs
	last seckill.ID
}

func (i *countedIDs) Next(int) (seckill.ID, error) {
	i.last++
	return i.last, nil
}

// loaded is what Redis knows.
type loaded struct {
	seckill.Lent
	states []seckill.LentState
	err    error
}

func (l *loaded) States(context.Context, []seckill.ID) ([]seckill.LentState, error) {
	return l.states, l.err
}

type beginRig struct {
	stocks  *preloads
	redis   *loaded
	catalog *manyItems
	clock   *handclock.Clock
	begin   *Begin
}

func newBeginRig(rows ...seckill.Stock) *beginRig {
	rig := &beginRig{
		stocks: &preloads{rows: map[seckill.ID]seckill.Stock{}}, redis: &loaded{}, catalog: &manyItems{}, clock: handclock.New(),
	}
	for _, row := range rows {
		rig.stocks.rows[row.Item] = row
		rig.catalog.items = append(rig.catalog.items, seckill.Item{ID: row.Item, Sale: 1, Allotment: 5})
	}
	rig.begin = NewBegin(Ports{
		Stocks: rig.stocks, Lent: rig.redis, Catalog: rig.catalog, Shards: oneShard{}, IDs: &countedIDs{}, Clock: rig.clock, Log: discard(),
	})
	return rig
}

// run has the job look, and look again when the operator's call is over.
func (r *beginRig) run(t *testing.T) error {
	t.Helper()
	first := r.begin.RunOnce(t.Context())
	r.clock.Advance(beginAfter)
	return errors.Join(first, r.begin.RunOnce(t.Context()))
}

func TestBegin(t *testing.T) {
	t.Parallel()
	fresh := seckill.Stock{Item: 7, State: seckill.StockNew, Pool: 5}
	t.Run("begins what a preload left new, or without a row", func(t *testing.T) {
		t.Parallel()
		rig := newBeginRig(fresh)
		rig.catalog.items = append(rig.catalog.items, seckill.Item{ID: 8, Sale: 1, Allotment: 5})
		if err := rig.run(t); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(rig.stocks.made, []seckill.ID{8}) || !slices.Equal(rig.stocks.rebuilt, []seckill.ID{7, 8}) {
			t.Errorf("made %v, begun %v", rig.stocks.made, rig.stocks.rebuilt)
		}
		if rig.stocks.gate != seckill.GateDefault {
			t.Errorf("gate %v", rig.stocks.gate)
		}
	})
	t.Run("leaves a preload that is under way to its call", func(t *testing.T) {
		t.Parallel()
		rig := newBeginRig(fresh)
		for range 3 {
			if err := rig.begin.RunOnce(t.Context()); err != nil {
				t.Fatal(err)
			}
			rig.clock.Advance(beginAfter/3 - time.Millisecond)
		}
		if len(rig.stocks.rebuilt) > 0 {
			t.Errorf("begun %v", rig.stocks.rebuilt)
		}
	})
	t.Run("begins nothing that is halted, or ends, or has begun", func(t *testing.T) {
		t.Parallel()
		halted, ending, begun := fresh, fresh, fresh
		halted.Halted = "wrong"
		ending.Item, ending.Final = 8, true
		begun.Item, begun.State = 9, seckill.StockSealing
		rig := newBeginRig(halted, ending, begun)
		if err := rig.run(t); err != nil || len(rig.stocks.rebuilt) > 0 {
			t.Errorf("begun %v, error %v", rig.stocks.rebuilt, err)
		}
	})
	t.Run("begins nothing that has begun as far as Redis knows, or may have", beginAsksRedis)
	t.Run("leaves items of other shards to others", beginOfOneShard)
	t.Run("reads an item no more that has begun, and forgets it with its sale", beginForgets)
	t.Run("is not kept from one item by another whose shard is away", beginWithoutOneShard)
}

func beginForgets(t *testing.T) {
	t.Parallel()
	rig := newBeginRig(seckill.Stock{Item: 7, State: seckill.StockOpen})
	if err := rig.run(t); err != nil || len(rig.stocks.reads) != 1 {
		t.Errorf("read %v, error %v", rig.stocks.reads, err)
	}
	items := rig.catalog.items
	rig.catalog.items = nil
	if err := rig.run(t); err != nil || len(rig.begin.items) > 0 {
		t.Errorf("remembers %v, error %v", rig.begin.items, err)
	}
	rig.catalog.items = items
	if err := rig.run(t); err != nil || len(rig.stocks.reads) != 2 {
		t.Errorf("read %v, error %v", rig.stocks.reads, err)
	}
}

func beginWithoutOneShard(t *testing.T) {
	t.Parallel()
	away, other := seckill.Stock{Item: 6, State: seckill.StockNew}, seckill.Stock{Item: 8, State: seckill.StockNew}
	rig := newBeginRig(away, other)
	rig.stocks.away = 6
	if err := rig.run(t); !errors.Is(err, errNoShard) || !slices.Equal(rig.stocks.rebuilt, []seckill.ID{8}) {
		t.Errorf("begun %v, error %v", rig.stocks.rebuilt, err)
	}
}

func beginAsksRedis(t *testing.T) {
	t.Parallel()
	for _, redis := range []loaded{
		{states: []seckill.LentState{{Item: 7, Known: true, Epoch: 1, Sold: 3}}}, {err: seckill.ErrUnavailable},
	} {
		rig := newBeginRig(seckill.Stock{Item: 7, State: seckill.StockNew, Pool: 5})
		rig.redis.states, rig.redis.err = redis.states, redis.err
		if err := rig.run(t); err == nil || len(rig.stocks.rebuilt) > 0 {
			t.Errorf("begun %v, error %v", rig.stocks.rebuilt, err)
		}
	}
}

func beginOfOneShard(t *testing.T) {
	t.Parallel()
	rig := newBeginRig(seckill.Stock{Item: 7, State: seckill.StockNew, Pool: 5})
	rig.begin.ports = rig.begin.ports.On(1)
	if err := rig.run(t); err != nil || len(rig.stocks.reads) > 0 {
		t.Errorf("read %v, error %v", rig.stocks.reads, err)
	}
}
