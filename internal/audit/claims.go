package audit

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// booked is one claim with what belongs to it, read after it.
type booked struct {
	claim seckill.Claim
	// epoch is the present one of the item and now its database's clock, or later ones.
	epoch int64
	now   time.Time
	order *seckill.Order
	first *seckill.Claim
	// back says that a move tells of its return.
	back bool
}

type claimRule struct {
	id     string
	broken func(booked) string
}

func claimRules() []claimRule {
	return []claimRule{
		{"claim_bucket", claimBucket},
		{"claim_quantity", claimQuantity},
		{"claim_epoch", claimEpoch},
		{"claim_created", claimCreated},
		{"claim_state", claimState},
		{"claim_reason", claimReason},
		{"claim_key_hash", claimKeyHash},
		{"claim_first", claimFirst},
		{"claim_without_order", claimWithoutOrder},
		{"rejected_with_order", rejectedWithOrder},
		{"returned_but_not_cancelled", returnedNotCancelled},
		{"returned_without_move", returnedWithoutMove},
		{"order_item", orderItem},
	}
}

// readClaims goes through an item's claims, each page with its orders and first claims.
func (r *run) readClaims(ctx context.Context, e entry, stock seckill.Stock) error {
	var after seckill.ClaimPlace
	for {
		page, err := r.ports.Books.ClaimsOf(ctx, e.item.ID, after, pageSize)
		if err != nil {
			return fmt.Errorf("read claims after those of %s: %w", after.User, err)
		}
		if len(page) == 0 {
			return nil
		}
		r.checked.Claims += int64(len(page))
		if err := r.readClaimPage(ctx, e, page, stock); err != nil {
			return err
		}
		after = page[len(page)-1].Place()
	}
}

func (r *run) readClaimPage(ctx context.Context, e entry, page []seckill.Claim, stock seckill.Stock) error {
	again := false
	return r.confirm(ctx, func(ctx context.Context) (_ []Finding, err error) {
		if again {
			if page, stock, err = r.readAgain(ctx, e, page); err != nil {
				return nil, err
			}
		}
		again = true
		return r.judgeClaims(ctx, page, stock)
	})
}

// readAgain reads claims once more, and after them the stock of their item: both may have moved on.
func (r *run) readAgain(ctx context.Context, e entry, page []seckill.Claim) ([]seckill.Claim, seckill.Stock, error) {
	claims, err := r.ports.Claims.Find(ctx, e.item.ID, idsOf(page))
	if err != nil {
		return nil, seckill.Stock{}, fmt.Errorf("read claims again: %w", err)
	}
	facts, err := r.ports.Books.Facts(ctx, e.item.ID)
	if err != nil {
		return nil, seckill.Stock{}, err
	}
	return claims, facts.Stock, nil
}

func idsOf(claims []seckill.Claim) []seckill.ID {
	ids := make([]seckill.ID, len(claims))
	for i, claim := range claims {
		ids[i] = claim.ID
	}
	return ids
}

// judgeClaims reads what belongs to claims that have been read, and holds them against every rule.
func (r *run) judgeClaims(ctx context.Context, page []seckill.Claim, stock seckill.Stock) ([]Finding, error) {
	orders, err := r.ordersOf(ctx, idsOf(page))
	if err != nil {
		return nil, err
	}
	firsts, err := r.firstsOf(ctx, page)
	if err != nil {
		return nil, err
	}
	back, err := r.returnsOf(ctx, page)
	if err != nil {
		return nil, err
	}
	var findings []Finding
	for _, claim := range page {
		b := booked{
			claim: claim, epoch: stock.Epoch, now: stock.ReadAt,
			order: orders[claim.ID], first: firsts[claim.First], back: back[claim.ID],
		}
		for _, rule := range claimRules() {
			if detail := rule.broken(b); detail != "" {
				findings = append(findings, claimFinding(rule.id, claim, detail))
			}
		}
	}
	return findings, nil
}

func claimFinding(id string, c seckill.Claim, detail string) Finding {
	return Finding{ID: id, Item: c.Item, Reservation: c.ID, Table: tableClaims, Key: c.ID.String(), Detail: detail}
}

func (r *run) ordersOf(ctx context.Context, ids []seckill.ID) (map[seckill.ID]*seckill.Order, error) {
	orders, err := r.ports.Books.OrdersOf(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read orders by id: %w", err)
	}
	found := make(map[seckill.ID]*seckill.Order, len(orders))
	for i := range orders {
		found[orders[i].ID] = &orders[i]
	}
	return found, nil
}

func (r *run) firstsOf(ctx context.Context, page []seckill.Claim) (map[seckill.ID]*seckill.Claim, error) {
	var ids []seckill.ID
	for _, claim := range page {
		if claim.First != 0 {
			ids = append(ids, claim.First)
		}
	}
	if len(ids) == 0 {
		return map[seckill.ID]*seckill.Claim{}, nil
	}
	slices.Sort(ids)
	claims, err := r.ports.Claims.Find(ctx, page[0].Item, slices.Compact(ids))
	if err != nil {
		return nil, fmt.Errorf("read first claims: %w", err)
	}
	found := make(map[seckill.ID]*seckill.Claim, len(claims))
	for i := range claims {
		found[claims[i].ID] = &claims[i]
	}
	return found, nil
}
