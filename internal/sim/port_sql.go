package sim

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
)

// claimsPort is seckill.Claims as a process reaches it, and so on.
type claimsPort struct {
	ledger.Claims

	p *process
}

type ordersPort struct {
	ledger.Orders

	p *process
}

type marksPort struct {
	ledger.Marks

	p *process
}

type owingPort struct {
	ledger.Owing

	p *process
}

type catalogPort struct {
	ledger.Catalog

	p *process
}

// Settle implements seckill.Claims.
func (x claimsPort) Settle(ctx context.Context, shard int, messages []seckill.Message, terms map[seckill.ID]seckill.Terms) (seckill.Settlement, error) {
	if x.p.skips(freshIDs) {
		messages = x.p.renamed(messages)
	}
	begun := false
	settlement, err := ask(ctx, x.p, claimsSettle, about{shard: shard, id: messages[0].Batch, says: []any{messages}}, func(ctx context.Context) (seckill.Settlement, error) {
		begun = true
		return x.Claims.Settle(ctx, shard, messages, terms)
	})
	if x.p.skips(lockStays) && x.p.dead.Load() && !begun {
		x.p.lock(messages)
	}
	if x.p.skips(ackFailed) {
		return settlement, nil
	}
	return settlement, err
}

// Reject implements seckill.Claims.
func (x claimsPort) Reject(ctx context.Context, shard int, message seckill.Message, reserved seckill.Reserved, reason seckill.Reason) (seckill.Settlement, error) {
	return ask(ctx, x.p, claimsReject, about{shard: shard, id: reserved.ID, says: []any{reserved, reason}}, func(ctx context.Context) (seckill.Settlement, error) {
		return x.Claims.Reject(ctx, shard, message, reserved, reason)
	})
}

// MarkOrdered implements seckill.Claims.
func (x claimsPort) MarkOrdered(ctx context.Context, shard int, ids []seckill.ID) error {
	return tell(ctx, x.p, claimsMarkOrdered, about{shard: shard, says: []any{ids}}, func(ctx context.Context) error {
		return x.Claims.MarkOrdered(ctx, shard, ids)
	})
}

// Unordered implements seckill.Claims.
func (x claimsPort) Unordered(ctx context.Context, shard int, olderThan time.Duration, limit int) ([]seckill.Claim, error) {
	if x.p.skips(noCompleter) {
		return nil, nil
	}
	return ask(ctx, x.p, claimsUnordered, about{shard: shard}, func(ctx context.Context) ([]seckill.Claim, error) {
		return x.Claims.Unordered(ctx, shard, olderThan, limit)
	})
}

// Find implements seckill.Claims. Who asks for several does so in any order.
func (x claimsPort) Find(ctx context.Context, item seckill.ID, ids []seckill.ID) ([]seckill.Claim, error) {
	ids = slices.Sorted(slices.Values(ids))
	return ask(ctx, x.p, claimsFind, about{item: item, id: first(ids), says: []any{ids}}, func(ctx context.Context) ([]seckill.Claim, error) {
		return x.Claims.Find(ctx, item, ids)
	})
}

// FindKeys implements seckill.Claims.
func (x claimsPort) FindKeys(ctx context.Context, item seckill.ID, keys []seckill.LookRequest) ([]seckill.Claim, error) {
	return ask(ctx, x.p, claimsFindKeys, about{item: item, says: []any{keys}}, func(ctx context.Context) ([]seckill.Claim, error) {
		return x.Claims.FindKeys(ctx, item, keys)
	})
}

// OfUser implements seckill.Claims.
func (x claimsPort) OfUser(ctx context.Context, item seckill.ID, user seckill.UserID) ([]seckill.Claim, error) {
	return ask(ctx, x.p, claimsOfUser, about{item: item, user: user}, func(ctx context.Context) ([]seckill.Claim, error) {
		return x.Claims.OfUser(ctx, item, user)
	})
}

// Buyers implements seckill.Claims.
func (x claimsPort) Buyers(ctx context.Context, item seckill.ID, after seckill.UserID, limit int) ([]seckill.Buyer, error) {
	if before, kept := x.p.buyersBefore[item]; kept {
		if after != "" {
			return nil, nil
		}
		return before, nil
	}
	return ask(ctx, x.p, claimsBuyers, about{item: item, says: []any{after}}, func(ctx context.Context) ([]seckill.Buyer, error) {
		return x.Claims.Buyers(ctx, item, after, limit)
	})
}

// Place implements seckill.Orders.
func (x ordersPort) Place(ctx context.Context, shard int, orders []seckill.NewOrder) error {
	if x.p.skips(orderedEarly) {
		_ = tell(ctx, x.p, ordersPlace, about{shard: shard, id: orders[0].ID, says: []any{orders}}, func(ctx context.Context) error {
			return x.Orders.Place(ctx, shard, orders)
		})
		return nil
	}
	return tell(ctx, x.p, ordersPlace, about{shard: shard, id: orders[0].ID, says: []any{orders}}, func(ctx context.Context) error {
		return x.Orders.Place(ctx, shard, orders)
	})
}

// Find implements seckill.Orders.
func (x ordersPort) Find(ctx context.Context, id seckill.ID) (seckill.Order, error) {
	return ask(ctx, x.p, ordersFind, about{id: id}, func(ctx context.Context) (seckill.Order, error) {
		return x.Orders.Find(ctx, id)
	})
}

// Now implements seckill.Marks.
func (x marksPort) Now(ctx context.Context, shard int) (time.Time, error) {
	if x.p.skips(beatsSwallowed) {
		now, err := x.Marks.Now(ctx, shard)
		if err != nil {
			now = everyones{}.Now()
		}
		return now, nil
	}
	return ask(ctx, x.p, marksNow, about{shard: shard}, func(ctx context.Context) (time.Time, error) {
		return x.Marks.Now(ctx, shard)
	})
}

// Beat implements seckill.Marks.
func (x marksPort) Beat(ctx context.Context, shard int, beat seckill.Beat) error {
	x.p.incarnation = beat.Incarnation
	if x.p.skips(marksDropped) {
		beat.Marks = nil
	}
	beat.Marks = slices.SortedFunc(slices.Values(beat.Marks), func(a, b seckill.Mark) int { return cmp.Compare(a.Item, b.Item) })
	if x.p.skips(beatsSwallowed) {
		_ = tell(ctx, x.p, marksBeat, about{shard: shard, id: beat.Incarnation, says: []any{beat}}, func(ctx context.Context) error {
			return x.Marks.Beat(ctx, shard, beat)
		})
		return nil
	}
	return tell(ctx, x.p, marksBeat, about{shard: shard, id: beat.Incarnation, says: []any{beat}}, func(ctx context.Context) error {
		return x.Marks.Beat(ctx, shard, beat)
	})
}

// Heartbeats implements seckill.Marks.
func (x marksPort) Heartbeats(ctx context.Context, shard int, since time.Time) ([]seckill.Heartbeat, error) {
	return ask(ctx, x.p, marksHeartbeats, about{shard: shard}, func(ctx context.Context) ([]seckill.Heartbeat, error) {
		return x.Marks.Heartbeats(ctx, shard, since)
	})
}

// Highest implements seckill.Marks.
func (x marksPort) Highest(ctx context.Context, item seckill.ID, epoch int64) (int64, error) {
	return ask(ctx, x.p, marksHighest, about{item: item, says: []any{epoch}}, func(ctx context.Context) (int64, error) {
		return x.Marks.Highest(ctx, item, epoch)
	})
}

// Owed implements seckill.Owing.
func (x owingPort) Owed(ctx context.Context, shard int, kind seckill.OwedKind, after seckill.ID, limit int) ([]seckill.Owed, error) {
	return ask(ctx, x.p, owingOwed, about{shard: shard, says: []any{kind}}, func(ctx context.Context) ([]seckill.Owed, error) {
		return x.Owing.Owed(ctx, shard, kind, after, limit)
	})
}

// Done implements seckill.Owing.
func (x owingPort) Done(ctx context.Context, shard int, ids []seckill.ID) error {
	return tell(ctx, x.p, owingDone, about{shard: shard, says: []any{ids}}, func(ctx context.Context) error {
		return x.Owing.Done(ctx, shard, ids)
	})
}

// Create implements seckill.Catalog.
func (x catalogPort) Create(ctx context.Context, sale seckill.Sale, act seckill.Act) error {
	return tell(ctx, x.p, catalogCreate, about{id: sale.ID}, func(ctx context.Context) error {
		return x.Catalog.Create(ctx, sale, act)
	})
}

// Update implements seckill.Catalog.
func (x catalogPort) Update(ctx context.Context, sale seckill.Sale, act seckill.Act) (bool, error) {
	return ask(ctx, x.p, catalogUpdate, about{id: sale.ID, says: []any{sale}}, func(ctx context.Context) (bool, error) {
		return x.Catalog.Update(ctx, sale, act)
	})
}

// Change implements seckill.Catalog.
func (x catalogPort) Change(ctx context.Context, change seckill.SaleChange) (bool, error) {
	return ask(ctx, x.p, catalogChange, about{id: change.Sale, says: []any{change.To, change.Version}}, func(ctx context.Context) (bool, error) {
		return x.Catalog.Change(ctx, change)
	})
}

// Advance implements seckill.Catalog.
func (x catalogPort) Advance(ctx context.Context) ([]seckill.ID, error) {
	return ask(ctx, x.p, catalogAdvance, about{}, func(ctx context.Context) ([]seckill.ID, error) {
		return x.Catalog.Advance(ctx)
	})
}

// Sale implements seckill.Catalog.
func (x catalogPort) Sale(ctx context.Context, id seckill.ID) (seckill.Sale, error) {
	return ask(ctx, x.p, catalogSale, about{id: id}, func(ctx context.Context) (seckill.Sale, error) {
		return x.Catalog.Sale(ctx, id)
	})
}

// Item implements seckill.Catalog.
func (x catalogPort) Item(ctx context.Context, id seckill.ID) (seckill.Item, error) {
	return ask(ctx, x.p, catalogItem, about{item: id}, func(ctx context.Context) (seckill.Item, error) {
		return x.Catalog.Item(ctx, id)
	})
}

// Running implements seckill.Catalog.
func (x catalogPort) Running(ctx context.Context, endedAfter time.Time) ([]seckill.Sale, error) {
	return ask(ctx, x.p, catalogRunning, about{}, func(ctx context.Context) ([]seckill.Sale, error) {
		return x.Catalog.Running(ctx, endedAfter)
	})
}

// Log implements seckill.Catalog.
func (x catalogPort) Log(ctx context.Context, act seckill.Act) error {
	return tell(ctx, x.p, catalogLog, about{}, func(ctx context.Context) error {
		return x.Catalog.Log(ctx, act)
	})
}

// Now implements seckill.Catalog.
func (x catalogPort) Now(ctx context.Context) (time.Time, error) {
	return ask(ctx, x.p, catalogNow, about{}, func(ctx context.Context) (time.Time, error) {
		return x.Catalog.Now(ctx)
	})
}
