package sim

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/checkout"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/bank"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
)

// checkout is the other half of an api process.
func (p *process) checkout() *checkout.Service {
	paying, err := checkout.New(checkout.Options{
		Orders: p.ordersPort(), Payments: p.paymentsPort(), Catalog: p.catalogPort(), IDs: p.ids, Clock: p.clock,
		Providers: []seckill.Provider{p.bankPort()}, Log: p.logger(), UserRate: -1,
	})
	if err != nil {
		panic(err)
	}
	return paying
}

func (p *process) bankPort() bankPort { return bankPort{p.bank, p} }
func (p *process) paymentsPort() paymentsPort {
	return paymentsPort{ledger.Payments{Ledger: p.ledger}, p}
}
func (p *process) eventsPort() eventsPort { return eventsPort{ledger.Events{Ledger: p.ledger}, p} }

// purse is what somebody does about his order.
type purse struct {
	*shopper

	order seckill.ID
	tries int
}

// ordered is a shopper who has an order, and does something about it, or nothing.
func (s *shopper) ordered(order seckill.ID) {
	if s.having[order] {
		return
	}
	s.having[order] = true
	p := &purse{s, order, 6}
	switch s.random.IntN(6) {
	case 0:
		s.loop.after(between2(s.random, 0, 4*time.Second), nil, p.cancel)
	case 1:
		// He forgets it.
	case 2:
		s.loop.after(between2(s.random, 0, 2*time.Second), nil, p.cancel)
		fallthrough
	default:
		s.loop.after(between2(s.random, 0, time.Second), nil, p.pay)
	}
}

func (p *purse) later(do func()) {
	if p.tries--; p.tries > 0 {
		p.loop.after(between2(p.random, 50*time.Millisecond, 2*time.Second), nil, do)
	}
}

// opened is what asking for a place to pay came to.
type opened struct {
	receipt checkout.Receipt
	err     error
}

func (p *purse) pay() {
	a, there := p.someAPI()
	if !there {
		p.later(p.pay)
		return
	}
	p.loop.trace.note("%s asks %s where to pay %d", p.user, a.name, p.order)
	serve(a, func(ctx context.Context) (o opened) {
		o.receipt, o.err = a.paying.Pay(ctx, p.user, p.order, 0)
		return o
	}, p.payAt, func() { p.later(p.pay) })
}

func (p *purse) payAt(o opened) {
	p.loop.trace.note("%s hears of %d: %s %v", p.user, p.order, o.receipt.Payment.Session, o.err)
	if o.err != nil {
		if reason := seckill.ReasonOf(o.err); reason == "" || reason == seckill.Busy {
			p.later(p.pay)
		}
		return
	}
	p.loop.after(between2(p.random, 0, 2*time.Second), nil, func() { p.hand(o.receipt.Payment.Session) })
	if p.random.IntN(4) == 0 {
		p.later(p.pay) // another window of his, or an impatient click
	}
}

// hand pays at the bank.
func (p *purse) hand(session string) {
	how := bank.Rightly
	if p.plan.faults[oddPayers] && p.random.IntN(2) == 0 {
		how = bank.Behaviours()[p.random.IntN(len(bank.Behaviours()))]
		p.faults.count[oddPayers]++
	}
	taken := p.bank.Pay(session, how)
	p.loop.trace.note("%s pays %s %s for %d: %d charges", p.user, session, how, p.order, taken)
	for range taken {
		p.notify(p.bank.Notices()-1, how == bank.Rightly)
	}
}

// notify has the bank tell the shop of a charge, until the shop says that it knows; or never, if the bank is silent. Of what
// it should not have taken it tells: nobody else could.
func (w *world) notify(nth int, rightly bool) {
	notice := w.bank.Notice(nth)
	w.bank.Drop(nth)
	silent := rightly && w.plan.faults[silences] && w.random.IntN(4) == 0
	if silent {
		w.faults.count[silences]++
		for _, c := range w.bank.Charges() {
			w.untold[c.Txn] = w.untold[c.Txn] || mentions(string(notice.Body), []string{`"` + c.Txn + `"`})
		}
		return
	}
	for range 1 + w.random.IntN(2) {
		w.posting++
		w.loop.after(between2(w.random, time.Millisecond, 5*time.Second), nil, func() { w.post(notice) })
	}
}

// post brings a notice to some process.
func (w *world) post(notice seckill.Notice) {
	again := func() {
		if !w.over {
			w.loop.after(between2(w.random, 100*time.Millisecond, 3*time.Second), nil, func() { w.post(notice) })
		}
	}
	a, there := w.someAPI()
	if !there {
		again()
		return
	}
	notice.At = everyones{}.Now()
	serve(a, func(ctx context.Context) error { return a.paying.Receive(ctx, bank.Name, notice) }, func(err error) {
		w.loop.trace.note("a notice %s: %v", notice.Body, err)
		if err != nil {
			again()
			return
		}
		w.posting--
		w.noticed(notice)
	}, again)
}

// noticed says whether a charge that the bank was told is known is known.
func (w *world) noticed(notice seckill.Notice) {
	charges, err := w.bank.Read(notice)
	if err != nil {
		return
	}
	for _, told := range charges {
		if order, known := w.orderOf(told.Payment); known && !w.recorded(order, told.Txn) {
			w.broken("money", 0, []any{told.Txn, told.Payment}, "the bank was told that %s is known, and it is not", told.Txn)
		}
	}
}

// recorded says whether SQL has a charge, or does not answer.
func (w *world) recorded(order seckill.ID, txn string) bool {
	known, err := ledger.Payments{Ledger: w.ledger}.ChargesOf(context.Background(), order)
	return err != nil || slices.ContainsFunc(known, func(c seckill.Charge) bool { return c.Txn == txn })
}

func (p *purse) cancel() {
	a, there := p.someAPI()
	if !there {
		p.later(p.cancel)
		return
	}
	serve(a, func(ctx context.Context) error {
		_, err := a.paying.Cancel(ctx, p.user, p.order, 0)
		return err
	}, func(err error) {
		p.loop.trace.note("%s cancels %d: %v", p.user, p.order, err)
		if err != nil && seckill.ReasonOf(err) != seckill.Conflict {
			p.later(p.cancel)
		}
	}, func() { p.later(p.cancel) })
}

// checkMoney says whether everybody has paid for what he keeps, and nothing else: at the bank, where the money is.
func (w *world) checkMoney(order seckill.Order) {
	var paid int64
	what := []any{order.ID, order.User}
	for _, c := range w.bank.Charges() {
		payment := w.bank.Session(c.Payment)
		if payment == nil {
			continue
		}
		if of, known := w.orderOf(c.Payment); !known || of != order.ID {
			continue
		}
		what = append(what, c.Payment, c.Txn)
		if c.Refunds == 0 {
			if w.untold[c.Txn] && order.State != seckill.OrderCancelled && !w.recorded(order.ID, c.Txn) {
				continue // nobody will ever tell us of it: only who closes a payment asks the bank
			}
			if c.Currency != order.Currency {
				w.broken("money", order.Item, what, "%s keeps a charge in %s", order.ID, c.Currency)
			}
			paid += c.Amount
		}
	}
	due := int64(0)
	if order.State == seckill.OrderPaid {
		due = order.AmountMinor()
	}
	if paid != due {
		w.broken("money", order.Item, what, "%d were kept for %s, which is %s and costs %d", paid, order.ID, order.State, order.AmountMinor())
	}
}

// orderOf is the order of a payment, 0 if there is none. Nothing is known of it while its shard is away.
func (w *world) orderOf(payment seckill.ID) (order seckill.ID, known bool) {
	p, err := ledger.Payments{Ledger: w.ledger}.Payment(context.Background(), payment)
	return p.Order, !errors.Is(err, seckill.ErrTransient)
}

// strikeBank lets the bank misbehave for a while.
func (w *world) strikeBank(k kind) {
	switch k {
	case bankDown:
		w.bank.Down(true)
		w.heal(6*time.Second, func() { w.bank.Down(false) })
	case bankRefuses:
		w.bank.Refuse(true)
		w.heal(4*time.Second, func() { w.bank.Refuse(false) })
	case bankPending:
		w.bank.Pending(true)
		w.heal(6*time.Second, func() { w.bank.Pending(false) })
	case shopDown:
		w.shopAway = true
		w.heal(4*time.Second, func() { w.shopAway = false })
	default:
	}
}
