package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

var _ seckill.Returns = Stocks{}

// Return implements seckill.Returns. It looks before it locks: a claim that is not held never becomes so again, and
// several keepers bring back the same ones.
func (s Stocks) Return(ctx context.Context, item seckill.ID, returns []seckill.Return) (int64, error) {
	ids := claimsOfReturns(returns)
	var claims []seckill.Claim
	err := s.read(ctx, s.router.home(item), func(db *gorm.DB) (err error) {
		claims, err = s.claimsByID(db, ids)
		return err
	})
	if err != nil || !slices.ContainsFunc(claims, func(c seckill.Claim) bool { return c.State == seckill.ClaimHeld }) {
		return 0, err
	}
	var units int64
	_, changed, err := s.changeIn(ctx, item, func(tx *gorm.DB, stock *seckill.Stock) ([]seckill.Move, error) {
		back, err := s.bringBack(tx, stock, ids)
		units = back.units
		return back.moves, err
	})
	if err != nil || !changed {
		return 0, repeatable(err)
	}
	return units, nil
}

// claimsOfReturns are in the order in which every statement takes them.
func claimsOfReturns(returns []seckill.Return) []seckill.ID {
	ids := make([]seckill.ID, len(returns))
	for i, r := range returns {
		ids[i] = r.Claim
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// bringBack reads the claims again under the lock of their stock row, decides, and writes everything but the row and its
// moves.
func (s Stocks) bringBack(tx *gorm.DB, stock *seckill.Stock, ids []seckill.ID) (returned, error) {
	claims, err := s.claimsByID(tx, ids)
	if err != nil {
		return returned{}, err
	}
	back := returnClaims(stock, claims)
	if len(back.claims) == 0 {
		return back, errUnchanged
	}
	if err := s.markReturned(tx, back.claims); err != nil {
		return back, err
	}
	return back, s.owe(tx, back.owed)
}

// markReturned also marks the claims ordered: what is given back is an order, even if the worker that placed it died
// before it could say so, and nobody looks at a returned claim for that again.
func (s Stocks) markReturned(tx *gorm.DB, ids []seckill.ID) error {
	slices.Sort(ids)
	for chunk := range slices.Chunk(ids, rowsMax) {
		err := tx.Exec("UPDATE claims"+s.dialect.through(primaryKey)+" SET state = ?, ordered = 1 WHERE id IN ?",
			seckill.ClaimReturned, chunk).Error
		if err != nil {
			return fmt.Errorf("mark %d claims returned: %w", len(chunk), dbError(err))
		}
	}
	return nil
}
