package ledger

import (
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// till is what was paid on a shard's orders, and what goes back.
type till struct {
	payments table[seckill.ID, seckill.Payment]
	charges  table[txn, seckill.Charge]
	refunds  table[txn, seckill.Refund]
	// orders has what belongs to each order, in the order it was written.
	orders table[seckill.ID, paid]
	// owed are the refunds that are not done.
	owed table[txn, struct{}]
}

// txn names a charge, and its refund: the provider, and what that calls it.
type txn string

func txnOf(provider, name string) txn { return txn(provider + "/" + name) }

type paid struct {
	payments []seckill.ID
	charges  []txn
	refunds  []txn
}

// paidOn is what belongs to an order, to be written to.
func (t *till) paidOn(order seckill.ID) *paid {
	if t.orders.get(order) == nil {
		t.orders.put(order, paid{})
	}
	return t.orders.get(order)
}

// of is what belongs to an order, to be read.
func (t *till) of(order seckill.ID) paid {
	known, _ := found(t.orders.get(order))
	return known
}

func (db *database) writePayment(p seckill.Payment) {
	if db.till.payments.get(p.ID) == nil {
		of := db.till.paidOn(p.Order)
		of.payments = append(of.payments, p.ID)
	}
	db.till.payments.put(p.ID, p)
	db.ledger.touchOrder(p.Order)
}

// movePayment moves a payment; one that cannot become that stays what it is.
func (db *database) movePayment(p seckill.Payment, to seckill.PaymentState) {
	if p.State.CanBecome(to) {
		p.State = to
		db.writePayment(p)
	}
}

func (db *database) writeCharge(c seckill.Charge) {
	name := txnOf(c.Provider, c.Txn)
	of := db.till.paidOn(c.Order)
	of.charges = append(of.charges, name)
	db.till.charges.put(name, c)
	db.ledger.touchOrder(c.Order)
}

func (db *database) writeRefund(r seckill.Refund) {
	name := txnOf(r.Provider, r.Txn)
	if db.till.refunds.get(name) == nil {
		of := db.till.paidOn(r.Order)
		of.refunds = append(of.refunds, name)
	}
	db.till.refunds.put(name, r)
	db.ledger.touchOrder(r.Order)
	if r.State == seckill.RefundOwed {
		db.till.owed.put(name, struct{}{})
	} else {
		db.till.owed.drop(name)
	}
}

// refundOf gives a charge back, as soon as somebody gets to it.
func refundOf(c seckill.Charge, session string, reason seckill.RefundReason, now time.Time) seckill.Refund {
	return seckill.Refund{
		Provider: c.Provider, Txn: c.Txn, Order: c.Order, Session: session, AmountMinor: c.AmountMinor, Currency: c.Currency,
		Reason: reason, State: seckill.RefundOwed, NextAt: now, At: now,
	}
}
