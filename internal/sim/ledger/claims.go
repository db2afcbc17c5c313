package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// claims are a shard's claims by id, and the ways to find them.
type claims struct {
	byID table[seckill.ID, seckill.Claim]
	// items has each item's buyers.
	items map[seckill.ID]*table[seckill.UserID, buyer]
	// unordered are held and have no order yet.
	unordered table[seckill.ID, struct{}]
}

// buyer is what one user has of one item, in the order it was written.
type buyer struct{ claims []*seckill.Claim }

// of is what a user has of an item.
func (c *claims) of(item seckill.ID, user seckill.UserID) []*seckill.Claim {
	buyers := c.items[item]
	if buyers == nil {
		return nil
	}
	if found := buyers.get(user); found != nil {
		return found.claims
	}
	return nil
}

// insert writes a claim whose id and key are free.
func (c *claims) insert(claim seckill.Claim) {
	c.byID.put(claim.ID, claim)
	if c.items == nil {
		c.items = make(map[seckill.ID]*table[seckill.UserID, buyer])
	}
	if c.items[claim.Item] == nil {
		c.items[claim.Item] = &table[seckill.UserID, buyer]{}
	}
	buyers := c.items[claim.Item]
	if buyers.get(claim.User) == nil {
		buyers.put(claim.User, buyer{})
	}
	mine := buyers.get(claim.User)
	mine.claims = append(mine.claims, c.byID.get(claim.ID))
	c.note(claim)
}

// update writes a claim that is known; its item and user never change.
func (c *claims) update(claim seckill.Claim) {
	c.byID.put(claim.ID, claim)
	c.note(claim)
}

func (c *claims) note(claim seckill.Claim) {
	if claim.State == seckill.ClaimHeld && !claim.Ordered {
		c.unordered.put(claim.ID, struct{}{})
	} else {
		c.unordered.drop(claim.ID)
	}
}

// Claims keeps the claims, each in its item's home shard. This file reads and marks them, settle.go makes them.
type Claims struct{ *Ledger }

var _ seckill.Claims = Claims{}

// MarkOrdered implements seckill.Claims.
func (c Claims) MarkOrdered(ctx context.Context, shard int, ids []seckill.ID) error {
	err := c.on(ctx, shard, func(db *database) error {
		for _, id := range ids {
			if row := db.claims.byID.get(id); row != nil {
				claim := *row
				claim.Ordered = true
				db.claims.update(claim)
				db.ledger.touchItem(claim.Item)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("mark %d claims ordered on shard %d: %w", len(ids), shard, err)
	}
	return nil
}

// Unordered implements seckill.Claims.
func (c Claims) Unordered(
	ctx context.Context, shard int, olderThan time.Duration, limit int,
) (unordered []seckill.Claim, err error) {
	err = c.on(ctx, shard, func(db *database) error {
		before := db.now().Add(-olderThan)
		for id := range db.claims.unordered.all() {
			if claim := db.claims.byID.get(id); !claim.CreatedAt.After(before) {
				unordered = append(unordered, *claim)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read claims: %w", err)
	}
	slices.SortFunc(unordered, byAge)
	return unordered[:min(limit, len(unordered))], nil
}

func byAge(a, b seckill.Claim) int {
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
}

// Find implements seckill.Claims.
func (c Claims) Find(ctx context.Context, item seckill.ID, ids []seckill.ID) ([]seckill.Claim, error) {
	return c.some(ctx, item, func(db *database, found func(*seckill.Claim)) {
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			if claim := db.claims.byID.get(id); claim != nil && claim.Item == item {
				found(claim)
			}
		}
	})
}

// FindKeys implements seckill.Claims.
func (c Claims) FindKeys(ctx context.Context, item seckill.ID, keys []seckill.LookRequest) ([]seckill.Claim, error) {
	return c.some(ctx, item, func(db *database, found func(*seckill.Claim)) {
		for _, key := range keys {
			for _, claim := range db.claims.of(item, key.User) {
				if claim.KeyHash == key.KeyHash {
					found(claim)
				}
			}
		}
	})
}

// OfUser implements seckill.Claims.
func (c Claims) OfUser(ctx context.Context, item seckill.ID, user seckill.UserID) ([]seckill.Claim, error) {
	all, err := c.some(ctx, item, func(db *database, found func(*seckill.Claim)) {
		for _, claim := range db.claims.of(item, user) {
			found(claim)
		}
	})
	slices.SortFunc(all, byAge)
	return all, err
}

// some reads what look finds of an item's claims.
func (c Claims) some(
	ctx context.Context, item seckill.ID, look func(db *database, found func(*seckill.Claim)),
) (all []seckill.Claim, err error) {
	err = c.on(ctx, c.router.home(item), func(db *database) error {
		look(db, func(claim *seckill.Claim) { all = append(all, *claim) })
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read claims of item %s: %w", item, err)
	}
	return all, nil
}

// Buyers implements seckill.Claims.
func (c Claims) Buyers(ctx context.Context, item seckill.ID, after seckill.UserID, limit int) (buyers []seckill.Buyer, err error) {
	err = c.on(ctx, c.router.home(item), func(db *database) error {
		users := db.claims.items[item]
		if users == nil {
			return nil
		}
		stock := db.stocks.get(item)
		oneTry := stock != nil && stock.OneTry
		for user, bought := range users.after(after) {
			if len(buyers) >= limit {
				break
			}
			buyers = append(buyers, seckill.Buyer{User: user, Entries: entriesOf(bought.claims, oneTry)})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read buyers of item %s: %w", item, err)
	}
	return buyers, nil
}

// entriesOf is what Redis is to know of a buyer's claims: one that does not count keeps its key with nothing behind it.
func entriesOf(claims []*seckill.Claim, oneTry bool) []seckill.BuyerEntry {
	sorted := slices.SortedFunc(slices.Values(claims), func(a, b *seckill.Claim) int { return cmp.Compare(a.ID, b.ID) })
	entries := make([]seckill.BuyerEntry, len(sorted))
	for i, claim := range sorted {
		entries[i] = seckill.BuyerEntry{ID: claim.ID, KeyHash: claim.KeyHash}
		if counts(claim, oneTry) {
			entries[i].Quantity = claim.Quantity
		}
	}
	return entries
}

// counts says whether a claim counts against its user's limit.
func counts(c *seckill.Claim, oneTry bool) bool {
	return c.State == seckill.ClaimHeld || oneTry && c.State == seckill.ClaimReturned
}
