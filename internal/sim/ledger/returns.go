package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/seckill-dev/seckill/internal/seckill"
)

var _ seckill.Returns = Stocks{}

// Return implements seckill.Returns. It looks before it locks, as sqlstore does: who finds nothing to do touches nothing.
func (s Stocks) Return(ctx context.Context, item seckill.ID, returns []seckill.Return) (units int64, err error) {
	var held bool
	err = s.on(ctx, s.router.home(item), func(db *database) error {
		held = slices.ContainsFunc(returns, func(r seckill.Return) bool {
			claim := db.claims.byID.get(r.Claim)
			return claim != nil && (claim.State == seckill.ClaimHeld || db.lacks(LackReturnHeld))
		})
		return nil
	})
	if err != nil || !held {
		return 0, err
	}
	_, changed, err := s.change(ctx, item, func(db *database, stock *seckill.Stock) (outcome, error) {
		back := bringBack(db, stock, returns)
		if len(back.claims) == 0 {
			return outcome{}, errUnchanged
		}
		units = back.units
		return outcome{moves: back.moves, then: func() {
			for _, claim := range back.claims {
				db.claims.update(claim)
			}
			db.owe(back.owed...)
		}}, nil
	})
	if err != nil || !changed {
		return 0, err
	}
	return units, nil
}

// returned is what giving claims back comes to.
type returned struct {
	claims []seckill.Claim
	units  int64
	moves  []seckill.Move
	owed   []seckill.Owed
}

// bringBack gives back those of the claims that are held, in the order of their ids. They count as ordered.
func bringBack(db *database, stock *seckill.Stock, returns []seckill.Return) (back returned) {
	ids := make([]seckill.ID, len(returns))
	for i, r := range returns {
		ids[i] = r.Claim
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		row := db.claims.byID.get(id)
		if row == nil || row.Item != stock.Item || row.State != seckill.ClaimHeld && !db.lacks(LackReturnHeld) {
			continue
		}
		claim := *row
		claim.State, claim.Ordered = seckill.ClaimReturned, true
		stock.Claimed, stock.Pool = stock.Claimed-claim.Quantity, stock.Pool+claim.Quantity
		back.claims = append(back.claims, claim)
		back.units += claim.Quantity
		move := newReturn(*stock, claim)
		if row.State != seckill.ClaimHeld { // LackReturnHeld: the move of the second time has a name of its own
			move.ID += ":" + number(stock.Version)
		}
		back.moves = append(back.moves, move)
		if !stock.OneTry && !db.lacks(LackReturnOwed) {
			back.owed = append(back.owed, owedBuyer(*stock, claim, 0))
		}
	}
	return back
}

// LentAgain implements seckill.Returns. The issue before the first one of an epoch belongs to an earlier one.
func (s Stocks) LentAgain(ctx context.Context, item seckill.ID, epoch, issue int64, limit int) (claims []seckill.ID, err error) {
	err = s.on(ctx, s.router.home(item), func(db *database) error {
		of := db.movesOf(item)
		at := slices.IndexFunc(of.issues, func(m seckill.Move) bool { return m.Issue == issue && m.Epoch == epoch })
		if at <= 0 || of.issues[at-1].Epoch < epoch-1 {
			return nil
		}
		before, this := of.issues[at-1], of.issues[at]
		moves := page(of.byID.all(), unlimited, func(m *seckill.Move) bool {
			return m.Kind == seckill.MoveReturn && m.At.After(before.At) && !m.At.After(this.At) &&
				(m.Epoch == before.Epoch || m.Epoch == this.Epoch)
		})
		slices.SortFunc(moves, func(a, b seckill.Move) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
		for _, move := range moves[:min(limit, len(moves))] {
			id, err := seckill.ParseID(strings.TrimPrefix(move.ID, string(seckill.MoveReturn)+":"))
			if err != nil {
				return err
			}
			claims = append(claims, id)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what item %s lends again: %w", item, err)
	}
	return claims, nil
}
