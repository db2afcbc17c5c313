package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Stocks keeps the rows that own every unit, each in its item's home shard.
type Stocks struct{ *Store }

var _ seckill.Stocks = Stocks{}

// Create implements seckill.Stocks.
func (s Stocks) Create(ctx context.Context, item seckill.Item, gate time.Duration) error {
	err := s.inTx(ctx, s.router.home(item.ID), func(tx *gorm.DB) error {
		result := tx.Exec(`INSERT INTO stock (item, allotted, pool, lent, doubt, claimed, epoch, state, final, halted, attempt,
			issue, high, accounted, ceiling, one_try, owed_decrease, gate_ms, since, progress, claimed_at, sealed_at, version)
			VALUES (?, ?, ?, 0, 0, 0, 0, ?, 0, '', 0, 0, 0, 0, ?, ?, 0, ?, `+s.dialect.now()+`, 0, 0, 0, 1)`+s.dialect.skipKnown("item"),
			item.ID, item.Allotment, item.Allotment, seckill.StockNew, item.LimitPerUser,
			flag(item.OneTry), gate.Milliseconds())
		if result.Error != nil || result.RowsAffected == 0 {
			return result.Error
		}
		row, err := s.readStock(tx, item.ID)
		if err != nil {
			return err
		}
		return writeMoves(tx, []seckill.Move{newMove(row, seckill.MoveAdjust, nameAllotment, item.Allotment)})
	})
	if err != nil {
		return fmt.Errorf("create stock of item %s: %w", item.ID, err)
	}
	return nil
}

// Get implements seckill.Stocks.
func (s Stocks) Get(ctx context.Context, item seckill.ID) (seckill.Stock, error) {
	var stock seckill.Stock
	err := s.read(ctx, s.router.home(item), func(db *gorm.DB) (err error) {
		stock, err = s.readStock(db, item)
		return err
	})
	return stock, err
}

// List implements seckill.Stocks.
func (s Stocks) List(ctx context.Context, shard int, states ...seckill.StockState) (stocks []seckill.Stock, err error) {
	if len(states) == 0 {
		states = seckill.StockStates()
	}
	err = s.read(ctx, shard, func(db *gorm.DB) (err error) {
		stocks, err = readStocks(db, s.selectStock()+" WHERE state IN ? ORDER BY item", states)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list stock of shard %d: %w", shard, err)
	}
	return stocks, nil
}

// RaiseHigh implements seckill.Stocks.
func (s Stocks) RaiseHigh(ctx context.Context, item seckill.ID, epoch, sold int64) error {
	_, err := s.set(ctx, item, "high = ?", []any{sold}, "epoch = ? AND high < ?", epoch, sold)
	return err
}

// Progress implements seckill.Stocks.
func (s Stocks) Progress(ctx context.Context, item seckill.ID, epoch int64, attempt seckill.ID) (bool, error) {
	return s.set(ctx, item, "progress = "+s.dialect.now(), nil,
		"epoch = ? AND attempt = ? AND state = ?", epoch, attempt, seckill.StockLoading)
}

// Open implements seckill.Stocks.
func (s Stocks) Open(ctx context.Context, item seckill.ID, epoch int64, attempt seckill.ID) (bool, error) {
	return s.set(ctx, item, "since = "+s.dialect.now()+", state = ?", []any{seckill.StockOpen},
		"epoch = ? AND attempt = ? AND state = ? AND final = 0 AND owed_decrease = 0 AND halted = ''", epoch, attempt, seckill.StockLoading)
}

// RaiseCeiling implements seckill.Stocks.
func (s Stocks) RaiseCeiling(ctx context.Context, item seckill.ID, limit int64) error {
	stock, err := s.Get(ctx, item)
	if err != nil || stock.Ceiling >= limit {
		return err
	}
	_, err = s.set(ctx, item, "ceiling = ?", []any{limit}, "ceiling < ?", limit)
	return err
}

// Halt implements seckill.Stocks.
func (s Stocks) Halt(ctx context.Context, item seckill.ID, reason string) error {
	if _, err := s.Get(ctx, item); err != nil {
		return err
	}
	_, err := s.set(ctx, item, "halted = ?", []any{clip(reason)}, "halted = ''")
	return err
}

// Moves implements seckill.Stocks.
func (s Stocks) Moves(ctx context.Context, item seckill.ID, epoch, after int64) ([]seckill.Move, error) {
	return s.moves(ctx, item, selectMove+" WHERE item = ? AND epoch = ? AND issue > ? AND kind = ? ORDER BY issue",
		item, epoch, after, seckill.MoveIssue)
}

// set is one conditional statement that moves no units; it tells whether the row was changed. The version grows with
// it, so that a value which stays the same counts as a change on every database.
func (s Stocks) set(ctx context.Context, item seckill.ID, what string, values []any, when string, args ...any) (bool, error) {
	values = append(append(values, item), args...)
	changed, err := s.exec(ctx, s.router.home(item),
		"UPDATE stock SET version = version + 1, "+what+" WHERE item = ? AND "+when, values...)
	if err != nil {
		return false, fmt.Errorf("change stock of item %s: %w", item, err)
	}
	return changed > 0, nil
}

// errUnchanged rolls a transaction back that found nothing to do.
var errUnchanged = errors.New("nothing to change")

// change locks an item's row, lets decide change it, and writes row and moves in one transaction. It writes nothing, and
// returns false with the row as it is, when decide says no.
func (s Stocks) change(
	ctx context.Context, item seckill.ID, decide func(*seckill.Stock) ([]seckill.Move, bool),
) (seckill.Stock, bool, error) {
	return s.changeIn(ctx, item, func(_ *gorm.DB, stock *seckill.Stock) ([]seckill.Move, error) {
		moves, changed := decide(stock)
		if !changed {
			return nil, errUnchanged
		}
		return moves, nil
	})
}

// changeIn is change for decisions that need more than the row: what decide reads and writes in tx stands or falls with
// the row. It says no by errUnchanged.
func (s Stocks) changeIn(
	ctx context.Context, item seckill.ID, decide func(tx *gorm.DB, stock *seckill.Stock) ([]seckill.Move, error),
) (stock seckill.Stock, changed bool, err error) {
	err = s.inTx(ctx, s.router.home(item), func(tx *gorm.DB) error {
		locked, err := s.lockStock(tx, item)
		if err != nil {
			return err
		}
		stock = locked
		moves, err := decide(tx, &stock)
		if err != nil {
			stock = locked
			return err
		}
		if err := writeStock(tx, stock); err != nil {
			return err
		}
		if err := writeMoves(tx, moves); err != nil {
			return err
		}
		event, isTold := seckill.NewSoldOutEvent(locked, stock)
		if !isTold {
			return nil
		}
		return s.tell(tx, []seckill.Event{event})
	})
	switch {
	case errors.Is(err, errUnchanged):
		stock.Version-- // as it is: the lock's touch was rolled back
		return stock, false, nil
	case err != nil:
		return seckill.Stock{}, false, fmt.Errorf("change stock of item %s: %w", item, err)
	default:
		return stock, true, nil
	}
}

// textMax is the width of every column that says in words what went wrong.
const textMax = 200

// clip cuts a text to what fits into such a column. The words of others may be no text at all, which MySQL would refuse.
func clip(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if characters := []rune(text); len(characters) > textMax {
		return string(characters[:textMax])
	}
	return text
}
