package sim

import (
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
)

// promise is a reservation that somebody was told is queued.
type promise struct {
	id       seckill.ID
	item     seckill.ID
	user     seckill.UserID
	quantity int64
	at       time.Duration
	// grant is what redis has accepted for it; nil when nobody saw that.
	grant *grant
	// redisLost says that redis has lost its outbox entry, brokerLost that the broker has lost its messages and got none since.
	redisLost, brokerLost bool
	// doubted says that its epoch has ended without it: nobody knew any more where it was. beyond says that this could not
	// be known: redis had lost it, its process was gone before SQL heard of it, and the queue brought it too late.
	doubted, beyond bool
	// refused says that it was not kept, which the design excuses.
	refused bool
}

// promised notes that somebody was told that a reservation is queued.
func (b *book) promised(r seckill.Reservation) *promise {
	known := b.promises[r.ID]
	if known != nil {
		if known.item != r.Item || known.user != r.User || known.quantity != r.Quantity {
			b.broken("one reservation", r.Item, []any{r.ID, r.User}, "%s was %+v and is %+v", r.ID, *known, r)
		}
		return known
	}
	p := &promise{id: r.ID, item: r.Item, user: r.User, quantity: r.Quantity, at: b.loop.now(), grant: b.grants[r.ID]}
	b.promises[r.ID] = p
	b.open[r.ID] = p
	b.ledger.Look(func(v ledger.View) {
		b.settle(v, r.Item)
		if b.open[r.ID] != nil && p.grant != nil {
			since := b.losses > p.grant.losses || b.lent.Former(p.item).Has(p.grant.batch)
			p.redisLost = since && !b.lent.View(p.item).Has(p.grant.batch)
			b.inTime(v, p)
			if !b.queued[p.id] {
				b.broken("queued is what the queue has", p.item, []any{p.id, p.user}, "%s was never confirmed", p.id)
			}
		}
	})
	return p
}

// confirmed notes which reservations the queue has had, and has again when they are published again after it lost them.
func (b *book) confirmed(message seckill.Outgoing) {
	decoded, err := seckill.DecodeMessage(message.Body)
	if err != nil {
		return
	}
	for _, r := range decoded.Reservations {
		b.queued[r.ID] = true
		if p := b.promises[r.ID]; p != nil {
			p.brokerLost = false
		}
	}
}

// inTime says whether a promise came before its epoch was closed. After that nobody waits for it.
func (b *book) inTime(v ledger.View, p *promise) {
	if inTime(v, p.grant) {
		return
	}
	stock, _ := v.Stock(p.item)
	if !p.grant.shown {
		b.broken("nothing is promised after close", p.item, []any{p.id, p.user},
			"%s is queued in epoch %d, and SQL says %+v", p.id, p.grant.epoch, stock)
	}
	if stock.Epoch != p.grant.epoch {
		b.outlived(v, p)
	}
}

// closeOf is when nothing more of a sealing epoch may be promised.
func closeOf(s seckill.Stock) time.Time {
	return s.Since.Add(s.Gate + seckill.AcceptWindow + seckill.CloseMargin)
}

// lost notes that a store has lost data. Of redis that counts which is not there any more.
func (b *book) lost(redis, broker bool) {
	if redis {
		b.losses++
	}
	for _, p := range b.open {
		if redis && (p.grant == nil || !b.lent.View(p.item).Has(p.grant.batch)) {
			p.redisLost = true
		}
		p.brokerLost = p.brokerLost || broker
	}
}

// stays says whether redis still has what it has not lost: a load leaves the outbox alone.
func (b *book) stays(item seckill.ID) {
	for _, p := range b.open {
		if p.item == item && p.grant != nil && !p.redisLost && !b.lent.View(item).Has(p.grant.batch) {
			b.broken("the outbox stays until it is settled", item, []any{p.id, p.grant.batch, p.user}, "redis has no batch of %s any more", p.id)
		}
	}
}

// excused says that a promise was lost together with both stores that had it, or that nobody could know of it.
func (p *promise) excused() bool { return p.redisLost && p.brokerLost || p.beyond }

// forgotten says that redis does not know of a promise any more, and will not before one of its messages comes: the drain has
// given up on it. Meanwhile its shopper is a new one to redis, with his key or without.
func (p *promise) forgotten() bool { return p.doubted }

// keep says whether a promise was kept: with the order, or that of the reservation it repeats.
func (b *book) keep(v ledger.View, p *promise, claim seckill.Claim) {
	if claim.User != p.user || claim.Item != p.item || claim.Quantity != p.quantity {
		b.broken("queued becomes its order", p.item, []any{p.id, p.user}, "%+v was promised, %+v is the claim", *p, claim)
		return
	}
	if claim.State == seckill.ClaimRejected && claim.Reason == seckill.Duplicate {
		first, exists := v.Claim(p.item, claim.First)
		if !exists || first.User != p.user {
			b.broken("queued becomes an order", p.item, []any{p.id, p.user}, "%s is a duplicate of %s, which is not there", p.id, claim.First)
			return
		}
		claim = first
	}
	if claim.State != seckill.ClaimRejected {
		b.kept++
		return
	}
	b.refused++
	p.refused = true
	if !p.excused() && !b.overtaken(v, p, claim) {
		b.broken("queued is never refused", p.item, []any{p.id, p.user},
			"%s of %s was queued at %.3f and is rejected: %s", p.id, p.user, p.at.Seconds(), claim.Reason)
	}
}

// overtaken says that a drain that was not counted has come between a promise and what took its place. Of what a shopper has
// bought twice, because redis had forgotten the first, he has one; and what nobody was told of may have taken a unit in doubt.
func (b *book) overtaken(v ledger.View, p *promise, refused seckill.Claim) bool {
	switch refused.Reason {
	case seckill.LimitReached:
		return b.boughtTwice(v, p)
	case seckill.SoldOut:
		return b.isEaten(p)
	default:
		return false
	}
}

// isEaten says that what was kept for a promise may have been taken by another, of which nobody was told.
func (b *book) isEaten(p *promise) bool { return p.forgotten() && b.eaten[p.item] >= p.quantity }

// unknown says that nothing shows any more that a promise may still come: its unit is eaten, and the item closed. While it
// sells, nobody is told that there is none until that is sure.
func (b *book) unknown(p *promise) bool {
	return b.isEaten(p) && b.rows[p.item].State == seckill.StockClosed
}

// boughtTwice says that a shopper has something of another epoch instead: of a later one, if this promise was forgotten, or of
// an earlier one that was.
func (b *book) boughtTwice(v ledger.View, p *promise) bool {
	for claim := range v.ClaimsOf(p.item) {
		if p.grant == nil || claim.User != p.user || claim.State == seckill.ClaimRejected {
			continue
		}
		g := b.grants[claim.ID]
		if claim.Epoch > p.grant.epoch && p.forgotten() || claim.Epoch < p.grant.epoch && g != nil && g.late && (g.lost || !g.stray) {
			return true
		}
	}
	return false
}
