package audit

import (
	"context"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	tablePayments = "payments"
	tableCharges  = "charges"
	tableRefunds  = "refunds"
)

// standing are the charges that need not go back.
func (o ordered) standing() []seckill.Charge {
	var standing []seckill.Charge
	for _, charge := range o.money.Charges {
		if charge.Refund == "" {
			standing = append(standing, charge)
		}
	}
	return standing
}

// refundOf is what gives a charge back, or nil.
func (o ordered) refundOf(charge seckill.Charge) *seckill.Refund {
	for i, refund := range o.money.Refunds {
		if refund.Provider == charge.Provider && refund.Txn == charge.Txn {
			return &o.money.Refunds[i]
		}
	}
	return nil
}

// chargeOf is what a refund gives back, or nil.
func (o ordered) chargeOf(refund seckill.Refund) *seckill.Charge {
	for i, charge := range o.money.Charges {
		if refund.Provider == charge.Provider && refund.Txn == charge.Txn {
			return &o.money.Charges[i]
		}
	}
	return nil
}

// addMoney reads what belongs to orders of one shard.
func (r *run) addMoney(ctx context.Context, shard int, orders []ordered) error {
	ids := make([]seckill.ID, len(orders))
	at := make(map[seckill.ID]*ordered, len(orders))
	for i := range orders {
		// A copy of an order in another table has nothing of its own.
		if ids[i] = orders[i].order.ID; !orders[i].order.Misplaced {
			at[ids[i]] = &orders[i]
		}
	}
	money, err := r.ports.Books.MoneyOf(ctx, shard, ids)
	if err != nil {
		return fmt.Errorf("read the money of orders: %w", err)
	}
	for _, payment := range money.Payments {
		if o := at[payment.Order]; o != nil {
			o.money.Payments = append(o.money.Payments, payment)
		}
	}
	for _, charge := range money.Charges {
		if o := at[charge.Order]; o != nil {
			o.money.Charges = append(o.money.Charges, charge)
		}
	}
	for _, refund := range money.Refunds {
		if o := at[refund.Order]; o != nil {
			o.money.Refunds = append(o.money.Refunds, refund)
		}
	}
	for _, owed := range money.Returns {
		if o := at[owed.Entry.ID]; o != nil {
			o.money.Returns = append(o.money.Returns, owed)
		}
	}
	for _, step := range money.Untold {
		if o := at[step.Order]; o != nil {
			o.money.Untold = append(o.money.Untold, step)
		}
	}
	return nil
}

// refundsOwed counts the charges that are on their way back.
func refundsOwed(orders []ordered) (owed int64) {
	for _, o := range orders {
		for _, refund := range o.money.Refunds {
			if refund.State == seckill.RefundOwed {
				owed++
			}
		}
	}
	return owed
}

type paymentRule struct {
	id     string
	broken func(ordered, seckill.Payment) string
}

type chargeRule struct {
	id     string
	broken func(ordered, seckill.Charge) string
}

type refundRule struct {
	id     string
	broken func(ordered, seckill.Refund) string
}

// judgeMoney holds every row of an order against every rule.
func judgeMoney(o ordered) []Finding {
	var findings []Finding
	add := func(id, table, key, detail string) {
		if detail != "" {
			findings = append(findings, moneyFinding(id, o.order.Order, table, key, detail))
		}
	}
	for _, payment := range o.money.Payments {
		for _, rule := range paymentRules() {
			add(rule.id, tablePayments, payment.ID.String(), rule.broken(o, payment))
		}
	}
	for _, charge := range o.money.Charges {
		for _, rule := range chargeRules() {
			add(rule.id, tableCharges, moneyKey(charge.Provider, charge.Txn), rule.broken(o, charge))
		}
	}
	for _, refund := range o.money.Refunds {
		for _, rule := range refundRules() {
			add(rule.id, tableRefunds, moneyKey(refund.Provider, refund.Txn), rule.broken(o, refund))
		}
	}
	return findings
}

func moneyFinding(id string, order seckill.Order, table, key, detail string) Finding {
	return Finding{ID: id, Item: order.Item, Reservation: order.ID, Table: table, Key: key, Detail: detail}
}

// moneyKey is how the provider's names are shown.
func moneyKey(provider, txn string) string { return provider + " " + txn }

// readPaid looks for money without an order, or on a shard where nobody looks for it. Orders are never deleted.
func (r *run) readPaid(ctx context.Context) error {
	if !r.whole {
		return nil
	}
	for shard := range r.ports.Shards.Count() {
		var after seckill.ID
		for {
			page, err := r.ports.Books.PaidAfter(ctx, shard, after, pageSize)
			if err != nil {
				return fmt.Errorf("list paid orders: %w", err)
			}
			if len(page) == 0 {
				break
			}
			if err := r.judgePaid(ctx, shard, page); err != nil {
				return err
			}
			after = page[len(page)-1]
		}
	}
	return nil
}

func (r *run) judgePaid(ctx context.Context, shard int, page []seckill.ID) error {
	orders, err := r.ordersOf(ctx, page)
	if err != nil {
		return err
	}
	var lost []seckill.ID
	for _, id := range page {
		if orders[id] == nil || r.ports.Shards.Shard(id.Bucket()) != shard {
			lost = append(lost, id)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	money, err := r.ports.Books.MoneyOf(ctx, shard, lost)
	if err != nil {
		return fmt.Errorf("read money without orders: %w", err)
	}
	r.add(lostMoney(shard, money)...)
	return nil
}

func lostMoney(shard int, money seckill.Money) []Finding {
	var findings []Finding
	add := func(id, table, key string, order seckill.ID) {
		findings = append(findings, moneyFinding(id, seckill.Order{ID: order}, table, key,
			fmt.Sprintf("shard %d has it, but not the order %s", shard, order)))
	}
	for _, payment := range money.Payments {
		add("payment_without_order", tablePayments, payment.ID.String(), payment.Order)
	}
	for _, charge := range money.Charges {
		add("charge_without_order", tableCharges, moneyKey(charge.Provider, charge.Txn), charge.Order)
	}
	for _, refund := range money.Refunds {
		add("refund_without_order", tableRefunds, moneyKey(refund.Provider, refund.Txn), refund.Order)
	}
	return findings
}
