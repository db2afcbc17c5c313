package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Books reads what an audit compares.
type Books struct{ *Store }

var _ seckill.Books = Books{}

// Facts implements seckill.Books.
func (b Books) Facts(ctx context.Context, item seckill.ID) (seckill.StockFacts, error) {
	var facts seckill.StockFacts
	err := b.snapshotWithin(ctx, b.router.home(item), countTimeout, func(tx *gorm.DB) (err error) {
		if facts.Stock, err = b.readStock(tx, item); err != nil {
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
	err := tx.Raw(`SELECT COALESCE(SUM(CASE WHEN state = ? THEN quantity ELSE 0 END), 0) AS held_units,
		COALESCE(SUM(CASE WHEN state = ? THEN quantity ELSE 0 END), 0) AS returned_units,
		COALESCE(SUM(quantity), 0) AS claim_units,
		COALESCE(SUM(CASE WHEN epoch = ? THEN quantity ELSE 0 END), 0) AS epoch_units FROM claims WHERE item = ?`,
		seckill.ClaimHeld, seckill.ClaimReturned, stock.Epoch, stock.Item).
		Row().Scan(&facts.HeldUnits, &facts.ReturnedUnits, &facts.ClaimUnits, &facts.EpochUnits)
	if err != nil {
		return fmt.Errorf("sum claims: %w", err)
	}
	if err := readMoved(tx, facts); err != nil {
		return fmt.Errorf("sum moves: %w", err)
	}
	counted := []seckill.ClaimState{seckill.ClaimHeld}
	if stock.OneTry {
		counted = append(counted, seckill.ClaimReturned)
	}
	err = tx.Raw(`SELECT user_id FROM claims WHERE item = ? AND state IN ? GROUP BY user_id HAVING SUM(quantity) > ?
		ORDER BY user_id`, stock.Item, counted, stock.Ceiling).Scan(&facts.OverLimit).Error
	if err != nil {
		return fmt.Errorf("look for users over the limit: %w", err)
	}
	return nil
}

// readMoved sums the moves by kind.
func readMoved(tx *gorm.DB, facts *seckill.StockFacts) error {
	var kinds []struct {
		Kind       seckill.MoveKind
		Units      int64
		EpochUnits int64
		Moves      int64
		LastIssue  int64
		LastEpoch  int64
	}
	err := tx.Raw(`SELECT kind, SUM(units) AS units, SUM(CASE WHEN epoch = ? THEN units ELSE 0 END) AS epoch_units,
		COUNT(*) AS moves, MAX(issue) AS last_issue, MAX(epoch) AS last_epoch
		FROM stock_moves WHERE item = ? GROUP BY kind`, facts.Stock.Epoch, facts.Stock.Item).Scan(&kinds).Error
	if err != nil {
		return err
	}
	facts.Moved = make(map[seckill.MoveKind]int64, len(kinds))
	for _, k := range kinds {
		facts.Moved[k.Kind] = k.Units
		facts.LastIssue = max(facts.LastIssue, k.LastIssue)
		switch k.Kind {
		case seckill.MoveIssue:
			facts.EpochIssued, facts.LastIssueEpoch, facts.Issues = k.EpochUnits, k.LastEpoch, k.Moves
		case seckill.MoveAdjust:
			facts.AdjustUnits = k.Units
		default:
		}
	}
	return nil
}

// StockItems implements seckill.Books.
func (b Books) StockItems(ctx context.Context, shard int) ([]seckill.ID, error) {
	var items []seckill.ID
	err := b.read(ctx, shard, func(db *gorm.DB) error {
		return db.Raw("SELECT item FROM stock ORDER BY item").Scan(&items).Error
	})
	if err != nil {
		return nil, fmt.Errorf("list stock of shard %d: %w", shard, err)
	}
	return items, nil
}

// Orphans implements seckill.Books. The items are told apart first, from an index: there are few of them.
func (b Books) Orphans(ctx context.Context, shard int) ([]seckill.Orphan, error) {
	const lonely = " AS known WHERE item NOT IN (SELECT item FROM stock)"
	var rows []struct {
		Place string
		Item  seckill.ID
	}
	err := b.read(ctx, shard, func(db *gorm.DB) error {
		return db.Raw("SELECT 'claims' AS place, item FROM (SELECT DISTINCT item FROM claims)"+lonely+
			" UNION ALL SELECT 'stock_moves', item FROM (SELECT DISTINCT item FROM stock_moves)"+lonely+
			" UNION ALL SELECT 'outbox', item FROM (SELECT DISTINCT item FROM outbox WHERE kind = ?)"+lonely+
			" ORDER BY 1, 2", seckill.OwedBuyer).Scan(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("list orphans of shard %d: %w", shard, err)
	}
	orphans := make([]seckill.Orphan, len(rows))
	for i, row := range rows {
		orphans[i] = seckill.Orphan{Table: row.Place, Item: row.Item}
	}
	return orphans, nil
}

// MovesAfter implements seckill.Books.
func (b Books) MovesAfter(ctx context.Context, item seckill.ID, after string, limit int) ([]seckill.Move, error) {
	return b.moves(ctx, item, selectMove+" WHERE item = ? AND id > ? ORDER BY id LIMIT ?", item, after, limit)
}

// MovesBetween implements seckill.Books.
func (b Books) MovesBetween(ctx context.Context, shard int, after, before string, limit int) ([]seckill.Move, error) {
	var rows []moveRow
	err := b.read(ctx, shard, func(db *gorm.DB) error {
		return db.Raw(selectMove+" WHERE id > ? AND id < ? ORDER BY id LIMIT ?", after, before, limit).Scan(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("read moves of shard %d after %q: %w", shard, after, err)
	}
	moves := make([]seckill.Move, len(rows))
	for i, row := range rows {
		moves[i] = row.move()
	}
	return moves, nil
}

// MovesOf implements seckill.Books.
func (b Books) MovesOf(ctx context.Context, item seckill.ID, ids []string) ([]seckill.Move, error) {
	var all []seckill.Move
	for chunk := range slices.Chunk(ids, rowsMax) {
		moves, err := b.moves(ctx, item, selectMove+" WHERE item = ? AND id IN ?", item, chunk)
		if err != nil {
			return nil, err
		}
		all = append(all, moves...)
	}
	return all, nil
}

// OwedAfter implements seckill.Books.
func (b Books) OwedAfter(ctx context.Context, shard int, after seckill.ID, limit int) ([]seckill.Owed, error) {
	return b.owed(ctx, shard, limit, "id > ?", after)
}

// ClaimsOf implements seckill.Books. The rest of a user's claims and those of later users are read apart: each is one range
// of the index, which databases do not always see in a condition with OR.
func (b Books) ClaimsOf(ctx context.Context, item seckill.ID, after seckill.ClaimPlace, limit int) ([]seckill.Claim, error) {
	const order = " ORDER BY user_id, key_hash LIMIT ?"
	home, where := b.router.home(item), selectClaim+b.dialect.through(claimsKey)+" WHERE item = ?"
	if after == (seckill.ClaimPlace{}) {
		return b.claims(ctx, home, where+order, item, limit)
	}
	page, err := b.claims(ctx, home, where+" AND user_id = ? AND key_hash > ?"+order, item, after.User, after.KeyHash, limit)
	if err != nil || len(page) >= limit {
		return page, err
	}
	later, err := b.claims(ctx, home, where+" AND user_id > ?"+order, item, after.User, limit-len(page))
	if err != nil {
		return nil, err
	}
	return append(page, later...), nil
}
