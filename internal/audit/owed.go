package audit

import (
	"context"
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const tableOutbox = "outbox"

// readOrphans names what is left of items whose stock row is gone. A stock row is written before anything else of its item
// and never deleted.
func (r *run) readOrphans(ctx context.Context) error {
	slugs := map[string]string{
		tableClaims: "claim_without_stock", tableMoves: "move_without_stock", tableOutbox: "owed_without_stock",
	}
	for shard := range r.ports.Shards.Count() {
		err := r.confirm(ctx, func(ctx context.Context) ([]Finding, error) {
			orphans, err := r.ports.Books.Orphans(ctx, shard)
			var findings []Finding
			for _, o := range orphans {
				if r.whole || r.entries.has(o.Item) {
					findings = append(findings, Finding{
						ID: slugs[o.Table], Item: o.Item, Table: o.Table, Key: o.Item.String(),
						Detail: fmt.Sprintf("there are rows of item %s, but it has no stock row on shard %d", o.Item, shard),
					})
				}
			}
			return findings, err
		})
		if err != nil {
			return fmt.Errorf("list orphans: %w", err)
		}
	}
	return nil
}

// owing is one owed step with what belongs to it, read after it.
type owing struct {
	owed  seckill.Owed
	claim *seckill.Claim
	order *seckill.Order
	// oneTry says that what is given back of the item stays counted.
	oneTry bool
}

type owedRule struct {
	id     string
	broken func(owing) string
}

func owedRules() []owedRule {
	return []owedRule{
		{"owed_kind", owedKind},
		{"owed_claim", owedClaim},
		{"owed_return", owedReturn},
	}
}

// readOutbox goes through what every shard owes, each page with its claims: they were written in the same transaction, and
// a claim stays. That something is owed is no fault, because a job works it off.
func (r *run) readOutbox(ctx context.Context) error {
	for shard := range r.ports.Shards.Count() {
		var after seckill.ID
		for more := true; more; {
			var err error
			if after, more, err = r.readOwedPage(ctx, shard, after); err != nil {
				return fmt.Errorf("outbox of shard %d: %w", shard, err)
			}
		}
	}
	return nil
}

// readOwedPage goes on where the first look ended: rows that later ones show in place of those that are done come next.
func (r *run) readOwedPage(ctx context.Context, shard int, after seckill.ID) (next seckill.ID, more bool, err error) {
	looked := false
	err = r.confirm(ctx, func(ctx context.Context) ([]Finding, error) {
		page, err := r.ports.Books.OwedAfter(ctx, shard, after, pageSize)
		if err != nil {
			return nil, fmt.Errorf("read owed steps: %w", err)
		}
		if more = more || !looked && len(page) == pageSize; !looked && more {
			next = page[len(page)-1].ID
		}
		looked = true
		return r.judgeOwed(ctx, page)
	})
	return next, more, err
}

func (r *run) judgeOwed(ctx context.Context, page []seckill.Owed) ([]Finding, error) {
	page = slices.DeleteFunc(page, func(o seckill.Owed) bool { return !r.whole && !r.entries.has(o.Item) })
	claims, err := r.claimsOf(ctx, page)
	if err != nil {
		return nil, err
	}
	orders, err := r.ordersOfReturns(ctx, page)
	if err != nil {
		return nil, err
	}
	var findings []Finding
	for _, o := range page {
		for _, rule := range owedRules() {
			step := owing{o, claims[o.Entry.ID], orders[o.Entry.ID], r.entries[o.Item].item.OneTry}
			if detail := rule.broken(step); detail != "" {
				findings = append(findings, Finding{
					ID: rule.id, Item: o.Item, Reservation: o.Entry.ID, Table: tableOutbox, Key: o.ID.String(), Detail: detail,
				})
			}
		}
	}
	return findings, nil
}

// claimsOf reads the claims that entries for Redis are about.
func (r *run) claimsOf(ctx context.Context, page []seckill.Owed) (map[seckill.ID]*seckill.Claim, error) {
	ids := make(map[seckill.ID][]seckill.ID)
	for _, o := range page {
		if o.Kind == seckill.OwedBuyer {
			ids[o.Item] = append(ids[o.Item], o.Entry.ID)
		}
	}
	claims, err := r.findClaims(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read claims of owed steps: %w", err)
	}
	return claims, nil
}

// ordersOfReturns reads the orders whose units are to go back.
func (r *run) ordersOfReturns(ctx context.Context, page []seckill.Owed) (map[seckill.ID]*seckill.Order, error) {
	var ids []seckill.ID
	for _, o := range page {
		if o.Kind == seckill.OwedReturn {
			ids = append(ids, o.Entry.ID)
		}
	}
	return r.ordersOf(ctx, ids)
}

func owedKind(o owing) string {
	switch o.owed.Kind {
	case seckill.OwedBuyer, seckill.OwedReturn, seckill.OwedNotify:
		return ""
	default:
		return fmt.Sprintf("the kind %q does not exist, so no job takes it", o.owed.Kind)
	}
}

// owedClaim: Redis is told what the claim says. Told something else, it would let a shopper buy too much, or nothing.
func owedClaim(o owing) string {
	switch c := o.claim; {
	case o.owed.Kind != seckill.OwedBuyer:
		return ""
	case c == nil || c.Item != o.owed.Item:
		return fmt.Sprintf("item %s has no claim %s", o.owed.Item, o.owed.Entry.ID)
	case c.User != o.owed.User:
		return fmt.Sprintf("it is about user %s, but the claim is user %s's", o.owed.User, c.User)
	case o.owed.Epoch < c.Epoch:
		return fmt.Sprintf("it was owed in epoch %d, but the claim is of epoch %d", o.owed.Epoch, c.Epoch)
	case o.oneTry && o.owed.Entry.Quantity == 0 && c.State == seckill.ClaimReturned:
		return "it lets the units be bought again, but what is given back of this item stays counted against the limit"
	default:
		return owedEntry(o.owed.Entry, *c)
	}
}

// owedReturn: a job gives these units back without asking the order once more.
func owedReturn(o owing) string {
	switch order := o.order; {
	case o.owed.Kind != seckill.OwedReturn:
		return ""
	case order == nil:
		return fmt.Sprintf("there is no order %s", o.owed.Entry.ID)
	case order.Item != o.owed.Item:
		return fmt.Sprintf("it is of item %s, but the order is of item %s", o.owed.Item, order.Item)
	case order.State != seckill.OrderCancelled && order.State != seckill.OrderRefunded:
		return fmt.Sprintf("it gives units back, but the order is %s", order.State)
	default:
		return differ("quantity", o.owed.Entry.Quantity, "the order's is", order.Quantity)
	}
}

// owedEntry: no units for a claim that is not held, and never becomes so again; otherwise those of the claim.
func owedEntry(entry seckill.BuyerEntry, c seckill.Claim) string {
	switch {
	case entry.Quantity == 0 && c.State == seckill.ClaimHeld:
		return "it takes the units from a claim that is held"
	case entry.Quantity != 0 && c.State == seckill.ClaimRejected:
		return fmt.Sprintf("it is about %d units, but the claim is rejected", entry.Quantity)
	case entry.Quantity != 0 && entry.Quantity != c.Quantity:
		return differ("quantity", entry.Quantity, "the claim's is", c.Quantity)
	case entry.KeyHash != c.KeyHash && c.KeyHash != c.ID.String():
		return fmt.Sprintf("key hash is %q, but the claim's is %q", entry.KeyHash, c.KeyHash)
	default:
		return ""
	}
}
