package contract

import (
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func recordCases() []tillCase {
	return []tillCase{
		{"lets the right money pay the order, once however often it is told", recordsPayment},
		{"writes one row of a charge that is told several times at once", recordsOnce},
		{"writes one row of a charge that is told of two orders at once", recordsOneOrder},
		{"lets one of several charges at the same time pay", recordsOnePayment},
		{"records nothing on payments that do not exist, or are another provider's", recordsKnown},
		{"lets money on an attempt that was closed pay an order that may be paid", recordsClosed},
	}
}

func recordsPayment(l tillTest) {
	order := l.unpaid()
	payment := l.begin(order)
	for look := range 2 {
		charge, recorded := l.record(l.charge(payment, "one"))
		want := l.charge(payment, "one")
		want.Order, want.At = order.ID, charge.At
		if recorded != (look == 0) || charge != want || !charge.At.Before(order.PayBy) {
			l.Fatalf("%t with %+v", recorded, charge)
		}
		if all := l.charges(order.ID); !slices.Equal(all, []seckill.Charge{charge}) {
			l.Fatalf("charges are %+v", all)
		}
		paid := l.find(order.ID)
		if !paid.PaidAt.Equal(charge.At) || l.payment(payment.ID).State != seckill.PaymentPaid || len(l.refunds(order.ID)) > 0 {
			l.Fatalf("the order is %+v after %+v", paid, charge)
		}
		l.wantEvents(order.ID, became(seckill.OrderPaid, seckill.CausePayment))
		l.wantNoReturn(order)
	}
}

func recordsOnce(l tillTest) {
	order := l.unpaid()
	charge := l.charge(l.begin(order), "one")
	won := race(l.T, 8, func(int) (bool, error) {
		_, recorded, err := l.Payments.Record(l.Context(), charge)
		return recorded, err
	})
	if all := l.charges(order.ID); won != 1 || len(all) != 1 || all[0].Refund != "" || len(l.refunds(order.ID)) > 0 {
		l.Fatalf("%d recorded %+v", won, all)
	}
	l.wantEvents(order.ID, became(seckill.OrderPaid, seckill.CausePayment))
}

// recordsOneOrder: no provider does this, but the row is the only one for its name all the same.
func recordsOneOrder(l tillTest) {
	orders := l.placedOn(4, func(int) int { return 0 })
	charges := make([]seckill.Charge, len(orders))
	for i, order := range orders {
		charges[i] = l.charge(l.begin(order), "one")
	}
	won := race(l.T, len(charges), func(caller int) (bool, error) {
		_, recorded, err := l.Payments.Record(l.Context(), charges[caller])
		return recorded, err
	})
	var paid int
	for _, order := range orders {
		if l.find(order.ID).State == seckill.OrderPaid {
			paid++
		}
	}
	if won != 1 || paid != 1 {
		l.Fatalf("%d recorded it, %d orders are paid", won, paid)
	}
}

func recordsOnePayment(l tillTest) {
	order := l.unpaid()
	payment := l.begin(order)
	won := race(l.T, 6, func(caller int) (bool, error) {
		charge, recorded, err := l.Payments.Record(l.Context(), l.charge(payment, fmt.Sprintf("txn-%d", caller)))
		return recorded && charge.Refund == "", err
	})
	if won != 1 {
		l.Fatalf("%d of them pay", won)
	}
	l.wantEvents(order.ID, became(seckill.OrderPaid, seckill.CausePayment))
	l.wantSettled(l.find(order.ID), seckill.Money{Charges: l.charges(order.ID), Refunds: l.refunds(order.ID)}, 6)
}

// wantSettled wants so many charges of an order, each of which either pays it or has its one refund, and one that pays if
// and only if the order is paid.
func (l tillTest) wantSettled(order seckill.Order, money seckill.Money, count int) {
	l.Helper()
	var standing int
	for _, charge := range money.Charges {
		of := slices.DeleteFunc(slices.Clone(money.Refunds), func(r seckill.Refund) bool { return r.Txn != charge.Txn })
		switch {
		case charge.Refund == "" && len(of) == 0:
			standing++
		case charge.Refund == "" || len(of) != 1:
			l.Fatalf("charge %+v has %+v", charge, of)
		case of[0].AmountMinor != charge.AmountMinor || of[0].Currency != charge.Currency || of[0].Reason != charge.Refund:
			l.Fatalf("charge %+v has %+v", charge, of)
		}
	}
	if len(money.Charges) != count || len(money.Refunds) != count-standing {
		l.Fatalf("%+v has %+v, want %d charges", order, money, count)
	}
	if paid := order.State == seckill.OrderPaid; standing > 1 || paid != (standing == 1) {
		l.Fatalf("%+v has %d charges that pay: %+v", order, standing, money)
	}
}

func recordsKnown(l tillTest) {
	order := l.unpaid()
	payment := l.begin(order)
	unknown, foreign := l.charge(payment, "one"), l.charge(payment, "two")
	unknown.Payment = l.id(order.ID.Bucket())
	foreign.Provider = "other"
	for _, charge := range []seckill.Charge{unknown, foreign} {
		_, _, err := l.Payments.Record(l.Context(), charge)
		wantMissing(l.T, err)
	}
	if all := l.charges(order.ID); len(all) > 0 {
		l.Fatalf("charges are %+v", all)
	}
	l.wantEvents(order.ID)
}

func recordsClosed(l tillTest) {
	order := l.unpaid()
	payment := l.begin(order)
	must(l.T, l.Payments.Closed(l.Context(), payment.ID))
	if charge, recorded := l.record(l.charge(payment, "one")); !recorded || charge.Refund != "" {
		l.Fatalf("%t with %+v", recorded, charge)
	}
	if state := l.payment(payment.ID).State; state != seckill.PaymentClosed {
		l.Fatalf("the attempt is %s again", state)
	}
	l.wantEvents(order.ID, became(seckill.OrderPaid, seckill.CausePayment))
}

func reasonCases() []tillCase {
	cases := []tillCase{}
	for reason, made := range reasonsToRefund() {
		cases = append(cases, tillCase{
			"owes the refund of money for this reason: " + string(reason),
			func(l tillTest) { l.wantRefunded(reason, made) },
		})
	}
	return cases
}

// reasonsToRefund make an order with a payment and a charge of it that must not stand. Wherever two reasons come together,
// what has become of the order is the one.
func reasonsToRefund() map[seckill.RefundReason]func(l tillTest) seckill.Charge {
	return map[seckill.RefundReason]func(l tillTest) seckill.Charge{
		seckill.RefundWrongAmount: func(l tillTest) seckill.Charge {
			charge := l.charge(l.begin(l.unpaid()), "one")
			charge.AmountMinor--
			return charge
		},
		seckill.RefundWrongCurrency: func(l tillTest) seckill.Charge {
			charge := l.charge(l.begin(l.unpaid()), "one")
			charge.Currency = "USD"
			return charge
		},
		seckill.RefundLate: func(l tillTest) seckill.Charge {
			charge := l.charge(l.begin(l.unpaid()), "one")
			l.deadline(0)
			return charge
		},
		seckill.RefundDouble: func(l tillTest) seckill.Charge {
			order := l.unpaid()
			payment := l.begin(order)
			l.record(l.charge(payment, "first"))
			l.deadline(-1)
			charge := l.charge(payment, "one")
			charge.AmountMinor++
			return charge
		},
		seckill.RefundCancelled: func(l tillTest) seckill.Charge {
			order := l.unpaid()
			payment := l.begin(order)
			l.cancel(order)
			must(l.T, l.Payments.Closed(l.Context(), payment.ID))
			return l.charge(payment, "one")
		},
	}
}

func (l tillTest) wantRefunded(reason seckill.RefundReason, made func(l tillTest) seckill.Charge) {
	l.Helper()
	told := made(l)
	payment, err := l.Payments.Opened(l.Context(), told.Payment, "cs_1", "https://bank.example/pay/1")
	must(l.T, err)
	before := l.find(payment.Order)
	for look := range 2 {
		charge, recorded := l.record(told)
		want := told
		want.Order, want.Refund, want.At = before.ID, reason, charge.At
		if recorded != (look == 0) || charge != want || charge.At.IsZero() {
			l.Fatalf("%t with %+v, want %+v", recorded, charge, want)
		}
		refunds := l.refunds(before.ID)
		wanted := seckill.Refund{
			Provider: bank, Txn: told.Txn, Order: before.ID, Session: "cs_1", AmountMinor: told.AmountMinor,
			Currency: told.Currency, Reason: reason, State: seckill.RefundOwed, NextAt: charge.At, At: charge.At,
		}
		if len(refunds) != 1 || refunds[0] != wanted {
			l.Fatalf("refunds are %+v, want %+v", refunds, wanted)
		}
		if after := l.find(before.ID); after != before {
			l.Fatalf("the order became %+v", after)
		}
	}
}
