package audit

import (
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func orderMisplaced(o ordered) string {
	if !o.order.Misplaced {
		return ""
	}
	return fmt.Sprintf("id %s (bucket %d) and user %s (bucket %d) do not both belong into this table of this shard",
		o.order.ID, o.order.ID.Bucket(), o.order.User, o.order.User.Bucket())
}

func orderUnknownItem(o ordered) string {
	if o.entry.known {
		return ""
	}
	return fmt.Sprintf("the catalog has no item %s", o.order.Item)
}

func orderWithoutClaim(o ordered) string {
	switch {
	case o.claim == nil:
		return fmt.Sprintf("item %s has no claim %s", o.order.Item, o.order.ID)
	case o.claim.State == seckill.ClaimRejected:
		return fmt.Sprintf("the claim was rejected (%s)", o.claim.Reason)
	default:
		return ""
	}
}

func orderUser(o ordered) string {
	if o.claim == nil || o.claim.User == o.order.User {
		return ""
	}
	return fmt.Sprintf("the order is user %s's, but the claim is user %s's", o.order.User, o.claim.User)
}

func orderQuantity(o ordered) string {
	if o.claim == nil {
		return ""
	}
	return differ("quantity", o.order.Quantity, "the claim's is", o.claim.Quantity)
}

// orderPrice and the next ones may compare with the catalog, where price, currency and deadline are fixed before the
// first unit is sold.
func orderPrice(o ordered) string {
	if !o.entry.known {
		return ""
	}
	return differ("price_minor", o.order.PriceMinor, "the item's is", o.entry.item.PriceMinor)
}

func orderCurrency(o ordered) string {
	if !o.entry.known || o.order.Currency == o.entry.item.Currency {
		return ""
	}
	return fmt.Sprintf("currency is %s, but the item's is %s", o.order.Currency, o.entry.item.Currency)
}

func orderState(o ordered) string {
	if o.order.State == o.order.LastState {
		return ""
	}
	return fmt.Sprintf("state is %s, but the last event says %q", o.order.State, o.order.LastState)
}

func orderVersion(o ordered) string {
	return differ("version", o.order.Version, "the number of events is", o.order.Events)
}

// orderEvents are numbered from 1 without a gap.
func orderEvents(o ordered) string {
	if o.order.Events == 0 || o.order.FirstEvent == 1 && o.order.LastEvent == o.order.Events {
		return ""
	}
	return fmt.Sprintf("its %d events are numbered from %d to %d", o.order.Events, o.order.FirstEvent, o.order.LastEvent)
}

func orderPayBy(o ordered) string {
	if !o.entry.known {
		return ""
	}
	if within := o.order.PayBy.Sub(o.order.CreatedAt); within != o.entry.payWithin {
		return fmt.Sprintf("pay_by is %s after created_at, but the sale gives %s", within, o.entry.payWithin)
	}
	return ""
}

func orderPaidAt(o ordered) string {
	paid := !o.order.PaidAt.IsZero()
	switch o.order.State {
	case seckill.OrderUnpaid, seckill.OrderCancelled:
		if paid {
			return fmt.Sprintf("the order is %s, but has a paid_at", o.order.State)
		}
	case seckill.OrderPaid, seckill.OrderRefunding, seckill.OrderRefunded:
		if !paid {
			return fmt.Sprintf("the order is %s, but has no paid_at", o.order.State)
		}
	default:
	}
	return ""
}
