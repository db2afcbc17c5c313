package sim

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/keeper"
	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
)

// operator is a process through which operators act.
type operator struct {
	*process

	acting *operate.Service
	busy   bool
	ops    int
}

func (w *world) startOperator() {
	p := w.newProcess(operatorRole)
	ports := p.keeperPorts()
	w.operator = &operator{process: p, acting: operate.New(operate.Ports{
		Catalog: ports.Catalog, Stocks: ports.Stocks, Orders: p.ordersPort(), Lent: ports.Lent, Queue: ports.Queue,
		Adjustments: p.stocksPort(), Payments: ports.Payments, Letters: p.queuePort(), Events: ports.Events,
		Endpoints: w.shopNames(), Epochs: keeper.NewRecover(ports), Settings: keeper.NewRenew(ports),
		Shards: ports.Shards, IDs: ports.IDs, Clock: ports.Clock, Log: ports.Log,
	})}
	p.onDeath = append(p.onDeath, func() { w.again(w.startOperator) })
	w.preload()
}

// actTimeout bounds one act of an operator.
const actTimeout = 20 * time.Second

// act runs one act of an operator; over is called on the loop with its error, also when the process died of it.
func (o *operator) act(what string, do func(ctx context.Context) error, over func(err error)) {
	o.busy = true
	number, told := o.loop.names(), false
	o.loop.trace.say("an operator: %s", what)
	end := func(err error) {
		if !told {
			told = true
			o.loop.trace.say("an operator: %s: %v", what, err)
			o.busy = false
			over(err)
		}
	}
	o.onDeath = append(o.onDeath, func() { end(errDead) })
	o.loop.hands.carry(func() {
		ctx, cancel := o.loop.bounded(o.breath, number, actTimeout)
		defer cancel()
		err := do(ctx)
		o.loop.arrive(&event{at: o.loop.now(), owner: o.process, rank: "-4", name: number, do: func() { end(err) }})
	})
}

// preload lends the units, again and again until every item has begun, or the sale is scheduled and the rest is left to the
// keepers.
func (w *world) preload() {
	if w.begun() || w.plan.careless && w.scheduled() {
		return
	}
	w.operator.act("preload", func(ctx context.Context) error {
		report, err := w.operator.acting.Preload(ctx, "operator:ann", w.sale, false)
		for _, check := range report.Checks {
			if err == nil && !check.OK {
				err = fmt.Errorf("item %s: %s", check.Item, check.Detail)
			}
		}
		return err
	}, func(err error) {
		if seckill.ReasonOf(err) == seckill.Conflict {
			w.missed = true
			return
		}
		w.loop.after(between2(w.random, 50*time.Millisecond, time.Second), nil, func() {
			if !w.operator.busy && !w.operator.dead.Load() {
				w.preload()
			}
		})
	})
}

// begun says that every item has a row that has left its first state.
func (w *world) begun() bool {
	rows := 0
	fresh := w.anyStock(func(s seckill.Stock) bool {
		rows++
		return s.State == seckill.StockNew
	})
	return rows == len(w.items) && !fresh
}

// scheduled says that the sale will open, or has.
func (w *world) scheduled() bool {
	return w.saleIs(seckill.SaleScheduled, seckill.SaleLive, seckill.SalePaused)
}

func (w *world) saleIs(states ...seckill.SaleState) (is bool) {
	w.ledger.Look(func(v ledger.View) {
		for sale := range v.Sales() {
			is = is || slices.Contains(states, sale.State)
		}
	})
	return is
}

// interfere does something just when something else is under way: mostly what takes a seal.
func (w *world) interfere() {
	o := w.operator
	switch {
	case o.busy || o.dead.Load() || !w.begun():
	case w.plan.about == aboutEnds && w.random.IntN(3) == 0:
		o.act("end", o.turn(operate.ActEnd), func(error) {})
	case w.random.IntN(2) == 0:
		w.adjust(w.items[w.random.IntN(len(w.items))].ID, -1-w.random.Int64N(2))
	default:
		w.operate()
	}
}

// operate does something to the sale.
func (w *world) operate() {
	o := w.operator
	if o.busy || o.dead.Load() || !w.begun() {
		return
	}
	w.faults.count[operates]++
	item := w.items[w.random.IntN(len(w.items))]
	switch w.random.IntN(14) {
	case 0, 1:
		w.adjust(item.ID, 1+w.random.Int64N(4))
	case 2, 3:
		w.adjust(item.ID, -1-w.random.Int64N(3))
	case 4, 5:
		o.act("pause", o.turn(operate.ActPause), func(err error) {
			if err == nil {
				w.hold()
				w.attract(3)
			}
			w.loop.after(between2(w.random, 0, 3*time.Second), nil, w.resume)
		})
	case 6, 7, 8, 9:
		w.operateOrder()
	case 10, 11, 12:
		o.act("raise the limit", o.raiseLimit, func(error) { w.attract(5) })
	default:
		if w.random.IntN(3) == 0 {
			o.act("end", o.turn(operate.ActEnd), func(error) {})
		}
	}
}

// attract has some people want something soon.
func (w *world) attract(people int) {
	for range people {
		w.loop.after(between2(w.random, 0, 2*time.Second), nil, w.shoppers[w.random.IntN(len(w.shoppers))].wish)
	}
}

// operateOrder ends somebody's order.
func (w *world) operateOrder() {
	var orders, paid []seckill.ID
	w.ledger.Look(func(v ledger.View) {
		for order := range v.Orders() {
			orders = append(orders, order.ID)
			if order.State == seckill.OrderPaid {
				paid = append(paid, order.ID)
			}
		}
	})
	if len(paid) > 0 && w.random.IntN(3) > 0 {
		orders = paid
	}
	if len(orders) == 0 {
		return
	}
	o, act := w.operator, operate.OrderAct{Actor: "operator:ann", Order: orders[w.random.IntN(len(orders))], Reason: "asked to"}
	if w.ended != 0 && w.random.IntN(3) == 0 {
		act.Order = w.ended // somebody else has been asked to do it, too
	}
	w.ended = act.Order
	if w.random.IntN(2) == 0 {
		o.act(fmt.Sprintf("cancel %d", act.Order), func(ctx context.Context) error {
			_, err := o.acting.CancelOrder(ctx, act)
			return err
		}, func(error) {})
		return
	}
	restock := w.random.IntN(2) == 0
	o.act(fmt.Sprintf("refund %d, restock %t", act.Order, restock), func(ctx context.Context) error {
		_, err := o.acting.RefundOrder(ctx, act, restock)
		return err
	}, func(error) {})
}

func (o *operator) turn(act operate.SaleAct) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		report, err := o.acting.Turn(ctx, operate.Turn{Actor: "operator:ann", Sale: o.sale, Act: act})
		for _, check := range report.Checks {
			if err == nil && !check.OK {
				err = fmt.Errorf("item %s: %s", check.Item, check.Detail)
			}
		}
		return err
	}
}

// resume goes on until it succeeds, or the sale is over.
func (w *world) resume() {
	o := w.operator
	if o.busy || o.dead.Load() {
		w.loop.after(100*time.Millisecond, nil, w.resume)
		return
	}
	w.holds = false
	o.act("resume", o.turn(operate.ActResume), func(err error) {
		if err != nil && seckill.ReasonOf(err) != seckill.Conflict {
			w.loop.after(500*time.Millisecond, nil, w.resume)
		}
	})
}

// adjust changes the allotment; what is not known to have been done is repeated under its name.
func (w *world) adjust(item seckill.ID, delta int64) {
	w.operator.ops++
	w.asked[item] += max(delta, 0)
	op := fmt.Sprintf("op-%d-%d", w.operator.number, w.operator.ops)
	w.adjustAs(item, op, delta, 4)
}

func (w *world) adjustAs(item seckill.ID, op string, delta int64, tries int) {
	o := w.operator
	if o.busy || o.dead.Load() {
		if tries > 0 {
			w.loop.after(200*time.Millisecond, nil, func() { w.adjustAs(item, op, delta, tries-1) })
		}
		return
	}
	do := func(ctx context.Context) error {
		_, err := o.acting.AdjustStock(ctx, "operator:ann", seckill.Adjustment{Item: item, Op: op, Delta: delta})
		return err
	}
	o.act(fmt.Sprintf("adjust by %d", delta), do, func(err error) {
		if err != nil && seckill.ReasonOf(err) == "" && tries > 0 {
			w.loop.after(200*time.Millisecond, nil, func() { w.adjustAs(item, op, delta, tries-1) })
		}
	})
}

// raiseLimit lets everybody have one more of each item.
func (o *operator) raiseLimit(ctx context.Context) error {
	report, err := o.acting.Get(ctx, o.sale)
	if err != nil {
		return err
	}
	var patch operate.Patch
	for _, item := range report.Sale.Items {
		patch.Limits = append(patch.Limits, operate.LimitChange{Item: item.ID, LimitPerUser: item.LimitPerUser + 1})
	}
	_, err = o.acting.Update(ctx, "operator:ann", o.sale, patch)
	return err
}
