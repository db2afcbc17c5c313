package sim

import (
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
)

// grant is a reservation that Redis has accepted, whether or not anybody heard of it.
type grant struct {
	seckill.Reserved

	item, batch seckill.ID
	epoch, sold int64
	// process asked, at this time of the item's home shard, when redis had lost data so often.
	process *process
	at      time.Time
	losses  int
	// lost says that redis did not have it any more when its epoch ended, stray that nobody could count on it then, late that
	// SQL has it since.
	lost, stray, late bool
	// shown says that in time redis has shown it as sent, or an api has decided to promise it: who has seen that may say queued,
	// however long he waits with it. A process may stand still before it says what it has decided.
	shown bool
}

// granted notes what a server has accepted, and that it may: SQL has lent it this epoch's units, and nobody has asked for them
// back for longer than a gate lasts.
func (b *book) granted(p *process, item seckill.ID, asked []seckill.ReserveRequest, reply seckill.ReserveReply) {
	b.seen(item) // before anything happens to redis
	b.ledger.Look(func(v ledger.View) {
		now := v.Clock(item)
		var units int64
		for n, outcome := range reply.Outcomes {
			if outcome.Code != seckill.ReserveAccepted {
				continue
			}
			units += outcome.Quantity
			b.grant(&grant{
				Reserved: seckill.Reserved(asked[n]), item: item, batch: reply.Own.Batch, epoch: reply.Epoch, sold: reply.Sold,
				process: p, at: now, losses: b.losses,
			})
		}
		if stock, exists := v.Stock(item); units > 0 && (!exists || stock.Epoch != reply.Epoch || !lit(stock, now)) {
			b.broken("redis sells what it was lent", item, []any{item, reply.Own.Batch},
				"%s has %d units of epoch %d from redis at %s, and SQL says %+v", p.name, units, reply.Epoch, now.Format("05.000"), stock)
		}
	})
}

// shown notes what redis shows as sent.
func (b *book) shown(item seckill.ID, answers []seckill.LookAnswer) {
	b.ledger.Look(func(v ledger.View) {
		for _, answer := range answers {
			for _, entry := range append(slices.Clip(answer.Held), answer.Entry) {
				if !entry.Unsent {
					b.show(v, item, entry.ID)
				}
			}
		}
	})
}

// decided notes what an api is about to say.
func (b *book) decided(r seckill.Reservation) {
	if r.State == seckill.ReservationQueued {
		b.ledger.Look(func(v ledger.View) { b.show(v, r.Item, r.ID) })
	}
}

func (b *book) show(v ledger.View, item, id seckill.ID) {
	if g := b.grants[id]; g != nil && g.item == item && inTime(v, g) {
		g.shown = true
	}
}

// inTime says that the epoch of a grant is not closed yet.
func inTime(v ledger.View, g *grant) bool {
	stock, _ := v.Stock(g.item)
	over := stock.State == seckill.StockSealing && v.Clock(g.item).After(closeOf(stock))
	return stock.Epoch == g.epoch && !over
}

// lit says whether the gate of a row's epoch may be open now.
func lit(s seckill.Stock, now time.Time) bool {
	if s.State == seckill.StockSealing {
		return !now.After(s.Since.Add(s.Gate + seckill.CloseMargin))
	}
	return s.State == seckill.StockOpen
}

// grant keeps one. What an id is granted again, because a call came twice and redis had forgotten the first, is another.
func (b *book) grant(g *grant) {
	b.grants[g.ID] = g
	b.given[g.item] = append(b.given[g.item], g)
}

// claimed notes which grants of an item SQL has. A stray one takes units that were kept for others.
func (b *book) claimed(v ledger.View, stock seckill.Stock) {
	item := stock.Item
	left := b.given[item][:0]
	for _, g := range b.given[item] {
		if _, exists := v.Claim(item, g.ID); !exists {
			left = append(left, g)
			continue
		}
		g.late = g.epoch < stock.Epoch
		if g.stray {
			b.eaten[item] += g.Quantity
		}
	}
	b.given[item] = left
}

// unheard says that nobody but its process knew of a grant, and that SQL could not have heard of it: the process had not
// written a heartbeat since, and served as long as it may without one.
func (g *grant) unheard(v ledger.View) bool {
	begun := v.Begun(g.item, g.process.incarnation)
	return !begun.IsZero() && !begun.After(g.at.Add(clockMost)) && g.at.Sub(begun) < seckill.BeatMaxAge+seckill.CloseMargin
}

// beatMargin is how long a request may wait for its turn after its process has looked at its heartbeat.
const beatMargin = 3 * time.Second

// checkBeat says whether a process that is about to sell has told SQL lately that it is there.
func (p *process) checkBeat(item seckill.ID) {
	p.ledger.Look(func(v ledger.View) {
		begun := v.Begun(item, p.incarnation)
		if v.Clock(item).Sub(begun) > seckill.BeatMaxAge+beatMargin {
			p.broken("who sells has a heartbeat", item, []any{item}, "%s began its last one at %s", p.name, begun)
		}
	})
}
