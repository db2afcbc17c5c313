package crowd

import (
	"fmt"
	"maps"
	"slices"

	"github.com/seckill-dev/seckill/api"
)

// Money is what the provider's ledger says about the crowd's payments.
type Money struct {
	Charges, Refunds            int64
	ChargedMinor, ReturnedMinor int64
	// Others are charges of payments that the crowd did not begin.
	Others int64
}

// againstTill holds what the provider has against the orders: each paid order has its money there once, nothing else has
// any, and what went back went back once.
func (c *crowd) againstTill() []Problem {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []Problem
	c.money = Money{}
	standing := make(map[string][]*charge)
	for _, taken := range c.till.charges {
		order, ours := c.payments[taken.Reference]
		if !ours {
			c.money.Others++
			continue
		}
		c.money.Charges++
		c.money.ChargedMinor += taken.AmountMinor
		for _, back := range taken.refunds {
			c.money.Refunds++
			c.money.ReturnedMinor += back.AmountMinor
		}
		if len(taken.refunds) == 0 {
			standing[order] = append(standing[order], taken)
		}
		found = append(found, taken.check(order)...)
	}
	var due int64
	for _, id := range slices.Sorted(maps.Keys(c.booked)) {
		order := c.booked[id]
		if order.Status == api.OrderStatusPaid {
			due += order.AmountMinor
		}
		found = append(found, settled(order, standing[id])...)
	}
	if kept := c.money.ChargedMinor - c.money.ReturnedMinor; kept != due {
		found = append(found, Problem{Kind: LedgerDiffers, Detail: fmt.Sprintf(
			"the provider has kept %d, the paid orders cost %d", kept, due)})
	}
	return found
}

// check looks at what went back of one charge.
func (taken *charge) check(order string) []Problem {
	var found []Problem
	if len(taken.refunds) > 1 {
		found = append(found, Problem{Kind: RefundedTwice, Reservation: order, Detail: fmt.Sprintf(
			"charge %s was given back %d times", taken.Txn, len(taken.refunds))})
	}
	for _, back := range taken.refunds {
		if back.AmountMinor != taken.AmountMinor || back.Currency != taken.Currency {
			found = append(found, Problem{Kind: RefundDiffers, Reservation: order, Detail: fmt.Sprintf(
				"%d %s were charged, %d %s given back", taken.AmountMinor, taken.Currency, back.AmountMinor, back.Currency)})
		}
	}
	return found
}

// settled holds one order against the charges of it that stand.
func settled(order api.Order, standing []*charge) []Problem {
	problem := func(kind ProblemKind, format string, args ...any) []Problem {
		return []Problem{{Kind: kind, Reservation: order.ID, Detail: fmt.Sprintf(format, args...)}}
	}
	paid := order.Status == api.OrderStatusPaid && order.AmountMinor > 0
	switch {
	case !paid && len(standing) > 0:
		return problem(ChargeKept, "the order is %s, and charge %s stands", order.Status, standing[0].Txn)
	case paid && len(standing) == 0:
		return problem(NoCharge, "the order is paid, and the provider has no money for it")
	case paid && len(standing) > 1:
		return problem(ChargedTwice, "the order is paid, and %d charges stand", len(standing))
	case paid && (standing[0].AmountMinor != order.AmountMinor || standing[0].Currency != order.Currency):
		return problem(WrongCharge, "the order costs %d %s, charged were %d %s",
			order.AmountMinor, order.Currency, standing[0].AmountMinor, standing[0].Currency)
	default:
		return nil
	}
}
