package crowd

import (
	"context"
	"fmt"
	"net/url"

	"github.com/seckill-dev/seckill/api"
)

// compare reads one shopper's orders and holds them against what the shopper was told.
func (c *crowd) compare(ctx context.Context, s *shopper) {
	asked := c.now()
	orders, err := c.ordersOf(ctx, s)
	if err != nil {
		c.problems.add(Problem{Kind: Uncompared, User: s.user, Detail: err.Error()})
		return
	}
	problems := s.against(orders, c.item)
	for _, order := range orders {
		problems = append(problems, c.own(s, order)...)
		if c.config.Mix.on() {
			c.hearOrder(s, look{order, asked, c.now()})
		}
	}
	for _, problem := range problems {
		problem.User = s.user
		c.problems.add(problem)
	}
	c.tally.compared.Add(1)
	c.tally.moved()
}

// ordersOf reads all pages of a shopper's orders of the item.
func (c *crowd) ordersOf(ctx context.Context, s *shopper) ([]api.Order, error) {
	var orders []api.Order
	next := ""
	for {
		path := "/v1/orders?limit=100"
		if next != "" {
			path += "&cursor=" + url.QueryEscape(next)
		}
		var page api.OrderList
		if err := c.get(ctx, s, call{url: path, token: s.token}, &page); err != nil {
			return nil, fmt.Errorf("read orders: %w", err)
		}
		for _, order := range page.Data {
			if order.ItemID == c.item.ID {
				orders = append(orders, order)
			}
		}
		if next = page.Next; next == "" {
			return orders, nil
		}
	}
}

// own adds an order to those of the crowd; nobody else may have it.
func (c *crowd) own(s *shopper, order api.Order) []Problem {
	c.mu.Lock()
	defer c.mu.Unlock()
	if owner, taken := c.owners[order.ID]; taken && owner != s.user {
		return []Problem{{Kind: DoubledOrder, Reservation: order.ID, Detail: "it is " + owner + "'s order, too"}}
	}
	c.owners[order.ID], c.booked[order.ID] = s.user, order
	c.orders++
	if holds(order) {
		c.units += order.Quantity
	}
	return nil
}

// holds says that an order still has its units.
func holds(order api.Order) bool {
	return order.Status != api.OrderStatusCancelled && order.Status != api.OrderStatusRefunded
}

// against holds orders against the purchases: each promise has its order, and each order its promise, or at least an
// answer that was lost.
func (s *shopper) against(orders []api.Order, item api.Item) []Problem {
	var found []Problem
	seen := make(map[string]bool, len(orders))
	var units int64
	for _, order := range orders {
		if seen[order.ID] {
			found = append(found, Problem{Kind: DoubledOrder, Reservation: order.ID, Detail: "the order is there twice"})
		}
		if holds(order) || item.OneTry {
			units += order.Quantity
		}
		if !seen[order.ID] {
			found = append(found, s.explain(order, item)...)
		}
		seen[order.ID] = true
	}
	for _, p := range s.purchases {
		if p.promised() && !seen[p.id] {
			found = append(found, Problem{Kind: LostOrder, Reservation: p.id, Detail: "it was queued, but there is no order"})
		}
	}
	if units > item.LimitPerUser {
		found = append(found, Problem{Kind: OverLimit, Detail: fmt.Sprintf("has %d units, the limit is %d", units, item.LimitPerUser)})
	}
	return found
}

// explain finds the purchase of an order.
func (s *shopper) explain(order api.Order, item api.Item) []Problem {
	p := s.purchaseOf(order)
	if p == nil {
		return []Problem{{
			Kind: UnaskedOrder, Reservation: order.ID,
			Detail: fmt.Sprintf("an order of %d that no answer explains", order.Quantity),
		}}
	}
	var found []Problem
	p.orders++
	if p.key != "" && p.orders > 1 {
		found = append(found, Problem{Kind: DoubledOrder, Reservation: order.ID, Detail: "there are two orders for one key"})
	}
	if p.id == order.ID && p.rejection != "" {
		found = append(found, Problem{
			Kind: RejectedOrdered, Reservation: order.ID,
			Detail: fmt.Sprintf("it was rejected (%s), but there is an order", p.rejection),
		})
	}
	if order.Quantity != p.quantity {
		found = append(found, Problem{
			Kind: OrderDiffers, Reservation: order.ID,
			Detail: fmt.Sprintf("asked for %d, ordered %d", p.quantity, order.Quantity),
		})
	}
	if order.AmountMinor != order.Quantity*item.PriceMinor || order.Currency != item.Currency {
		found = append(found, Problem{Kind: OrderDiffers, Reservation: order.ID, Detail: fmt.Sprintf("%d at %d %s cost %d %s",
			order.Quantity, item.PriceMinor, item.Currency, order.AmountMinor, order.Currency)})
	}
	return found
}

// purchaseOf is the purchase that was told of this order, or one that may have been. Every lost answer explains one order.
func (s *shopper) purchaseOf(order api.Order) *purchase {
	for _, p := range s.purchases {
		if p.id == order.ID {
			return p
		}
	}
	for _, p := range s.purchases {
		for _, id := range p.maybe {
			if id == order.ID {
				return p
			}
		}
	}
	for _, p := range s.purchases {
		if p.lost > 0 && p.quantity == order.Quantity {
			p.lost--
			return p
		}
	}
	return nil
}
