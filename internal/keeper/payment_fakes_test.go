package keeper

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// diary is what the fakes of one test were asked, in order. It also guards their fields.
type diary struct {
	mu      sync.Mutex
	entries []string
}

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries = append(d.entries, fmt.Sprintf(format, args...))
}

func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.entries)
}

func (d *diary) with(do func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	do()
}

// fakePayments holds open payments and due refunds.
type fakePayments struct {
	seckill.Payments
	*diary
	open    []seckill.Payment
	due     []seckill.Refund
	waits   []time.Duration
	ended   bool  // another keeper ended the refunds meanwhile
	overdue []int // what CancelOverdue answers, one after the other
	away    error // what CancelOverdue fails with on shard 0, and SinceEnd
	onAsked func()
}

func (p *fakePayments) OpenPayments(_ context.Context, _ int, orders []seckill.ID) ([]seckill.Payment, error) {
	var open []seckill.Payment
	p.with(func() {
		for _, payment := range p.open {
			if slices.Contains(orders, payment.Order) {
				open = append(open, payment)
			}
		}
	})
	return open, nil
}

func (p *fakePayments) Record(_ context.Context, charge seckill.Charge) (seckill.Charge, bool, error) {
	p.note("record %s of %d", charge.Txn, charge.Payment)
	return charge, true, nil
}

func (p *fakePayments) Closed(_ context.Context, payment seckill.ID) error {
	p.note("closed %d", payment)
	p.with(func() {
		p.open = slices.DeleteFunc(p.open, func(open seckill.Payment) bool { return open.ID == payment })
	})
	return nil
}

func (p *fakePayments) CancelOverdue(_ context.Context, shard, limit int) (int, error) {
	if p.away != nil && shard == 0 {
		return 0, p.away
	}
	p.note("cancel %d on shard %d", limit, shard)
	if len(p.overdue) == 0 {
		return 0, nil
	}
	cancelled := p.overdue[0]
	p.overdue = p.overdue[1:]
	return cancelled, nil
}

func (p *fakePayments) RefundsDue(context.Context, int, int) ([]seckill.Refund, error) {
	var due []seckill.Refund
	p.with(func() { due = slices.Clone(p.due) })
	return due, nil
}

func (p *fakePayments) RefundsOwed(context.Context, int) (int64, time.Duration, error) {
	return int64(len(p.due)), time.Minute, nil
}

func (p *fakePayments) Refunded(_ context.Context, refund seckill.Refund) (bool, error) {
	p.note("refunded %s", refund.Txn)
	return !p.ended, nil
}

func (p *fakePayments) RefundFailed(ctx context.Context, refund seckill.Refund, wait time.Duration, _ string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p.note("failed %s", refund.Txn)
	p.with(func() { p.waits = append(p.waits, wait) })
	return nil
}

// SinceEnd answers that order n ended n seconds ago.
func (p *fakePayments) SinceEnd(_ context.Context, orders []seckill.ID) ([]time.Duration, error) {
	ages := make([]time.Duration, len(orders))
	for i, order := range orders {
		ages[i] = time.Duration(order) * time.Second
	}
	if p.onAsked != nil {
		p.onAsked()
	}
	return ages, p.away
}

// fakeReturns notes what came back; items of an away shard fail.
type fakeReturns struct {
	*diary
	away seckill.ID
	lent map[int64][]seckill.ID // again, by issue
}

func (r *fakeReturns) LentAgain(_ context.Context, _ seckill.ID, _, issue int64, _ int) ([]seckill.ID, error) {
	return r.lent[issue], nil
}

func (r *fakeReturns) Return(_ context.Context, item seckill.ID, returns []seckill.Return) (int64, error) {
	if item == r.away {
		return 0, seckill.ErrUnavailable
	}
	var units int64
	for _, back := range returns {
		r.note("return %d of item %d", back.Claim, item)
		units += back.Quantity
	}
	return units, nil
}

// fakeProvider fails while it is away, and answers the payments in slow only when they are let go.
type fakeProvider struct {
	*diary
	away    bool
	slow    map[seckill.ID]chan struct{}
	charges map[seckill.ID][]seckill.Charge
	atOnce  int
	most    int
}

func (*fakeProvider) Name() string { return "bank" }

func (*fakeProvider) Lives() time.Duration { return 0 }

func (*fakeProvider) Open(context.Context, seckill.Payment, string) (session, url string, err error) {
	return "", "", nil
}

func (*fakeProvider) Read(seckill.Notice) ([]seckill.Charge, error) { return nil, nil }

func (p *fakeProvider) Close(ctx context.Context, payment seckill.Payment) ([]seckill.Charge, error) {
	p.enter()
	defer p.leave()
	select {
	case <-p.gate(payment.ID):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.note("close %d", payment.ID)
	if p.isAway() {
		return nil, seckill.ErrUnavailable
	}
	return p.charges[payment.ID], nil
}

func (p *fakeProvider) Refund(ctx context.Context, refund seckill.Refund) error {
	p.note("refund %s", refund.Txn)
	select {
	case <-p.gate(refund.Order):
	case <-ctx.Done():
		return ctx.Err()
	}
	if p.isAway() {
		return seckill.ErrUnavailable
	}
	return nil
}

// gate is open for everybody who is not slow.
func (p *fakeProvider) gate(id seckill.ID) <-chan struct{} {
	if gate, slow := p.slow[id]; slow {
		return gate
	}
	open := make(chan struct{})
	close(open)
	return open
}

func (p *fakeProvider) isAway() (away bool) {
	p.with(func() { away = p.away })
	return away
}

func (p *fakeProvider) enter() {
	p.with(func() {
		p.atOnce++
		p.most = max(p.most, p.atOnce)
	})
}

func (p *fakeProvider) leave() { p.with(func() { p.atOnce-- }) }
