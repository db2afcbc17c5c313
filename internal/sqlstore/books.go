package sqlstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Books reads what an audit compares.
type Books struct{ *Store }

var _ seckill.Books = Books{}

// Facts implements seckill.Books.
func (b Books) Facts(ctx context.Context, item seckill.ID) (seckill.StockFacts, error) {
	var facts seckill.StockFacts
	err := b.snapshot(ctx, b.router.home(item), func(tx *gorm.DB) (err error) {
		if facts.Stock, err = readStock(tx, item); err != nil {
			return err
		}
		return readFacts(tx, &facts)
	})
	if err != nil {
		return seckill.StockFacts{}, fmt.Errorf("read the facts of item %s: %w", item, err)
	}
	return facts, nil
}

func readFacts(tx *gorm.DB, facts *seckill.StockFacts) error {
	stock := facts.Stock
	var sums struct{ HeldUnits, EpochUnits int64 }
	err := tx.Raw(`SELECT COALESCE(SUM(CASE WHEN state = ? THEN quantity ELSE 0 END), 0) AS held_units,
		COALESCE(SUM(CASE WHEN epoch = ? THEN quantity ELSE 0 END), 0) AS epoch_units FROM claims WHERE item = ?`,
		seckill.ClaimHeld, stock.Epoch, stock.Item).Scan(&sums).Error
	if err != nil {
		return fmt.Errorf("sum claims: %w", err)
	}
	var moves struct{ AdjustUnits, LastIssue int64 }
	err = tx.Raw(`SELECT COALESCE(SUM(CASE WHEN kind = ? THEN units ELSE 0 END), 0) AS adjust_units,
		COALESCE(MAX(issue), 0) AS last_issue FROM stock_moves WHERE item = ?`, seckill.MoveAdjust, stock.Item).
		Scan(&moves).Error
	if err != nil {
		return fmt.Errorf("sum moves: %w", err)
	}
	err = tx.Raw(`SELECT user_id FROM claims WHERE item = ? AND state = ? GROUP BY user_id HAVING SUM(quantity) > ?
		ORDER BY user_id`, stock.Item, seckill.ClaimHeld, stock.Ceiling).Scan(&facts.OverLimit).Error
	if err != nil {
		return fmt.Errorf("look for users over the limit: %w", err)
	}
	facts.HeldUnits, facts.EpochUnits = sums.HeldUnits, sums.EpochUnits
	facts.AdjustUnits, facts.LastIssue = moves.AdjustUnits, moves.LastIssue
	return nil
}

// StockItems implements seckill.Books.
func (b Books) StockItems(ctx context.Context, shard int) ([]seckill.ID, error) {
	var items []seckill.ID
	if err := b.reader(ctx, shard).Raw("SELECT item FROM stock ORDER BY item").Scan(&items).Error; err != nil {
		return nil, fmt.Errorf("list stock of shard %d: %w", shard, dbError(err))
	}
	return items, nil
}

// ClaimsAfter implements seckill.Books. Adding 0 keeps the index of the item out of it: reading on from an id in the
// primary key needs no sorting of all the item's claims for every page.
func (b Books) ClaimsAfter(ctx context.Context, item, after seckill.ID, limit int) ([]seckill.Claim, error) {
	return readClaims(b.reader(ctx, b.router.home(item)),
		selectClaim+" WHERE item + 0 = ? AND id > ? ORDER BY id LIMIT ?", item, after, limit)
}
