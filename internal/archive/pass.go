package archive

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// pass reads everything of a sale once: it is counted, written out, and looked at for what is still to be done.
type pass struct {
	ports   Ports
	sale    seckill.Sale
	summary Summary
	items   map[seckill.ID]*ItemSummary
	debts   []string

	writer
}

func newPass(ports Ports, sale seckill.Sale, export Export) *pass {
	p := &pass{ports: ports, sale: sale, summary: newSummary(sale), items: make(map[seckill.ID]*ItemSummary), writer: newWriter(export)}
	for i := range p.summary.Items {
		p.items[p.summary.Items[i].Item] = &p.summary.Items[i]
	}
	return p
}

func (p *pass) run(ctx context.Context) error {
	if err := p.write("sale", newSaleRow(p.sale)); err != nil {
		return err
	}
	for _, item := range p.sale.Items {
		if err := p.readItem(ctx, p.items[item.ID]); err != nil {
			return fmt.Errorf("item %s: %w", item.ID, err)
		}
	}
	for shard := range p.ports.Shards.Count() {
		if err := p.readOrders(ctx, shard); err != nil {
			return fmt.Errorf("orders of shard %d: %w", shard, err)
		}
	}
	p.noteDebts()
	if err := p.write("summary", p.summary); err != nil {
		return err
	}
	return p.write("end", endRow{p.lines})
}

func (p *pass) readItem(ctx context.Context, item *ItemSummary) error {
	stock, err := p.ports.Stocks.Get(ctx, item.Item)
	if err != nil && !errors.Is(err, seckill.ErrNotFound) {
		return fmt.Errorf("read stock: %w", err)
	}
	item.Allotted, item.Claimed = stock.Allotted, stock.Claimed
	var failure error
	err = pages(func(after seckill.ClaimPlace) ([]seckill.Claim, error) {
		if failure != nil {
			return nil, failure
		}
		return p.ports.Books.ClaimsOf(ctx, item.Item, after, pageSize)
	}, func(claim seckill.Claim) seckill.ClaimPlace {
		item.Claims[claim.State] = item.Claims[claim.State].plus(claim.Quantity)
		failure = errors.Join(failure, p.write("claims", newClaimRow(claim)))
		return claim.Place()
	})
	return errors.Join(failure, err)
}

func (p *pass) readOrders(ctx context.Context, shard int) error {
	items := slices.Sorted(maps.Keys(p.items))
	cursor := ""
	for {
		page, next, err := p.ports.Books.OrdersAfter(ctx, shard, items, cursor, pageSize)
		if err != nil {
			return err
		}
		if err := p.readPage(ctx, shard, page); err != nil {
			return err
		}
		if cursor = next; cursor == "" {
			return nil
		}
	}
}

func (p *pass) readPage(ctx context.Context, shard int, page []seckill.BookedOrder) error {
	items := make(map[seckill.ID]*ItemSummary)
	var ids []seckill.ID
	for _, order := range page {
		item := p.items[order.Item]
		if item == nil {
			continue
		}
		ids, items[order.ID] = append(ids, order.ID), item
		item.Orders[order.State] = item.Orders[order.State].plus(order.Quantity)
		if err := p.write("orders", newOrderRow(order.Order)); err != nil {
			return err
		}
	}
	if len(ids) == 0 {
		return nil
	}
	events, err := p.ports.Archives.EventsOf(ctx, shard, ids)
	if err != nil {
		return err
	}
	if err := writeAll(p, "order_events", events, newEventRow); err != nil {
		return err
	}
	money, err := p.ports.Books.MoneyOf(ctx, shard, ids)
	if err != nil {
		return err
	}
	return p.readMoney(money, items)
}

func (p *pass) readMoney(money seckill.Money, items map[seckill.ID]*ItemSummary) error {
	for _, charge := range money.Charges {
		item := items[charge.Order]
		item.Charges++
		item.ChargedMinor += charge.AmountMinor
	}
	for _, refund := range money.Refunds {
		item := items[refund.Order]
		item.Refunds++
		item.RefundedMinor += refund.AmountMinor
		if refund.State != seckill.RefundDone {
			p.debts = append(p.debts, fmt.Sprintf("the refund of charge %s of order %s is owed", refund.Txn, refund.Order))
		}
	}
	return errors.Join(
		writeAll(p, "payments", money.Payments, newPaymentRow),
		writeAll(p, "charges", money.Charges, newChargeRow),
		writeAll(p, "refunds", money.Refunds, newRefundRow),
	)
}

// noteDebts names the orders that are not what they will be.
func (p *pass) noteDebts() {
	for _, item := range p.summary.Items {
		for _, state := range []seckill.OrderState{seckill.OrderUnpaid, seckill.OrderRefunding} {
			if orders := item.Orders[state]; orders.Count > 0 {
				p.debts = append(p.debts, fmt.Sprintf("%d orders of item %s are %s", orders.Count, item.Item, state))
			}
		}
	}
}
