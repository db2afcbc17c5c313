package audit

import (
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func chargeRules() []chargeRule {
	return []chargeRule{
		{"charge_payment", chargePayment},
		{"charge_reason", chargeReason},
		{"charge_refund", chargeRefund},
		{"charge_at", func(o ordered, c seckill.Charge) string { return written("at", c.At, o) }},
	}
}

func chargePayment(o ordered, c seckill.Charge) string {
	at := slices.IndexFunc(o.money.Payments, func(p seckill.Payment) bool { return p.ID == c.Payment })
	switch {
	case at < 0:
		return fmt.Sprintf("the order has no payment %s", c.Payment)
	case o.money.Payments[at].Provider != c.Provider:
		return fmt.Sprintf("it is of %s, but payment %s is of %s", c.Provider, c.Payment, o.money.Payments[at].Provider)
	default:
		return ""
	}
}

// chargeReason: what must not stand must not for a reason that can be seen.
func chargeReason(o ordered, c seckill.Charge) string {
	var holds bool
	switch c.Refund {
	case "":
		return ""
	case seckill.RefundLate:
		holds = !c.At.Before(o.order.PayBy)
	case seckill.RefundCancelled:
		holds = o.order.State == seckill.OrderCancelled
	case seckill.RefundDouble:
		holds = !o.order.PaidAt.IsZero()
	case seckill.RefundWrongAmount:
		holds = c.AmountMinor != o.order.AmountMinor()
	case seckill.RefundWrongCurrency:
		holds = c.Currency != o.order.Currency
	default:
		return fmt.Sprintf("%q is no reason why a charge must go back", c.Refund)
	}
	if holds {
		return ""
	}
	return fmt.Sprintf("it is %d %s of %d and goes back as %s, but the order is %s, costs %d %s and was to be paid by %d",
		c.AmountMinor, c.Currency, milli(c.At), c.Refund, o.order.State, o.order.AmountMinor(), o.order.Currency, milli(o.order.PayBy))
}

// chargeRefund: what must not stand goes back.
func chargeRefund(o ordered, c seckill.Charge) string {
	if c.Refund != "" && o.refundOf(c) == nil {
		return fmt.Sprintf("it must go back (%s), but has no refund", c.Refund)
	}
	return ""
}

func refundRules() []refundRule {
	return []refundRule{
		{"refund_charge", refundCharge},
		{"refund_reason", refundReason},
		{"refund_state", refundState},
		{"refund_next", refundNext},
		{"refund_at", func(o ordered, r seckill.Refund) string { return written("at", r.At, o) }},
	}
}

// refundCharge: a charge goes back, and all of it.
func refundCharge(o ordered, r seckill.Refund) string {
	charge := o.chargeOf(r)
	switch {
	case charge == nil:
		return "the order has no such charge"
	case charge.AmountMinor != r.AmountMinor || charge.Currency != r.Currency:
		return fmt.Sprintf("it gives %d %s back, but the charge is of %d %s", r.AmountMinor, r.Currency, charge.AmountMinor, charge.Currency)
	default:
		return ""
	}
}

func refundReason(o ordered, r seckill.Refund) string {
	charge := o.chargeOf(r)
	switch {
	case charge == nil:
		return ""
	case charge.Refund == "" && r.Reason != seckill.RefundOperator:
		return fmt.Sprintf("the charge paid the order, but goes back as %q, which no operator said", r.Reason)
	case charge.Refund != "" && r.Reason != charge.Refund:
		return fmt.Sprintf("the reason is %q, but the charge's is %q", r.Reason, charge.Refund)
	case r.Restock && r.Reason != seckill.RefundOperator:
		return fmt.Sprintf("it is for the reason %s, but restocks", r.Reason)
	default:
		return ""
	}
}

func refundState(o ordered, r seckill.Refund) string {
	done := !r.DoneAt.IsZero()
	switch {
	case r.State != seckill.RefundOwed && r.State != seckill.RefundDone:
		return fmt.Sprintf("the state %q does not exist", r.State)
	case done != (r.State == seckill.RefundDone), done && r.DoneAt.After(o.order.ReadAt.Add(clockSlack)):
		return fmt.Sprintf("it is %s, but done_at is %d", r.State, milli(r.DoneAt))
	case r.Tries < 0:
		return fmt.Sprintf("it was tried %d times", r.Tries)
	default:
		return ""
	}
}

// refundNext: money that is owed must not wait for ever.
func refundNext(o ordered, r seckill.Refund) string {
	if r.State != seckill.RefundOwed || !r.NextAt.After(o.order.ReadAt.Add(refundWaitMax)) {
		return ""
	}
	return fmt.Sprintf("it is owed, but is not tried again before %d", milli(r.NextAt))
}
