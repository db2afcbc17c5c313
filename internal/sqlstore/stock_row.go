package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// selectStock begins a query for whole rows.
func (s *Store) selectStock() string {
	return `SELECT item, allotted, pool, lent, doubt, claimed, epoch, state, final, halted, attempt, issue, high,
	accounted, ceiling, one_try, owed_decrease, gate_ms, since, progress, claimed_at, sealed_at, version, ` + s.dialect.now() + ` AS read_at
	FROM stock`
}

// readStocks runs a query that begins with selectStock. Keepers read all rows many times a second.
func readStocks(db *gorm.DB, query string, args ...any) ([]seckill.Stock, error) {
	rows, err := db.Raw(query, args...).Rows()
	if err != nil {
		return nil, fmt.Errorf("read stock: %w", dbError(err))
	}
	defer rows.Close()
	var stocks []seckill.Stock
	for rows.Next() {
		stock, err := scanStock(rows)
		if err != nil {
			return nil, fmt.Errorf("read a row of stock: %w", err)
		}
		stocks = append(stocks, stock)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read stock: %w", dbError(err))
	}
	return stocks, nil
}

func scanStock(rows *sql.Rows) (seckill.Stock, error) {
	var s seckill.Stock
	var gate, since, progress, claimed, sealed, read int64
	err := rows.Scan(&s.Item, &s.Allotted, &s.Pool, &s.Lent, &s.Doubt, &s.Claimed, &s.Epoch, &s.State, &s.Final, &s.Halted,
		&s.Attempt, &s.Issue, &s.High, &s.Accounted, &s.Ceiling, &s.OneTry, &s.OwedDecrease, &gate, &since, &progress, &claimed,
		&sealed, &s.Version, &read)
	s.Gate = time.Duration(gate) * time.Millisecond
	s.Since, s.Progress, s.ClaimedAt = fromMilli(since), fromMilli(progress), fromMilli(claimed)
	s.SealedAt, s.ReadAt = fromMilli(sealed), fromMilli(read)
	return s, err
}

// readStock reads one row, or seckill.ErrNotFound.
func (s *Store) readStock(db *gorm.DB, item seckill.ID) (seckill.Stock, error) {
	stocks, err := readStocks(db, s.selectStock()+" WHERE item = ?", item)
	if err != nil {
		return seckill.Stock{}, fmt.Errorf("item %s: %w", item, err)
	}
	if len(stocks) == 0 {
		return seckill.Stock{}, seckill.ErrNotFound
	}
	return stocks[0], nil
}

// lockStock takes the row's lock by changing it, then reads it: whatever moves units begins here, so nothing it decides
// on is stale. Several items are locked in the order of their ids.
func (s *Store) lockStock(tx *gorm.DB, item seckill.ID) (seckill.Stock, error) {
	if err := tx.Exec("UPDATE stock SET version = version + 1 WHERE item = ?", item).Error; err != nil {
		return seckill.Stock{}, fmt.Errorf("lock stock of item %s: %w", item, dbError(err))
	}
	return s.readStock(tx, item)
}

// lockStocks locks several rows; unknown items are missing from the answer.
func (s *Store) lockStocks(tx *gorm.DB, items []seckill.ID) (map[seckill.ID]seckill.Stock, error) {
	stocks := make(map[seckill.ID]seckill.Stock, len(items))
	for _, item := range slices.Sorted(slices.Values(items)) {
		stock, err := s.lockStock(tx, item)
		if errors.Is(err, seckill.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		stocks[item] = stock
	}
	return stocks, nil
}

// writeStock writes a locked row as it was decided. Its CHECKs have the last word.
func writeStock(tx *gorm.DB, s seckill.Stock) error {
	err := tx.Exec(`UPDATE stock SET allotted = ?, pool = ?, lent = ?, doubt = ?, claimed = ?, epoch = ?, state = ?,
		final = ?, halted = ?, attempt = ?, issue = ?, high = ?, accounted = ?, owed_decrease = ?, since = ?, progress = ?,
		claimed_at = ?, sealed_at = ? WHERE item = ?`,
		s.Allotted, s.Pool, s.Lent, s.Doubt, s.Claimed, s.Epoch, s.State,
		flag(s.Final), s.Halted, s.Attempt, s.Issue, s.High, s.Accounted, s.OwedDecrease, toMilli(s.Since), toMilli(s.Progress),
		toMilli(s.ClaimedAt), toMilli(s.SealedAt), s.Item).Error
	if err != nil {
		return fmt.Errorf("write stock of item %s: %w", s.Item, dbError(err))
	}
	return nil
}

// flag is how a truth is stored.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// moveRow is the stock_moves table.
type moveRow struct {
	ID    string
	Item  seckill.ID
	Kind  seckill.MoveKind
	Epoch int64
	Issue int64
	Units int64
	At    int64
}

func (r moveRow) move() seckill.Move {
	return seckill.Move{ID: r.ID, Item: r.Item, Kind: r.Kind, Epoch: r.Epoch, Issue: r.Issue, Units: r.Units, At: fromMilli(r.At)}
}

const selectMove = "SELECT id, item, kind, epoch, issue, units, at FROM stock_moves"

// moves runs a query that begins with selectMove.
func (s *Store) moves(ctx context.Context, item seckill.ID, query string, args ...any) ([]seckill.Move, error) {
	var rows []moveRow
	err := s.read(ctx, s.router.home(item), func(db *gorm.DB) error { return db.Raw(query, args...).Scan(&rows).Error })
	if err != nil {
		return nil, fmt.Errorf("read moves of item %s: %w", item, err)
	}
	moves := make([]seckill.Move, len(rows))
	for i, row := range rows {
		moves[i] = row.move()
	}
	return moves, nil
}

// newMove describes a change of a stock by what it is called for that item: the same change made twice has the same
// name, and the second one fails on the table's key.
func newMove(s seckill.Stock, kind seckill.MoveKind, name string, units int64) seckill.Move {
	return seckill.Move{
		ID: moveID(kind, s.Item, name), Item: s.Item, Kind: kind, Epoch: s.Epoch, Units: units, At: s.ReadAt,
	}
}

func moveID(kind seckill.MoveKind, item seckill.ID, name string) string {
	return string(kind) + ":" + item.String() + ":" + name
}

// newReturn describes the return of a claim, which is called after the claim alone.
func newReturn(s seckill.Stock, c seckill.Claim) seckill.Move {
	return seckill.Move{
		ID: string(seckill.MoveReturn) + ":" + c.ID.String(), Item: s.Item, Kind: seckill.MoveReturn,
		Epoch: s.Epoch, Units: c.Quantity, At: s.ReadAt,
	}
}

// The names of adjust moves that no operator gives.
const (
	nameAllotment = "allotment"
	nameOwed      = "owed:" // and the epoch whose Rebuild paid
)

func number(n int64) string { return strconv.FormatInt(n, 10) }

func writeMoves(tx *gorm.DB, moves []seckill.Move) error {
	rows := make([][]any, len(moves))
	for i, m := range moves {
		rows[i] = []any{m.ID, m.Item, m.Kind, m.Epoch, m.Issue, m.Units, toMilli(m.At)}
	}
	table := insert{into: "stock_moves (id, item, kind, epoch, issue, units, at)", row: "(?, ?, ?, ?, ?, ?, ?)"}
	if err := table.run(tx, rows); err != nil {
		return fmt.Errorf("write moves: %w", dbError(err))
	}
	return nil
}
