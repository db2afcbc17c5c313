package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// MarkOrdered implements seckill.Claims. Adding 0 keeps the index of unordered claims out of it: found by their ids, no
// other rows are locked.
func (c Claims) MarkOrdered(ctx context.Context, shard int, ids []seckill.ID) error {
	sorted := slices.Compact(slices.Sorted(slices.Values(ids)))
	for chunk := range slices.Chunk(sorted, rowsMax) {
		_, err := c.exec(ctx, shard,
			"UPDATE claims"+c.dialect.through(primaryKey)+" SET ordered = 1 WHERE ordered + 0 = 0 AND id IN ?", chunk)
		if err != nil {
			return fmt.Errorf("mark %d claims ordered on shard %d: %w", len(chunk), shard, repeatable(err))
		}
	}
	return nil
}

// Unordered implements seckill.Claims.
func (c Claims) Unordered(ctx context.Context, shard int, olderThan time.Duration, limit int) ([]seckill.Claim, error) {
	return c.claims(ctx, shard, selectClaim+` WHERE ordered = 0 AND state = ? AND created_at <= `+c.dialect.now()+` - ?
		ORDER BY created_at, id LIMIT ?`, seckill.ClaimHeld, olderThan.Milliseconds(), limit)
}

// Find implements seckill.Claims.
func (c Claims) Find(ctx context.Context, item seckill.ID, ids []seckill.ID) ([]seckill.Claim, error) {
	var claims []seckill.Claim
	err := c.read(ctx, c.router.home(item), func(db *gorm.DB) (err error) {
		claims, err = c.claimsByID(db, ids)
		return err
	})
	return slices.DeleteFunc(claims, func(claim seckill.Claim) bool { return claim.Item != item }), err
}

// keysMax bounds the alternatives of one look-up by key: databases limit how deep a condition may be.
const keysMax = 100

// FindKeys implements seckill.Claims.
func (c Claims) FindKeys(ctx context.Context, item seckill.ID, keys []seckill.LookRequest) ([]seckill.Claim, error) {
	var all []seckill.Claim
	for chunk := range slices.Chunk(keys, keysMax) {
		args := []any{item}
		for _, key := range chunk {
			args = append(args, key.User, key.KeyHash)
		}
		pairs := strings.TrimPrefix(strings.Repeat(" OR (user_id = ? AND key_hash = ?)", len(chunk)), " OR ")
		claims, err := c.claims(ctx, c.router.home(item), selectClaim+" WHERE item = ? AND ("+pairs+")", args...)
		if err != nil {
			return nil, err
		}
		all = append(all, claims...)
	}
	return all, nil
}

// OfUser implements seckill.Claims.
func (c Claims) OfUser(ctx context.Context, item seckill.ID, user seckill.UserID) ([]seckill.Claim, error) {
	return c.claims(ctx, c.router.home(item),
		selectClaim+" WHERE item = ? AND user_id = ? ORDER BY created_at, id", item, user)
}

// Buyers implements seckill.Claims. The limit counts buyers, so that none is ever cut in two.
func (c Claims) Buyers(ctx context.Context, item seckill.ID, after seckill.UserID, limit int) ([]seckill.Buyer, error) {
	stock, err := Stocks(c).Get(ctx, item)
	if err != nil && !errors.Is(err, seckill.ErrNotFound) {
		return nil, err
	}
	claims, err := c.claims(ctx, c.router.home(item), selectClaim+` JOIN (
			SELECT DISTINCT user_id AS buyer FROM claims WHERE item = ? AND user_id > ? ORDER BY user_id LIMIT ?
		) page ON page.buyer = user_id WHERE item = ? ORDER BY user_id, id`, item, after, limit, item)
	if err != nil {
		return nil, fmt.Errorf("read buyers of item %s: %w", item, err)
	}
	var buyers []seckill.Buyer
	for _, claim := range claims {
		if len(buyers) == 0 || buyers[len(buyers)-1].User != claim.User {
			buyers = append(buyers, seckill.Buyer{User: claim.User})
		}
		last := &buyers[len(buyers)-1]
		last.Entries = append(last.Entries, entryOf(claim, stock.OneTry))
	}
	return buyers, nil
}

// entryOf is what Redis is to know of a claim: one that does not count keeps its key with nothing behind it.
func entryOf(c seckill.Claim, oneTry bool) seckill.BuyerEntry {
	entry := seckill.BuyerEntry{ID: c.ID, KeyHash: c.KeyHash}
	if counts(c, oneTry) {
		entry.Quantity = c.Quantity
	}
	return entry
}
