package sim

import (
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
)

// cover says whether there is a unit for each promise that SQL has not made true yet: lent, as long as its epoch lasts, and
// then in doubt.
func (b *book) cover(v ledger.View, stock seckill.Stock) {
	b.claimed(v, stock)
	b.settle(v, stock.Item)
	before, known := b.rows[stock.Item]
	b.rows[stock.Item] = stock
	if known && before.State == seckill.StockSealing && before.Epoch != stock.Epoch {
		b.ended(v, before, stock)
	}
	var lent, doubt int64
	for _, p := range b.open {
		switch {
		case p.item != stock.Item || p.grant == nil || p.excused():
		case p.grant.epoch == stock.Epoch:
			lent += p.quantity
		case p.grant.epoch < stock.Epoch && !b.overdue(v, p, stock):
			doubt += p.quantity
		}
	}
	if lent > stock.Lent || doubt > stock.Doubt+b.eaten[stock.Item] {
		b.broken("what is promised is there", stock.Item, []any{stock.Item},
			"%d units are promised of this epoch and %d of those before: %+v", lent, doubt, stock)
	}
}

// ended looks at the end of an epoch that was open: it comes after close, and whatever was promised and did not come is in
// doubt from now on.
func (b *book) ended(v ledger.View, before, now seckill.Stock) {
	if now.Since.Before(closeOf(before)) {
		b.broken("an epoch ends after its close", now.Item, []any{now.Item}, "%+v became %+v", before, now)
	}
	if counted := min(before.Lent, before.High-before.Accounted); now.Doubt-before.Doubt < counted {
		b.broken("what is counted is in doubt", now.Item, []any{now.Item}, "%+v became %+v", before, now)
	}
	told := b.told(v, before)
	for _, p := range b.open {
		if p.item != now.Item || p.grant == nil || p.grant.epoch != before.Epoch {
			continue
		}
		b.outlived(v, p)
		if p.grant.stray && !p.excused() {
			b.broken("what is promised is counted", p.item, []any{p.id, p.user},
				"%s is the unit %d of its epoch, which ended with %d: %+v", p.id, p.grant.sold, told, before)
		}
	}
}

// outlived notes that a promise has outlived its epoch.
func (*book) outlived(v ledger.View, p *promise) {
	p.doubted = true
	p.beyond = p.grant.stray && p.redisLost && p.grant.unheard(v)
}

// told is up to which unit SQL was told of an epoch that ends. What was granted beyond that is stray.
func (b *book) told(v ledger.View, before seckill.Stock) int64 {
	told := max(before.High, v.Highest(before.Item, before.Epoch))
	if redis := b.lent.View(before.Item); b.losses == 0 && redis.Known && redis.Epoch == before.Epoch && redis.Sold > told {
		b.broken("what redis has sold is counted", before.Item, []any{before.Item}, "%d of %d: %+v", told, redis.Sold, before)
	}
	for _, g := range b.given[before.Item] {
		if g.epoch == before.Epoch {
			g.stray, g.lost = g.sold > told, !b.lent.View(before.Item).Has(g.batch)
		}
	}
	return told
}

// overdue says that the time is over for which what was promised stays in doubt.
func (b *book) overdue(v ledger.View, p *promise, stock seckill.Stock) bool {
	late := !stock.SealedAt.IsZero() && v.Clock(p.item).Sub(stock.SealedAt) > seckill.DoubtFor-time.Second
	p.beyond = p.beyond || late
	return late
}

// marked says that a mark never falls: SQL does not forget what it was told of an epoch.
func (b *book) marked() {
	b.ledger.Look(func(v ledger.View) {
		for item, stock := range b.rows {
			sold, known := v.Highest(item, stock.Epoch), b.highest[item]
			if known.epoch == stock.Epoch && known.sold > sold {
				b.broken("a mark never falls", item, []any{item}, "%d units of epoch %d were marked, and now %d", known.sold, stock.Epoch, sold)
			}
			b.highest[item] = marked{stock.Epoch, sold}
		}
	})
}

// marked is the highest mark of an epoch.
type marked struct{ epoch, sold int64 }
