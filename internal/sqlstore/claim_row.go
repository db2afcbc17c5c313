package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const selectClaim = `SELECT id, item, user_id, quantity, key_hash, epoch, state, reason, first_id, ordered, created_at
	FROM claims`

// The indexes that claims are found by.
const (
	primaryKey = "PRIMARY"
	claimsKey  = "claims_key"
)

// claims runs a query that begins with selectClaim on a shard's primary.
func (s *Store) claims(ctx context.Context, shard int, query string, args ...any) (claims []seckill.Claim, err error) {
	err = s.read(ctx, shard, func(db *gorm.DB) (err error) {
		claims, err = readClaims(db, query, args...)
		return err
	})
	return claims, err
}

// readClaims runs a query that begins with selectClaim.
func readClaims(db *gorm.DB, query string, args ...any) ([]seckill.Claim, error) {
	rows, err := db.Raw(query, args...).Rows()
	if err != nil {
		return nil, fmt.Errorf("read claims: %w", dbError(err))
	}
	defer rows.Close()
	var claims []seckill.Claim
	for rows.Next() {
		claim, err := scanClaim(rows)
		if err != nil {
			return nil, fmt.Errorf("read a claim: %w", err)
		}
		claims = append(claims, claim)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read claims: %w", dbError(err))
	}
	return claims, nil
}

func scanClaim(rows *sql.Rows) (seckill.Claim, error) {
	var c seckill.Claim
	var created int64
	err := rows.Scan(&c.ID, &c.Item, &c.User, &c.Quantity, &c.KeyHash, &c.Epoch, &c.State, &c.Reason, &c.First, &c.Ordered,
		&created)
	c.CreatedAt = fromMilli(created)
	return c, err
}

// claimsByID reads what exists of these ids on a shard, whatever item they belong to: an id that another item has was
// made twice.
func (s *Store) claimsByID(db *gorm.DB, ids []seckill.ID) ([]seckill.Claim, error) {
	return readChunks(ids, func(chunk []seckill.ID) ([]seckill.Claim, error) {
		list, args := listPlain(chunk, func(v *values, id seckill.ID) { v.number(int64(id)) })
		return readClaims(db, selectClaim+s.dialect.through(primaryKey)+" WHERE id IN "+list, args...)
	})
}

// claimsOfUsers reads everything these users have of an item: their held units and the keys they used come from one
// look-up.
func (s *Store) claimsOfUsers(db *gorm.DB, item seckill.ID, users []seckill.UserID) ([]seckill.Claim, error) {
	return readChunks(users, func(chunk []seckill.UserID) ([]seckill.Claim, error) {
		list, args := listPlain(chunk, func(v *values, user seckill.UserID) { v.string(string(user)) })
		return readClaims(db, selectClaim+s.dialect.through(claimsKey)+" WHERE item = "+item.String()+" AND user_id IN "+list, args...)
	})
}

func readChunks[K any](keys []K, read func(chunk []K) ([]seckill.Claim, error)) ([]seckill.Claim, error) {
	var all []seckill.Claim
	for chunk := range slices.Chunk(keys, rowsMax) {
		claims, err := read(chunk)
		if err != nil {
			return nil, err
		}
		all = append(all, claims...)
	}
	return all, nil
}

// writeClaims inserts new claims in the order of their key. Nothing is skipped: what a unique key refuses here, the
// look-ups under the stock row's lock should have seen.
func writeClaims(tx *gorm.DB, claims []seckill.Claim) error {
	slices.SortFunc(claims, func(a, b seckill.Claim) int { return cmp.Compare(a.ID, b.ID) })
	_, err := insert{
		into:  "claims (id, item, user_id, quantity, key_hash, epoch, ordered, created_at)",
		usual: "state, reason, first_id", leaveOut: !slices.ContainsFunc(claims, isUnusual),
	}.runPlain(tx, len(claims), func(v *values, n int) {
		c := claims[n]
		v.number(int64(c.ID))
		v.number(int64(c.Item))
		v.string(string(c.User))
		v.number(c.Quantity)
		v.string(c.KeyHash)
		v.number(c.Epoch)
		v.number(flag(c.Ordered))
		v.number(toMilli(c.CreatedAt))
		if v.whole {
			v.string(string(c.State))
			v.string(string(c.Reason))
			v.number(int64(c.First))
		}
	})
	if err != nil {
		// Only here: what a stock row refuses is not the message's fault.
		return fmt.Errorf("write %d claims: %w", len(claims), refusedData(err))
	}
	return nil
}

// freeKeys puts claims under their own ids. That is rare, and seldom more than one.
func freeKeys(tx *gorm.DB, claims []seckill.ID) error {
	for _, id := range claims {
		if err := tx.Exec("UPDATE claims SET key_hash = ? WHERE id = ?", id.String(), int64(id)).Error; err != nil {
			return fmt.Errorf("free the key of claim %s: %w", id, err)
		}
	}
	return nil
}

// isUnusual says whether a claim has to be written as a whole.
func isUnusual(c seckill.Claim) bool {
	return c.State != seckill.ClaimHeld || c.Reason != "" || c.First != 0
}
