package ledger

import (
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// View shows the rows as they are, without copying more than one at a time. It is good only while Look runs.
type View struct{ ledger *Ledger }

// Look shows everything, of one moment, to who must not call any port meanwhile. A shard that is away is shown too.
func (l *Ledger) Look(do func(v View)) {
	l.lock.Lock()
	defer l.lock.Unlock()
	do(View{l})
}

// Touched are the items and orders that something was written of since it was last asked, in the order of their ids. Claims,
// moves and owed steps belong to their item; payments, charges, refunds and returns owed to their order.
func (l *Ledger) Touched() (items, orders []seckill.ID) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return taken(l.items), taken(l.orders)
}

// taken empties a set. Most steps write nothing.
func taken(set map[seckill.ID]struct{}) []seckill.ID {
	if len(set) == 0 {
		return nil
	}
	ids := slices.Sorted(maps.Keys(set))
	clear(set)
	return ids
}

func (l *Ledger) touchItem(id seckill.ID)  { l.items[id] = struct{}{} }
func (l *Ledger) touchOrder(id seckill.ID) { l.orders[id] = struct{}{} }

// every goes through a table of every shard.
func every[K any, R, T any](v View, rows func(db *database) iter.Seq2[K, *R], of func(row *R) T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, db := range v.ledger.shards {
			for _, row := range rows(db) {
				if !yield(of(row)) {
					return
				}
			}
		}
	}
}

func same[R any](row *R) R { return *row }

// Sales are without their items.
func (v View) Sales() iter.Seq[seckill.Sale] {
	return every(v, func(db *database) iter.Seq2[seckill.ID, *saleRow] { return db.sales.all() },
		func(row *saleRow) seckill.Sale { return row.Sale })
}

// Stocks are all rows, without the clock.
func (v View) Stocks() iter.Seq[seckill.Stock] {
	return every(v, func(db *database) iter.Seq2[seckill.ID, *seckill.Stock] { return db.stocks.all() }, same)
}

// Stock is one row, without the clock.
func (v View) Stock(item seckill.ID) (seckill.Stock, bool) {
	return found(v.home(item).stocks.get(item))
}

func (v View) home(item seckill.ID) *database  { return v.ledger.shards[v.ledger.router.home(item)] }
func (v View) shardOf(id seckill.ID) *database { return v.ledger.shards[v.ledger.router.of(id)] }
func found[R any](row *R) (known R, is bool) {
	if row == nil {
		return known, false
	}
	return *row, true
}

// Moves are an item's, by their ids.
func (v View) Moves(item seckill.ID) iter.Seq[seckill.Move] {
	return func(yield func(seckill.Move) bool) {
		for _, move := range v.home(item).movesOf(item).byID.all() {
			if !yield(*move) {
				return
			}
		}
	}
}

// Claims are all there are.
func (v View) Claims() iter.Seq[seckill.Claim] {
	return every(v, func(db *database) iter.Seq2[seckill.ID, *seckill.Claim] { return db.claims.byID.all() }, same)
}

// ClaimsOf are an item's, by user.
func (v View) ClaimsOf(item seckill.ID) iter.Seq[seckill.Claim] {
	return func(yield func(seckill.Claim) bool) {
		users := v.home(item).claims.items[item]
		if users == nil {
			return
		}
		for _, bought := range users.all() {
			for _, claim := range bought.claims {
				if !yield(*claim) {
					return
				}
			}
		}
	}
}

// Claim is one of an item's.
func (v View) Claim(item, id seckill.ID) (seckill.Claim, bool) {
	return found(v.home(item).claims.byID.get(id))
}

// Unordered counts the held claims that have no order yet.
func (v View) Unordered() (count int) {
	for _, db := range v.ledger.shards {
		count += db.claims.unordered.size()
	}
	return count
}

// Orders are all there are.
func (v View) Orders() iter.Seq[seckill.Order] {
	return every(v, func(db *database) iter.Seq2[seckill.ID, *orderRow] { return db.orders.byID.all() },
		func(row *orderRow) seckill.Order { return row.Order })
}

// Order is one of them.
func (v View) Order(id seckill.ID) (seckill.Order, bool) {
	row, is := found(v.shardOf(id).orders.byID.get(id))
	return row.Order, is
}

// Steps are those of an order, oldest first. To be read only.
func (v View) Steps(order seckill.ID) []seckill.OrderEvent {
	row, _ := found(v.shardOf(order).orders.byID.get(order))
	return row.steps
}

// Owed are the steps that all shards owe.
func (v View) Owed() iter.Seq[seckill.Owed] {
	return every(v, func(db *database) iter.Seq2[seckill.ID, *seckill.Owed] { return db.outbox.all() }, same)
}

// Events are those that somebody has still to be told, without their dispatches.
func (v View) Events() iter.Seq[seckill.Event] {
	return every(v, func(db *database) iter.Seq2[seckill.ID, *eventRow] { return db.told.events.all() },
		func(row *eventRow) seckill.Event { return row.Event })
}

// Clock is the time of an item's home shard.
func (v View) Clock(item seckill.ID) time.Time { return v.home(item).now() }

// Highest is the highest mark of an item's epoch.
func (v View) Highest(item seckill.ID, epoch int64) (sold int64) {
	for _, p := range v.home(item).marks.all() {
		if mark, marked := p.marks[item]; marked && mark.Epoch == epoch {
			sold = max(sold, mark.Sold)
		}
	}
	return sold
}

// Begun is when the last heartbeat of an incarnation began on an item's home shard; zero without one.
func (v View) Begun(item, incarnation seckill.ID) time.Time {
	if p := v.home(item).marks.get(incarnation); p != nil {
		return p.beat.Begun
	}
	return time.Time{}
}
