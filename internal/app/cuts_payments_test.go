package app_test

import (
	"context"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// The named points of what follows an order.
const (
	afterBegin     = "after beginning a payment"
	afterBankOpen  = "after opening it at the bank"
	afterOpened    = "after noting its session"
	afterRecord    = "after recording a charge"
	afterCancel    = "after cancelling"
	afterExpire    = "after cancelling what is overdue"
	afterBankClose = "after closing it at the bank"
	afterClosed    = "after noting it as closed"
	afterReturn    = "after returning units"
	afterDone      = "after dropping what was owed"
	afterBankBack  = "after refunding at the bank"
	afterRefunded  = "after noting the refund"
)

// tillPoints lists the points that the orders of a till pass.
func tillPoints() []string {
	return []string{
		afterBegin, afterBankOpen, afterOpened, afterRecord, afterCancel, afterExpire, afterBankClose, afterClosed, afterReturn,
		afterDone, afterBankBack, afterRefunded,
	}
}

// atTheTill puts the cuts between checkout, keepers, bank and stores.
func (c cuts) atTheTill(b *app.Backend) {
	b.Payments = cutPayments{b.Payments, c}
	b.Returns = cutReturns{b.Returns, c}
	b.Owing = cutOwing{b.Owing, c}
	for i, provider := range b.Providers {
		b.Providers[i] = cutProvider{provider, c}
	}
}

type cutPayments struct {
	seckill.Payments
	cuts
}

func (p cutPayments) Begin(ctx context.Context, asked seckill.NewPayment) (seckill.Payment, seckill.Order, bool, error) {
	payment, order, begun, err := p.Payments.Begin(ctx, asked)
	p.hook(afterBegin)
	return payment, order, begun, err
}

func (p cutPayments) Opened(ctx context.Context, id seckill.ID, session, url string) (seckill.Payment, error) {
	payment, err := p.Payments.Opened(ctx, id, session, url)
	p.hook(afterOpened)
	return payment, err
}

func (p cutPayments) Record(ctx context.Context, charge seckill.Charge) (seckill.Charge, bool, error) {
	found, recorded, err := p.Payments.Record(ctx, charge)
	p.hook(afterRecord)
	return found, recorded, err
}

func (p cutPayments) Cancel(ctx context.Context, asked seckill.Cancellation) (seckill.Order, bool, error) {
	order, cancelled, err := p.Payments.Cancel(ctx, asked)
	p.hook(afterCancel)
	return order, cancelled, err
}

func (p cutPayments) CancelOverdue(ctx context.Context, shard, limit int) (int, error) {
	cancelled, err := p.Payments.CancelOverdue(ctx, shard, limit)
	if cancelled > 0 {
		p.hook(afterExpire)
	}
	return cancelled, err
}

func (p cutPayments) Closed(ctx context.Context, id seckill.ID) error {
	err := p.Payments.Closed(ctx, id)
	p.hook(afterClosed)
	return err
}

func (p cutPayments) Refunded(ctx context.Context, refund seckill.Refund) (bool, error) {
	done, err := p.Payments.Refunded(ctx, refund)
	p.hook(afterRefunded)
	return done, err
}

type cutReturns struct {
	seckill.Returns
	cuts
}

func (r cutReturns) Return(ctx context.Context, item seckill.ID, returns []seckill.Return) (int64, error) {
	units, err := r.Returns.Return(ctx, item, returns)
	r.hook(afterReturn)
	return units, err
}

type cutOwing struct {
	seckill.Owing
	cuts
}

func (o cutOwing) Done(ctx context.Context, shard int, ids []seckill.ID) error {
	err := o.Owing.Done(ctx, shard, ids)
	o.hook(afterDone)
	return err
}

type cutProvider struct {
	seckill.Provider
	cuts
}

func (p cutProvider) Open(ctx context.Context, payment seckill.Payment, title string) (session, url string, err error) {
	session, url, err = p.Provider.Open(ctx, payment, title)
	p.hook(afterBankOpen)
	return session, url, err
}

func (p cutProvider) Close(ctx context.Context, payment seckill.Payment) ([]seckill.Charge, error) {
	charges, err := p.Provider.Close(ctx, payment)
	p.hook(afterBankClose)
	return charges, err
}

func (p cutProvider) Refund(ctx context.Context, refund seckill.Refund) error {
	err := p.Provider.Refund(ctx, refund)
	p.hook(afterBankBack)
	return err
}
