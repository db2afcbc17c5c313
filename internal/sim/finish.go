package sim

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
)

const (
	// recovers is how long everything may take that is still to be done: a drain that nobody is left to end takes 20 s, what
	// is in doubt is for sale after a minute, and a batch that was relayed often is only published once a minute.
	recovers = 4 * time.Minute
	// lookEvery is how often it is looked whether everything is done.
	lookEvery = 500 * time.Millisecond
)

// finish heals everything and waits until nothing is left to be done.
func (w *world) finish() {
	if w.violation == nil {
		w.healAll()
		w.replace()
		w.loop.settle()
		w.await()
	}
	w.leave()
}

// replace starts a process for each role of which there is none.
func (w *world) replace() {
	roles := map[role]bool{}
	for _, p := range w.alive {
		roles[p.role] = true
	}
	if !roles[apiRole] {
		w.startAPI()
	}
	if !roles[workerRole] {
		w.startWorker()
	}
	if !roles[keeperRole] {
		w.startKeeper()
	}
	if !roles[operatorRole] {
		w.startOperator()
	}
}

func (w *world) await() {
	end := w.loop.now() + recovers
	for next := w.loop.now(); next < end && w.violation == nil; next += lookEvery {
		for w.violation == nil && w.loop.step(next) {
			w.watch()
		}
		if rests := w.rests(); rests && !w.probed {
			w.probe()
		} else if rests {
			w.end()
			return
		}
		if w.loop.now() < next {
			w.loop.pass(next - w.loop.now())
		}
	}
	if w.violation == nil {
		w.broken("everything ends", 0, w.unfinished(), "%s after everything was well again: %s", recovers, strings.Join(w.left(), "; "))
	}
}

// rest is something that must be over before a schedule is.
type rest struct {
	what  string
	stays func(w *world) bool
}

// rests are looked at often, so what is seen at a glance comes first.
func rests() []rest {
	return []rest{
		{"units are in doubt", doubting},
		{"nobody can buy what is for sale", func(w *world) bool { return w.probing > 0 }},
		{"notices are on their way", func(w *world) bool { return w.posting > 0 }},
		{"promises are open", func(w *world) bool { return len(w.unkept()) > 0 }},
		{"claims have no order", unordered},
		{"redis owes the queue", unsent},
		{"buyers are owed", owes(seckill.OwedBuyer)},
		{"returns are owed", owes(seckill.OwedReturn)},
		{"refunds are owed", func(w *world) bool { return w.owed() > 0 }},
		{"events are to be told", telling},
		{"orders are unpaid", func(w *world) bool { return w.unpaid() > 0 }},
		{"messages are queued", func(w *world) bool { return w.onQueue() > 0 }},
		{"an epoch is not open", func(w *world) bool {
			return w.anyStock(func(s seckill.Stock) bool { return s.State != seckill.StockOpen && s.State != seckill.StockClosed })
		}},
		{"an item has not begun", func(w *world) bool { return !w.begun() && !w.missed && !w.saleIs(seckill.SaleEnded) }},
		{"redis is behind", func(w *world) bool { return pooled(w) || unsettling(w) }},
	}
}

// rests says whether nothing is left to be done.
func (w *world) rests() bool {
	return !slices.ContainsFunc(rests(), func(r rest) bool { return r.stays(w) })
}

// left says what is still to be done.
func (w *world) left() (left []string) {
	for _, r := range rests() {
		if r.stays(w) {
			left = append(left, r.what)
		}
	}
	return left
}

// unkept are the promises that are not excused.
func (w *world) unkept() []*promise {
	var open []*promise
	for _, p := range w.book.open {
		if !p.excused() {
			open = append(open, p)
		}
	}
	slices.SortFunc(open, func(a, b *promise) int { return int(a.id - b.id) })
	return open
}

func (w *world) unfinished() (names []any) {
	for _, p := range w.unkept() {
		names = append(names, p.id, p.user)
	}
	return names
}

func (w *world) unpaid() (count int) {
	w.ledger.Look(func(v ledger.View) {
		for order := range v.Orders() {
			if order.State == seckill.OrderUnpaid && order.User != prober {
				count++
			}
		}
	})
	return count
}

func (w *world) onQueue() (count int) {
	for shard := range w.plan.shards {
		for range w.broker.Messages(shard) {
			count++
		}
	}
	return count
}

// end looks at the world when nothing is left to be done.
func (w *world) end() {
	var orders []seckill.Order
	w.ledger.Look(func(v ledger.View) {
		for order := range v.Orders() {
			orders = append(orders, order)
			for _, s := range w.shops {
				s.checkTold(order, v.Steps(order.ID))
			}
		}
		for _, item := range w.items {
			if stock, exists := v.Stock(item.ID); exists {
				w.checkEnd(v, stock)
			}
		}
	})
	for _, order := range orders {
		w.checkMoney(order)
		w.checkUnits(order)
	}
	w.audit()
	for _, letter := range w.broker.Letters() {
		w.broken("no dead letters", 0, nil, "%s", letter.Cause)
	}
}

// checkEnd says whether every unit of an item is for sale that nobody has, and to whom.
func (w *world) checkEnd(v ledger.View, stock seckill.Stock) {
	redis := w.lent.View(stock.Item)
	switch {
	case stock.OwedDecrease != 0:
		w.broken("what operators take is taken", stock.Item, nil, "%+v owes a decrease", stock)
	case stock.State == seckill.StockClosed && stock.Pool+stock.Claimed != stock.Allotted:
		w.broken("no unit is stranded", stock.Item, nil, "%+v is closed", stock)
	case stock.State == seckill.StockOpen && (stock.Lent != redis.Available || stock.Pool != 0):
		w.broken("no unit is stranded", stock.Item, nil, "%+v, and redis sells %d", stock, redis.Available)
	}
	for claim := range v.ClaimsOf(stock.Item) {
		if _, placed := v.Order(claim.ID); placed != (claim.State != seckill.ClaimRejected) {
			w.broken("one order per reservation", stock.Item, []any{claim.ID, claim.User}, "%+v, and an order: %t", claim, placed)
		}
	}
	if stock.State == seckill.StockOpen {
		w.checkBuyers(v, stock)
	}
}

// checkBuyers says whether Redis holds for everybody what SQL holds.
func (w *world) checkBuyers(v ledger.View, stock seckill.Stock) {
	held := make(map[seckill.UserID]int64)
	for claim := range v.ClaimsOf(stock.Item) {
		if claim.State == seckill.ClaimHeld || claim.State == seckill.ClaimReturned && stock.OneTry {
			held[claim.User] += claim.Quantity
		}
	}
	for user, entries := range w.lent.View(stock.Item).Buyers() {
		for _, entry := range entries {
			held[user] -= entry.Quantity
		}
	}
	for user, units := range held {
		if units != 0 {
			w.broken("buyers may buy what they may", stock.Item, []any{user}, "%s holds %d more in SQL than in redis", user, units)
		}
	}
}

// leave ends every process, so that no goroutine is left.
func (w *world) leave() {
	w.ending, w.over = true, true
	for _, p := range slices.Clone(w.alive) {
		p.die(nil)
	}
	w.loop.settle()
	w.loop.hands.end()
}

// checkUnits says whether the units of an order are where it says: with its shopper, or for sale again.
func (w *world) checkUnits(order seckill.Order) {
	w.ledger.Look(func(v ledger.View) {
		claim, _ := v.Claim(order.Item, order.ID)
		back := claim.State == seckill.ClaimReturned
		switch order.State {
		case seckill.OrderPaid, seckill.OrderUnpaid:
			if back {
				w.broken("no unit is stranded", order.Item, []any{order.ID, order.User}, "%s is %s, and its units are back", order.ID, order.State)
			}
		case seckill.OrderCancelled:
			if !back {
				w.broken("no unit is stranded", order.Item, []any{order.ID, order.User}, "%s is cancelled, and its units are not back", order.ID)
			}
		case seckill.OrderRefunding, seckill.OrderRefunded:
		}
	})
}

// audit asks the product's own audit, which must find nothing either.
func (w *world) audit() {
	report, err := audit.New(audit.Ports{
		Catalog: ledger.Catalog{Ledger: w.ledger}, Books: ledger.Books{Ledger: w.ledger}, Claims: ledger.Claims{Ledger: w.ledger},
		Lent: w.lent.Client(), Owing: ledger.Owing{Ledger: w.ledger}, Shards: w.ledger.Shards(), Clock: everyones{},
	}).Run(context.Background(), nil)
	if err != nil {
		w.broken("the audit finds nothing", 0, nil, "it fails: %v", err)
		return
	}
	for _, finding := range report.Findings {
		w.broken("the audit finds nothing", finding.Item, []any{finding.Reservation}, "%+v", finding)
	}
}
