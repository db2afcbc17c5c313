package contract

import (
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// settleSteps are what a worker and a completer do, and what an api asks them for.
func (w *twins) settleSteps() []func() {
	return []func(){w.settle, w.settle, w.settleAgain, w.reject, w.place, w.mark, w.look, w.giveBack}
}

// settle sends a new message, now and then of another epoch, with a doubled id or what cannot be stored.
func (w *twins) settle() {
	item := w.item()
	m := seckill.Message{Batch: w.numbers.next(item.Bucket()), Item: item, Epoch: w.stock(item).Epoch, At: 1, Sold: 1 + int64(w.random.IntN(20))}
	if w.seldom(4) {
		m.Epoch = max(1, m.Epoch-1)
	}
	if w.seldom(80) {
		m.Epoch++
	}
	for range 1 + w.random.IntN(3) {
		m.Reservations = append(m.Reservations, w.reserve())
	}
	w.sent = append(w.sent, m)
	w.send(m)
}

func (w *twins) reserve() seckill.Reserved {
	user := pick(w, w.users)
	id := w.numbers.next(user.Bucket())
	if ids := w.reserved(); len(ids) > 0 && w.seldom(12) {
		id = pick(w, ids)
	}
	r := seckill.Reserved{ID: id, User: user, Quantity: 1 + int64(w.random.IntN(2)), KeyHash: id.String()}
	if w.seldom(2) {
		r.KeyHash = seckill.KeyHash(pick(w, []string{"key-one", "key-two", "key-three"}), id)
	}
	if w.seldom(40) {
		r.Quantity = 0
	}
	return r
}

// settleAgain delivers messages again, several at a time.
func (w *twins) settleAgain() {
	if len(w.sent) > 0 {
		w.send(pick(w, w.sent), pick(w, w.sent))
	}
}

// send is T1, with T2 as often as not.
func (w *twins) send(messages ...seckill.Message) {
	var terms map[seckill.ID]seckill.Terms
	if w.seldom(2) {
		terms = map[seckill.ID]seckill.Terms{w.items[0]: w.terms(), w.items[1]: w.terms()}
	}
	w.both("settle", func(s SQL) []any {
		return answers(s.Claims.Settle(w.ctx, seckill.HomeShard(s.Shards, messages[0].Item), messages, terms))
	})
}

func (w *twins) terms() seckill.Terms {
	return seckill.Terms{PriceMinor: 100, Currency: "EUR", PayWithin: time.Hour}
}

func (w *twins) reject() {
	if len(w.sent) == 0 || !w.seldom(4) {
		return
	}
	m := pick(w, w.sent)
	r := pick(w, m.Reservations)
	if w.seldom(2) {
		r = w.reserve()
		r.KeyHash = r.ID.String()
	}
	w.both("reject", func(s SQL) []any {
		return answers(s.Claims.Reject(w.ctx, seckill.HomeShard(s.Shards, m.Item), m, r, seckill.Invalid))
	})
}

// place is T2 for whatever waits for it, or for what was placed before.
func (w *twins) place() {
	item := w.item()
	claims, _ := w.one.Books.ClaimsOf(w.ctx, item, seckill.ClaimPlace{}, rowsMany)
	byShard := make([][]seckill.NewOrder, w.one.Shards.Count())
	for _, c := range claims {
		if c.State == seckill.ClaimHeld && (!c.Ordered || w.seldom(3)) {
			shard := seckill.UserShard(w.one.Shards, c.User)
			byShard[shard] = append(byShard[shard], w.terms().Order(c.ID, c.Item, c.User, c.Quantity))
		}
	}
	for shard, orders := range byShard {
		if len(orders) > 0 && w.seldom(15) {
			orders[0].Quantity++ // another order's id
		}
		w.both("place", func(s SQL) []any { return []any{s.Orders.Place(w.ctx, shard, orders)} })
	}
}

// mark marks what has an order.
func (w *twins) mark() {
	item := w.item()
	orders, _ := w.one.Books.OrdersOf(w.ctx, w.reserved())
	var ids []seckill.ID
	for _, order := range orders {
		if order.Item == item {
			ids = append(ids, order.ID)
		}
	}
	w.both("mark ordered", func(s SQL) []any {
		return []any{s.Claims.MarkOrdered(w.ctx, seckill.HomeShard(s.Shards, item), ids)}
	})
}

func (w *twins) look() {
	item, user := w.item(), pick(w, w.users)
	var keys []seckill.LookRequest
	for _, key := range []string{"key-one", "key-two"} {
		keys = append(keys, seckill.LookRequest{User: user, KeyHash: seckill.KeyHash(key, 0)})
	}
	w.both("find keys", func(s SQL) []any { return unordered(s.Claims.FindKeys(w.ctx, item, keys)) })
	w.both("find", func(s SQL) []any { return unordered(s.Claims.Find(w.ctx, item, w.reserved())) })
	w.both("claims of a user", func(s SQL) []any { return unordered(s.Claims.OfUser(w.ctx, item, user)) })
}

// giveBack returns claims, whatever they are by now.
func (w *twins) giveBack() {
	ids := w.reserved()
	if len(ids) == 0 || !w.seldom(2) {
		return
	}
	returns := []seckill.Return{{Claim: pick(w, ids)}, {Claim: pick(w, ids)}}
	item := w.item()
	w.both("return", func(s SQL) []any { return answers(s.Returns.Return(w.ctx, item, returns)) })
}

// epochSteps are what keepers and operators do to stock, and what processes mark.
func (w *twins) epochSteps() []func() {
	return []func(){w.seal, w.rebuild, w.rebuild, w.open, w.open, w.issue, w.release, w.raise, w.adjust, w.beat, w.pass}
}

func (w *twins) seal() {
	item := w.item()
	request := seckill.SealRequest{
		Item: item, Epoch: w.stock(item).Epoch - int64(w.random.IntN(3)), Final: w.seldom(30), PastClose: w.seldom(2),
	}
	w.both("seal", func(s SQL) []any { return answers(s.Stocks.Seal(w.ctx, request)) })
}

func (w *twins) rebuild() { w.rebuildOf(w.item()) }

// rebuildOf asks with what was read, now and then with what is not so any more.
func (w *twins) rebuildOf(item seckill.ID) {
	stock := w.stock(item)
	rebuild := seckill.Rebuild{
		Item: item, Epoch: stock.Epoch, From: stock.State, Attempt: stock.Attempt, NextAttempt: w.numbers.next(0),
		Target: max(stock.High, int64(w.random.IntN(twinUnits))), Version: stock.Version,
	}
	switch w.random.IntN(10) {
	case 0:
		rebuild.Epoch--
	case 1:
		rebuild.Version--
	case 2:
		rebuild.Attempt++
	case 3:
		rebuild.Version = 0
	default:
	}
	w.both("rebuild", func(s SQL) []any {
		stock, done, err := s.Stocks.Rebuild(w.ctx, rebuild)
		return []any{stock, done, err}
	})
}

func (w *twins) open() { w.openOf(w.item()) }

func (w *twins) openOf(item seckill.ID) {
	stock := w.stock(item)
	if w.seldom(6) {
		stock.Attempt++
	}
	w.both("progress", func(s SQL) []any { return answers(s.Stocks.Progress(w.ctx, item, stock.Epoch, stock.Attempt)) })
	w.both("open", func(s SQL) []any { return answers(s.Stocks.Open(w.ctx, item, stock.Epoch, stock.Attempt)) })
}

func (w *twins) issue() {
	item := w.item()
	w.both("issue", func(s SQL) []any {
		move, issued, err := s.Stocks.Issue(w.ctx, item)
		return []any{move, issued, err}
	})
}

func (w *twins) release() {
	item := w.item()
	w.both("release doubt", func(s SQL) []any { return answers(s.Stocks.ReleaseDoubt(w.ctx, item)) })
}

// pass lets a minute pass for an item, on both.
func (w *twins) pass() {
	item := w.item()
	w.both("elapse", func(s SQL) []any { return []any{s.Elapse(w.ctx, item, seckill.DoubtFor)} })
}

func (w *twins) raise() {
	item := w.item()
	epoch, sold, limit := w.stock(item).Epoch-int64(w.random.IntN(2)), int64(w.random.IntN(20)), int64(w.random.IntN(6))
	w.both("raise high", func(s SQL) []any { return []any{s.Stocks.RaiseHigh(w.ctx, item, epoch, sold)} })
	w.both("raise ceiling", func(s SQL) []any { return []any{s.Stocks.RaiseCeiling(w.ctx, item, limit)} })
	if w.seldom(60) {
		w.both("halt", func(s SQL) []any { return []any{s.Stocks.Halt(w.ctx, item, "somebody said so")} })
	}
}

// adjust repeats an op now and then, also with another delta.
func (w *twins) adjust() {
	a := seckill.Adjustment{Item: w.item(), Op: w.name(), Delta: int64(w.random.IntN(7)) - 4}
	if w.seldom(3) {
		a.Op = fmt.Sprintf("n%04d", max(0, w.made-1-w.random.IntN(9)))
	}
	w.both("adjust", func(s SQL) []any { return answers(s.Adjustments.Adjust(w.ctx, a)) })
}

func (w *twins) beat() {
	item, process := w.item(), pick(w, w.processes)
	shard := seckill.HomeShard(w.one.Shards, item)
	begun := time.UnixMilli(1_800_000_000_000 + int64(w.random.IntN(10_000)))
	epoch := w.stock(item).Epoch - int64(w.random.IntN(2))
	beat := seckill.Beat{Incarnation: process, Begun: begun, Left: w.seldom(9)}
	if !w.seldom(3) {
		beat.Marks = []seckill.Mark{{Item: item, Epoch: epoch, Sold: int64(w.random.IntN(20))}}
	}
	w.both("beat", func(s SQL) []any { return []any{s.Marks.Beat(w.ctx, shard, beat)} })
	w.both("highest", func(s SQL) []any { return answers(s.Marks.Highest(w.ctx, item, epoch)) })
	w.both("heartbeats", func(s SQL) []any { return answers(s.Marks.Heartbeats(w.ctx, shard, begun)) })
	if w.seldom(8) {
		w.both("forget", func(s SQL) []any { return []any{s.Marks.Forget(w.ctx, shard, begun)} })
	}
}
