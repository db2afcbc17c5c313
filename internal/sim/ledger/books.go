package ledger

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Books reads what an audit compares. What sqlstore reads in several statements is one moment here.
type Books struct{ *Ledger }

// Facts implements seckill.Books.
func (b Books) Facts(ctx context.Context, item seckill.ID) (facts seckill.StockFacts, err error) {
	err = b.on(ctx, b.router.home(item), func(db *database) (err error) {
		if facts.Stock, err = db.readStock(item); err != nil {
			return err
		}
		sumClaims(db, &facts)
		sumMoves(db, &facts)
		return nil
	})
	if err != nil {
		return seckill.StockFacts{}, fmt.Errorf("read the facts of item %s: %w", item, err)
	}
	return facts, nil
}

func sumClaims(db *database, facts *seckill.StockFacts) {
	stock := facts.Stock
	users := db.claims.items[stock.Item]
	if users == nil {
		return
	}
	for user, bought := range users.all() {
		var counted int64
		for _, c := range bought.claims {
			facts.ClaimUnits += c.Quantity
			if c.Epoch == stock.Epoch {
				facts.EpochUnits += c.Quantity
			}
			if c.State == seckill.ClaimHeld {
				facts.HeldUnits += c.Quantity
			}
			if c.State == seckill.ClaimReturned {
				facts.ReturnedUnits += c.Quantity
			}
			if counts(c, stock.OneTry) {
				counted += c.Quantity
			}
		}
		if counted > stock.Ceiling {
			facts.OverLimit = append(facts.OverLimit, user)
		}
	}
}

func sumMoves(db *database, facts *seckill.StockFacts) {
	facts.Moved = make(map[seckill.MoveKind]int64)
	for _, move := range db.movesOf(facts.Stock.Item).byID.all() {
		facts.Moved[move.Kind] += move.Units
		facts.LastIssue = max(facts.LastIssue, move.Issue)
		if move.Kind != seckill.MoveIssue {
			continue
		}
		facts.Issues++
		facts.LastIssueEpoch = max(facts.LastIssueEpoch, move.Epoch)
		if move.Epoch == facts.Stock.Epoch {
			facts.EpochIssued += move.Units
		}
	}
	facts.AdjustUnits = facts.Moved[seckill.MoveAdjust]
}

// StockItems implements seckill.Books.
func (b Books) StockItems(ctx context.Context, shard int) (items []seckill.ID, err error) {
	err = b.on(ctx, shard, func(db *database) error {
		items = slices.Clone(db.stocks.keys)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list stock of shard %d: %w", shard, err)
	}
	return items, nil
}

// Orphans implements seckill.Books.
func (b Books) Orphans(ctx context.Context, shard int) (orphans []seckill.Orphan, err error) {
	err = b.on(ctx, shard, func(db *database) error {
		buyers := make(map[seckill.ID]bool)
		for _, owed := range db.outbox.all() {
			if owed.Kind == seckill.OwedBuyer {
				buyers[owed.Item] = true
			}
		}
		orphans = slices.Concat(
			db.lonely("claims", slices.Sorted(maps.Keys(db.claims.items))),
			db.lonely("outbox", slices.Sorted(maps.Keys(buyers))),
			db.lonely("stock_moves", db.moves.keys),
		)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list orphans of shard %d: %w", shard, err)
	}
	return orphans, nil
}

// lonely are those of a table's items that have no stock.
func (db *database) lonely(table string, items []seckill.ID) (orphans []seckill.Orphan) {
	for _, item := range items {
		if db.stocks.get(item) == nil {
			orphans = append(orphans, seckill.Orphan{Table: table, Item: item})
		}
	}
	return orphans
}

// MovesAfter implements seckill.Books.
func (b Books) MovesAfter(ctx context.Context, item seckill.ID, after string, limit int) (moves []seckill.Move, err error) {
	err = b.on(ctx, b.router.home(item), func(db *database) error {
		moves = page(db.movesOf(item).byID.after(after), limit, nil)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read moves of item %s: %w", item, err)
	}
	return moves, nil
}

// MovesBetween implements seckill.Books.
func (b Books) MovesBetween(ctx context.Context, shard int, after, before string, limit int) (moves []seckill.Move, err error) {
	err = b.on(ctx, shard, func(db *database) error {
		for _, of := range db.moves.all() {
			for id, move := range of.byID.after(after) {
				if id < before {
					moves = append(moves, *move)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read moves of shard %d: %w", shard, err)
	}
	slices.SortFunc(moves, func(a, b seckill.Move) int { return cmp.Compare(a.ID, b.ID) })
	return moves[:min(limit, len(moves))], nil
}

// MovesOf implements seckill.Books.
func (b Books) MovesOf(ctx context.Context, item seckill.ID, ids []string) (moves []seckill.Move, err error) {
	err = b.on(ctx, b.router.home(item), func(db *database) error {
		for _, id := range ids {
			if move := db.movesOf(item).byID.get(id); move != nil {
				moves = append(moves, *move)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read moves of item %s: %w", item, err)
	}
	return moves, nil
}

// OwedAfter implements seckill.Books.
func (b Books) OwedAfter(ctx context.Context, shard int, after seckill.ID, limit int) (owed []seckill.Owed, err error) {
	err = b.on(ctx, shard, func(db *database) error {
		owed = page(db.outbox.after(after), limit, nil)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what shard %d owes: %w", shard, err)
	}
	return owed, nil
}

// ClaimsOf implements seckill.Books.
func (b Books) ClaimsOf(
	ctx context.Context, item seckill.ID, after seckill.ClaimPlace, limit int,
) (claims []seckill.Claim, err error) {
	err = b.on(ctx, b.router.home(item), func(db *database) error {
		if buyers := db.claims.items[item]; buyers != nil {
			claims = claimsAfter(buyers, after, limit)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read claims of item %s: %w", item, err)
	}
	return claims, nil
}

func claimsAfter(buyers *table[seckill.UserID, buyer], after seckill.ClaimPlace, limit int) (page []seckill.Claim) {
	for user, bought := range buyers.all() {
		if user < after.User {
			continue
		}
		mine := slices.SortedFunc(slices.Values(bought.claims), func(a, b *seckill.Claim) int { return cmp.Compare(a.KeyHash, b.KeyHash) })
		for _, claim := range mine {
			if user == after.User && claim.KeyHash <= after.KeyHash {
				continue
			}
			if page = append(page, *claim); len(page) == limit {
				return page
			}
		}
	}
	return page
}
