package audit

import (
	"fmt"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// overdueMax is how long after its deadline an order may be unpaid: jobs close it within 5 s, and may be held up.
	overdueMax = 10 * time.Second
	// refundWaitMax is how far ahead the next try of a refund may be.
	refundWaitMax = time.Hour
)

// orderSteps: there is one way to each state.
func orderSteps(o ordered) string {
	steps, known := map[seckill.OrderState]int64{
		seckill.OrderUnpaid: 1, seckill.OrderPaid: 2, seckill.OrderCancelled: 2, seckill.OrderRefunding: 3, seckill.OrderRefunded: 4,
	}[o.order.State]
	if !known {
		return fmt.Sprintf("the state %q does not exist", o.order.State)
	}
	return differ("version", o.order.Version, fmt.Sprintf("an order that is %s has", o.order.State), steps)
}

// orderOverdue says nothing of a system that does not run: it closes its orders when it is started.
func orderOverdue(o ordered) string {
	late := o.order.ReadAt.Sub(o.order.PayBy)
	if !o.running || o.order.State != seckill.OrderUnpaid || late <= overdueMax {
		return ""
	}
	return fmt.Sprintf("the order is unpaid %s after its deadline", late)
}

// orderCharge: an order is paid by one charge, the right one, in time.
func orderCharge(o ordered) string {
	standing := o.standing()
	switch o.order.State {
	case seckill.OrderUnpaid, seckill.OrderCancelled:
		if len(standing) > 0 {
			return fmt.Sprintf("the order is %s, but charge %s stands", o.order.State, standing[0].Txn)
		}
		return ""
	default:
	}
	if len(standing) != 1 {
		return fmt.Sprintf("the order is %s, but %d charges stand", o.order.State, len(standing))
	}
	switch charge := standing[0]; {
	case charge.AmountMinor != o.order.AmountMinor() || charge.Currency != o.order.Currency:
		return fmt.Sprintf("the order costs %d %s, but charge %s is of %d %s",
			o.order.AmountMinor(), o.order.Currency, charge.Txn, charge.AmountMinor, charge.Currency)
	case !charge.At.Before(o.order.PayBy):
		return fmt.Sprintf("the order was to be paid by %d, but charge %s came at %d", milli(o.order.PayBy), charge.Txn, milli(charge.At))
	default:
		return differ("paid_at", milli(o.order.PaidAt), "charge "+charge.Txn+" came at", milli(charge.At))
	}
}

// orderRefund: the money of a paid order goes back when an operator says so, and only then.
func orderRefund(o ordered) string {
	standing := o.standing()
	if len(standing) != 1 {
		return ""
	}
	refund := o.refundOf(standing[0])
	switch {
	case o.order.State == seckill.OrderPaid && refund != nil:
		return fmt.Sprintf("the order is paid, but its charge %s is given back", refund.Txn)
	case o.order.State == seckill.OrderRefunding && (refund == nil || refund.State != seckill.RefundOwed):
		return "the order is refunding, but the refund of its charge is not owed"
	case o.order.State == seckill.OrderRefunded && (refund == nil || refund.State != seckill.RefundDone):
		return "the order is refunded, but the refund of its charge is not done"
	default:
		return ""
	}
}

// givesBack says whether an order's units are for sale again, or will be.
func (o ordered) givesBack() bool {
	if o.order.State == seckill.OrderCancelled {
		return true
	}
	restocks := func(r seckill.Refund) bool { return r.Restock && r.Reason == seckill.RefundOperator }
	return o.order.State == seckill.OrderRefunded && slices.ContainsFunc(o.money.Refunds, restocks)
}

// orderReturn: units that are to go back have gone, or are owed, and no others.
func orderReturn(o ordered) string {
	owed := o.money.Returns
	switch {
	case o.claim == nil || o.order.Misplaced:
		return ""
	case !o.givesBack() && len(owed) > 0:
		return fmt.Sprintf("the order is %s and keeps its units, but they are to be returned", o.order.State)
	case !o.givesBack() && o.claim.State == seckill.ClaimReturned:
		return fmt.Sprintf("the order is %s and keeps its units, but they are returned", o.order.State)
	case len(owed) > 1:
		return fmt.Sprintf("its units are to be returned %d times", len(owed))
	case o.givesBack() && o.claim.State == seckill.ClaimHeld && len(owed) == 0:
		return fmt.Sprintf("the order is %s, but its units are neither returned nor to be returned", o.order.State)
	default:
		return ""
	}
}

func paymentRules() []paymentRule {
	return []paymentRule{
		{"payment_bucket", paymentBucket},
		{"payment_amount", paymentAmount},
		{"payment_state", paymentState},
		{"payment_expires", paymentExpires},
		{"payment_created", func(o ordered, p seckill.Payment) string { return written("created_at", p.CreatedAt, o) }},
	}
}

// paymentBucket: the bucket in its id finds it.
func paymentBucket(o ordered, p seckill.Payment) string {
	return differ("its bucket", int64(p.ID.Bucket()), "the order's is", int64(o.order.ID.Bucket()))
}

func paymentAmount(o ordered, p seckill.Payment) string {
	if p.AmountMinor == o.order.AmountMinor() && p.Currency == o.order.Currency {
		return ""
	}
	return fmt.Sprintf("it asks for %d %s, but the order costs %d %s",
		p.AmountMinor, p.Currency, o.order.AmountMinor(), o.order.Currency)
}

func paymentState(o ordered, p seckill.Payment) string {
	stands := slices.ContainsFunc(o.standing(), func(c seckill.Charge) bool { return c.Payment == p.ID })
	switch {
	case !slices.Contains(seckill.PaymentStates(), p.State):
		return fmt.Sprintf("the state %q does not exist", p.State)
	case p.State == seckill.PaymentPaid && !stands:
		return "it is paid, but no charge of it stands"
	case p.State == seckill.PaymentOpen && stands:
		return "it is open, but a charge of it has paid the order"
	case p.State == seckill.PaymentOpen && o.order.State == seckill.OrderCancelled && o.claim != nil && o.claim.State == seckill.ClaimReturned:
		return "it may still be paid, but the units of the order are for sale again"
	default:
		return ""
	}
}

// paymentExpires: some providers keep nothing open for as long as an order may be paid.
func paymentExpires(o ordered, p seckill.Payment) string {
	if !p.ExpiresAt.IsZero() && !p.ExpiresAt.After(o.order.PayBy) {
		return ""
	}
	return fmt.Sprintf("expires_at is %d, but the order's pay_by is %d", milli(p.ExpiresAt), milli(o.order.PayBy))
}

// written is what is wrong with a moment that a database's clock has seen.
func written(name string, at time.Time, o ordered) string { return writtenBy(name, at, o.order.ReadAt) }

func writtenBy(name string, at, now time.Time) string {
	if !at.IsZero() && !at.After(now.Add(clockSlack)) {
		return ""
	}
	return fmt.Sprintf("%s is %d, but the database's clock says %d", name, milli(at), milli(now))
}
