package sim

import (
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
)

// check looks at what was written since it last looked.
func (w *world) check() {
	if c := w.loop.current; c != nil {
		w.loop.current = nil
		w.checkCall(c)
	}
	items, orders := w.ledger.Touched()
	if len(items)+len(orders) == 0 {
		return
	}
	w.ledger.Look(func(v ledger.View) {
		for _, item := range items {
			w.checkItem(v, item)
		}
		for _, order := range orders {
			w.checkOrder(v, order)
		}
	})
}

// checkCall looks at what a call has done that is not in SQL.
func (w *world) checkCall(c *call) {
	if c.method.store() == redisStore && w.faults.writes[c.method] && c.about.item != 0 {
		w.book.seen(c.about.item)
		w.noteSelling(c.about.item)
	}
	if !c.over {
		return
	}
	switch c.method {
	case bankOpen:
		if w.bank.Opened(c.about.id) > 1 {
			w.broken("money", 0, []any{c.about.id}, "%s can be paid in two places", c.about.id)
		}
	case lentRenewAll:
		w.checkGates()
	case marksBeat:
		w.book.marked()
	case lentLoad:
		w.book.stays(c.about.item)
	case lentReserve:
		w.checkHold(c)
	default:
	}
}

// ruleHalted is the rule that a live audit breaks when it closes an item's gate.
const ruleHalted = "nothing is halted"

// checkItem holds an item's row against its claims: nothing is sold that there is not, and nobody has more than he may.
func (w *world) checkItem(v ledger.View, item seckill.ID) {
	stock, exists := v.Stock(item)
	if !exists {
		return
	}
	if stock.Allotted != stock.Pool+stock.Lent+stock.Doubt+stock.Claimed {
		w.broken("conservation", item, []any{item}, "%+v does not add up", stock)
	}
	if min(stock.Pool, stock.Lent, stock.Doubt, stock.Claimed, stock.Allotted) < 0 {
		w.broken("never oversold", item, []any{item}, "%+v has less than nothing", stock)
	}
	var held int64
	counted := make(map[seckill.UserID]int64)
	for claim := range v.ClaimsOf(item) {
		if claim.State == seckill.ClaimHeld {
			held += claim.Quantity
		}
		if claim.State == seckill.ClaimHeld || claim.State == seckill.ClaimReturned && stock.OneTry {
			counted[claim.User] += claim.Quantity
		}
	}
	if stock.State == seckill.StockLoading {
		w.begins[item], w.epochs[item] = stock.Issue, stock.Epoch
	}
	if most := w.plan.stock + w.asked[item]; stock.Allotted > most {
		w.broken("stock is what operators say", item, []any{item}, "%d units are allotted, of at most %d", stock.Allotted, most)
	}
	if held != stock.Claimed {
		w.broken("never oversold", item, []any{item}, "%d units are claimed, claims hold %d", stock.Claimed, held)
	}
	for user, units := range counted {
		if units > stock.Ceiling {
			w.broken("limit per buyer", item, []any{user}, "%s has %d of at most %d", user, units, stock.Ceiling)
		}
	}
	if stock.Halted != "" {
		w.broken(ruleHalted, item, []any{item}, "%s", stock.Halted)
	}
	w.checkKeys(v, item)
	w.book.cover(v, stock)
}

// checkKeys says whether every key of a buyer names one reservation. Claims come by user.
func (w *world) checkKeys(v ledger.View, item seckill.ID) {
	var mine []seckill.Claim
	for claim := range v.ClaimsOf(item) {
		if len(mine) > 0 && mine[0].User != claim.User {
			mine = mine[:0]
		}
		for _, other := range mine {
			if other.KeyHash == claim.KeyHash {
				w.broken("one reservation per key", item, []any{claim.ID, other.ID, claim.User}, "%s and %s have one key", other.ID, claim.ID)
			}
		}
		mine = append(mine, claim)
	}
}

// checkGone says whether SQL has what leaves the queue. What became a dead letter is another matter.
func (w *world) checkGone(message seckill.Outgoing) {
	decoded, err := seckill.DecodeMessage(message.Body)
	if err != nil || w.buried {
		return
	}
	w.ledger.Look(func(v ledger.View) {
		for _, r := range decoded.Reservations {
			if _, exists := v.Claim(message.Item, r.ID); !exists {
				w.broken("what leaves the queue is in SQL", message.Item, []any{message.Batch, r.ID, r.User}, "%s is gone, and %s has no claim", message.Batch, r.ID)
			}
		}
	})
}

// checkOrder holds an order against its claim and its own past.
func (w *world) checkOrder(v ledger.View, id seckill.ID) {
	order, exists := v.Order(id)
	if !exists {
		return
	}
	claim, exists := v.Claim(order.Item, id)
	switch {
	case !exists, claim.State == seckill.ClaimRejected:
		w.broken("one order per reservation", order.Item, []any{id, order.User}, "%+v has the claim %+v", order, claim)
	case claim.User != order.User, claim.Item != order.Item, claim.Quantity != order.Quantity:
		w.broken("one order per reservation", order.Item, []any{id, order.User}, "%+v has the claim %+v", order, claim)
	}
	for _, c := range w.bank.Charges() {
		if c.Refunds > 1 {
			w.broken("money", order.Item, []any{c.Txn, c.Payment}, "%s went back %d times", c.Txn, c.Refunds)
		}
	}
	before := seckill.OrderState("")
	for n, step := range v.Steps(id) {
		first := n == 0 && step.State == seckill.OrderUnpaid
		if step.Version != int64(n+1) || !first && !before.CanBecome(step.State) {
			w.broken("order states", order.Item, []any{id}, "%s went from %q to %+v", id, before, step)
		}
		before = step.State
	}
	if before != order.State {
		w.broken("order states", order.Item, []any{id}, "%s is %s and its last step %s", id, order.State, before)
	}
}

// checkGates says whether the gates end one gate length after their epochs were sealed, however late somebody renews them.
func (w *world) checkGates() {
	w.ledger.Look(func(v ledger.View) {
		for _, item := range w.items {
			stock, _ := v.Stock(item.ID)
			redis := w.lent.View(item.ID)
			sealing := stock.State == seckill.StockSealing && redis.GateEpoch == stock.Epoch
			if sealing && redis.Until.After(stock.Since.Add(stock.Gate+seckill.CloseMargin)) {
				w.broken("a gate ends with its epoch", item.ID, []any{item.ID}, "%+v, and its gate lasts until %s", stock, redis.Until)
			}
		}
	})
}

// wholeFor is how long redis must have sold an epoch before nobody can take it for lost any more. A picture is not that old, nor
// is a call that was made when it was new: its process may have stood still before it sent it (standingMost), and been slow.
const wholeFor = standingMost + slowMost

// checkLost says whether an epoch was sealed although redis has lost nothing of it, and nobody asked for that. An issue on its
// way to redis is no loss.
func (w *world) checkLost(item seckill.ID) {
	w.noteSelling(item) // a call may have taken effect late
	redis, now := w.lent.View(item), w.loop.now()
	if w.book.losses > 0 || redis.GateEpoch != redis.Epoch || now-w.selling[item].since < wholeFor {
		return
	}
	w.ledger.Look(func(v ledger.View) {
		stock, _ := v.Stock(item)
		whole := redis.Issue == stock.Issue
		for move := range v.Moves(item) {
			young := v.Clock(item).Sub(move.At) < seckill.JudgeAfter
			whole = whole || move.Kind == seckill.MoveIssue && move.Issue == stock.Issue && young
		}
		if redis.Epoch == stock.Epoch && whole {
			w.broken("what redis has is not taken for lost", item, []any{item}, "%+v was sealed, and redis has %+v", stock, redis.LentState)
		}
	})
}

// sells is since when Redis has sold an epoch.
type sells struct {
	epoch int64
	since time.Duration
}

// noteSelling notes which epoch Redis sells.
func (w *world) noteSelling(item seckill.ID) {
	if redis := w.lent.View(item); redis.GateEpoch != w.selling[item].epoch {
		w.selling[item] = sells{redis.GateEpoch, w.loop.now()}
	}
}

// sold is how much of an epoch Redis has sold.
type sold struct {
	epoch, units int64
}

func (w *world) sold(item seckill.ID) sold {
	redis := w.lent.View(item)
	return sold{redis.Epoch, redis.Sold}
}

// after says whether something was sold since. A replica that was promoted may have the epoch before, which is over.
func (s sold) after(before sold) bool {
	return s.epoch == before.epoch && s.units > before.units || s.epoch > before.epoch && s.units > 0
}

// checkHold says whether a sale that was paused, or ended, sells.
func (w *world) checkHold(c *call) {
	held, now := w.held[c.about.item], w.sold(c.about.item)
	if w.holds && c.failure == nil && now.after(held) {
		w.broken("a pause holds", c.about.item, []any{c.about.item}, "%+v when operators were told that nothing is sold, and now %+v", held, now)
	}
}

// hold notes that operators were told that nothing is sold from now on.
func (w *world) hold() {
	w.holds = true
	for _, item := range w.items {
		w.held[item.ID] = w.sold(item.ID)
	}
}
