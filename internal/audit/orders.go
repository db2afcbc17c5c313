package audit

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// ordered is one order with what belongs to it, read after it: first the money, then the claim.
type ordered struct {
	order seckill.BookedOrder
	entry entry
	money seckill.Money
	claim *seckill.Claim
	// running says that jobs are at work on it.
	running bool
}

type orderRule struct {
	id     string
	broken func(ordered) string
}

func orderRules() []orderRule {
	return []orderRule{
		{"order_misplaced", orderMisplaced},
		{"order_unknown_item", orderUnknownItem},
		{"order_without_claim", orderWithoutClaim},
		{"order_user", orderUser},
		{"order_quantity", orderQuantity},
		{"order_price", orderPrice},
		{"order_currency", orderCurrency},
		{"order_state", orderState},
		{"order_version", orderVersion},
		{"order_events", orderEvents},
		{"order_pay_by", orderPayBy},
		{"order_paid_at", orderPaidAt},
		{"order_steps", orderSteps},
		{"order_overdue", orderOverdue},
		{"order_charge", orderCharge},
		{"order_refund", orderRefund},
		{"order_return", orderReturn},
		{"order_untold", orderUntold},
	}
}

// readOrders goes through every order table of every shard, each page with its claims. An audit of everything also meets
// orders of items that no sale has.
func (r *run) readOrders(ctx context.Context) error {
	var items []seckill.ID
	if !r.whole {
		items = slices.Sorted(maps.Keys(r.entries))
	}
	for shard := range r.ports.Shards.Count() {
		cursor := ""
		for {
			next, err := r.readOrderPage(ctx, shard, items, cursor)
			if err != nil {
				return fmt.Errorf("orders of shard %d: %w", shard, err)
			}
			if cursor = next; cursor == "" {
				break
			}
		}
	}
	return nil
}

func (r *run) readOrderPage(
	ctx context.Context, shard int, items []seckill.ID, cursor string,
) (next string, err error) {
	first := true
	err = r.confirm(ctx, func(ctx context.Context) ([]Finding, error) {
		page, after, err := r.ports.Books.OrdersAfter(ctx, shard, items, cursor, pageSize)
		if err != nil {
			return nil, fmt.Errorf("read orders: %w", err)
		}
		orders, err := r.withEntries(ctx, page)
		if err != nil {
			return nil, err
		}
		if err := r.addMoney(ctx, shard, orders); err != nil {
			return nil, err
		}
		if first {
			next, first = after, false
			r.checked.Orders += int64(len(orders))
			r.refunds += refundsOwed(orders)
		}
		if err := r.addClaims(ctx, orders); err != nil {
			return nil, err
		}
		return judgeOrders(orders), nil
	})
	return next, err
}

// withEntries adds what the catalog says, and leaves out orders of sales that are not audited.
func (r *run) withEntries(ctx context.Context, page []seckill.BookedOrder) ([]ordered, error) {
	orders := make([]ordered, 0, len(page))
	others := make(entries)
	for _, order := range page {
		e, found := r.entries[order.Item]
		if !found && !r.whole {
			continue
		}
		if !found {
			if e, found = others[order.Item]; !found {
				var err error
				if e, err = r.entry(ctx, order.Item); err != nil {
					return nil, err
				}
				others[order.Item] = e
			}
		}
		orders = append(orders, ordered{order: order, entry: e, running: r.ports.Lent != nil})
	}
	return orders, nil
}

// addClaims reads the claims of orders that have been read: they were written before.
func (r *run) addClaims(ctx context.Context, orders []ordered) error {
	ids := make(map[seckill.ID][]seckill.ID)
	for _, o := range orders {
		ids[o.order.Item] = append(ids[o.order.Item], o.order.ID)
	}
	claims, err := r.findClaims(ctx, ids)
	if err != nil {
		return fmt.Errorf("read claims of orders: %w", err)
	}
	for i, o := range orders {
		if claim := claims[o.order.ID]; claim != nil && claim.Item == o.order.Item {
			orders[i].claim = claim
		}
	}
	return nil
}

// findClaims reads the claims of items, one item after the other, always in the same order: what goes wrong can be repeated.
func (r *run) findClaims(ctx context.Context, ids map[seckill.ID][]seckill.ID) (map[seckill.ID]*seckill.Claim, error) {
	claims := make(map[seckill.ID]*seckill.Claim)
	for _, item := range slices.Sorted(maps.Keys(ids)) {
		found, err := r.ports.Claims.Find(ctx, item, ids[item])
		if err != nil {
			return nil, err
		}
		for i := range found {
			claims[found[i].ID] = &found[i]
		}
	}
	return claims, nil
}

func judgeOrders(orders []ordered) []Finding {
	var findings []Finding
	for _, o := range orders {
		for _, rule := range orderRules() {
			if detail := rule.broken(o); detail != "" {
				findings = append(findings, Finding{
					ID: rule.id, Item: o.order.Item, Reservation: o.order.ID,
					Table: o.order.Table, Key: o.order.ID.String(), Detail: detail,
				})
			}
		}
		findings = append(findings, judgeMoney(o)...)
	}
	return findings
}
