package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Stocks keeps the rows that own every unit, each in its item's home shard. This file is about the row, epochs.go about what
// moves its units.
type Stocks struct{ *Ledger }

var _ seckill.Stocks = Stocks{}

// Create implements seckill.Stocks.
func (s Stocks) Create(ctx context.Context, item seckill.Item, gate time.Duration) error {
	err := s.on(ctx, s.router.home(item.ID), func(db *database) error {
		if db.stocks.get(item.ID) != nil {
			return nil
		}
		stock := seckill.Stock{
			Item: item.ID, Allotted: item.Allotment, Pool: item.Allotment, State: seckill.StockNew, Ceiling: item.LimitPerUser,
			OneTry: item.OneTry, Gate: gate.Truncate(time.Millisecond), Since: db.now(), Version: firstVersion, ReadAt: db.now(),
		}
		moves := []seckill.Move{newMove(stock, seckill.MoveAdjust, nameAllotment, item.Allotment)}
		if err := db.checkStock(stock, moves); err != nil {
			return err
		}
		db.writeStock(stock, moves)
		return nil
	})
	if err != nil {
		return fmt.Errorf("create stock of item %s: %w", item.ID, err)
	}
	return nil
}

// readStock is a copy of the row with the clock it was read by, or seckill.ErrNotFound.
func (db *database) readStock(item seckill.ID) (seckill.Stock, error) {
	row := db.stocks.get(item)
	if row == nil {
		return seckill.Stock{}, seckill.ErrNotFound
	}
	stock := *row
	stock.ReadAt = db.now()
	return stock, nil
}

// lockStock is readStock for who means to change it: the touch counts.
func (db *database) lockStock(item seckill.ID) (seckill.Stock, error) {
	stock, err := db.readStock(item)
	stock.Version++
	return stock, err
}

// checkStock is what stands between a decision and the row: the CHECKs of the table, and the keys of its moves.
func (db *database) checkStock(s seckill.Stock, moves []seckill.Move) error {
	if err := db.ledger.waits(s.Item); err != nil {
		return err
	}
	sum := s.Pool + s.Lent + s.Doubt + s.Claimed
	if (min(s.Allotted, s.Pool, s.Lent, s.Doubt, s.Claimed, s.OwedDecrease) < 0 || s.Allotted != sum) && !db.lacks(LackCheck) {
		return fmt.Errorf("a CHECK refuses the stock of item %s: %+v", s.Item, s)
	}
	known := db.moves.get(s.Item)
	for i, move := range moves {
		again := slices.ContainsFunc(moves[:i], func(m seckill.Move) bool { return m.ID == move.ID })
		if again || known != nil && known.byID.get(move.ID) != nil {
			return fmt.Errorf("move %s is known", move.ID)
		}
	}
	return nil
}

// writeStock writes what checkStock has let through.
func (db *database) writeStock(s seckill.Stock, moves []seckill.Move) {
	s.ReadAt = time.Time{}
	db.stocks.put(s.Item, s)
	db.ledger.touchItem(s.Item)
	db.writeMoves(s.Item, moves)
}

// Get implements seckill.Stocks.
func (s Stocks) Get(ctx context.Context, item seckill.ID) (stock seckill.Stock, err error) {
	err = s.on(ctx, s.router.home(item), func(db *database) (err error) {
		stock, err = db.readStock(item)
		return err
	})
	return stock, err
}

// List implements seckill.Stocks.
func (s Stocks) List(ctx context.Context, shard int, states ...seckill.StockState) (stocks []seckill.Stock, err error) {
	err = s.on(ctx, shard, func(db *database) error {
		now := db.now()
		for _, row := range db.stocks.all() {
			if len(states) == 0 || slices.Contains(states, row.State) {
				stock := *row
				stock.ReadAt = now
				stocks = append(stocks, stock)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list stock of shard %d: %w", shard, err)
	}
	return stocks, nil
}

// RaiseHigh implements seckill.Stocks.
func (s Stocks) RaiseHigh(ctx context.Context, item seckill.ID, epoch, sold int64) error {
	_, err := s.set(ctx, item, func(stock *seckill.Stock) bool {
		if stock.Epoch != epoch || stock.High >= sold {
			return false
		}
		stock.High = sold
		return true
	})
	return err
}

// Progress implements seckill.Stocks.
func (s Stocks) Progress(ctx context.Context, item seckill.ID, epoch int64, attempt seckill.ID) (bool, error) {
	return s.set(ctx, item, func(stock *seckill.Stock) bool {
		if !loads(*stock, epoch, attempt) {
			return false
		}
		stock.Progress = stock.ReadAt
		return true
	})
}

// loads says whether this load is under way.
func loads(s seckill.Stock, epoch int64, attempt seckill.ID) bool {
	return s.State == seckill.StockLoading && s.Epoch == epoch && s.Attempt == attempt
}

// Open implements seckill.Stocks.
func (s Stocks) Open(ctx context.Context, item seckill.ID, epoch int64, attempt seckill.ID) (bool, error) {
	opened, err := s.set(ctx, item, func(stock *seckill.Stock) bool {
		owes := stock.OwedDecrease > 0 && s.lack != LackOpenDecrease
		if !loads(*stock, epoch, attempt) || stock.Final || owes || stock.Halted != "" {
			return false
		}
		stock.State, stock.Since = seckill.StockOpen, stock.ReadAt
		return true
	})
	return err == nil && (opened || s.lack == LackOpenAnswer), err
}

// RaiseCeiling implements seckill.Stocks.
func (s Stocks) RaiseCeiling(ctx context.Context, item seckill.ID, limit int64) error {
	if _, err := s.Get(ctx, item); err != nil {
		return err
	}
	_, err := s.set(ctx, item, func(stock *seckill.Stock) bool {
		raised := stock.Ceiling < limit && s.lack != LackCeiling
		if !raised {
			return false
		}
		stock.Ceiling = limit
		return true
	})
	return err
}

// Halt implements seckill.Stocks.
func (s Stocks) Halt(ctx context.Context, item seckill.ID, reason string) error {
	if _, err := s.Get(ctx, item); err != nil {
		return err
	}
	_, err := s.set(ctx, item, func(stock *seckill.Stock) bool {
		if stock.Halted != "" {
			return false
		}
		stock.Halted = clip(reason)
		return true
	})
	return err
}

// set is one conditional statement that moves no units; it tells whether the row was changed.
func (s Stocks) set(ctx context.Context, item seckill.ID, statement func(stock *seckill.Stock) bool) (changed bool, err error) {
	err = s.on(ctx, s.router.home(item), func(db *database) error {
		stock, err := db.lockStock(item)
		if errors.Is(err, seckill.ErrNotFound) {
			return nil
		}
		if changed = statement(&stock); !changed {
			return nil
		}
		if err := db.ledger.waits(item); err != nil {
			return err
		}
		db.writeStock(stock, nil)
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("change stock of item %s: %w", item, err)
	}
	return changed, nil
}

// errUnchanged ends a transaction that found nothing to do.
var errUnchanged = errors.New("nothing to change")

// outcome is what comes with a changed stock row: its moves, and what else the same transaction writes.
type outcome struct {
	moves []seckill.Move
	then  func()
}

// change lets decide change a copy of an item's row, asks the guards, and writes everything at once. It writes nothing, and
// returns false with the row as it is, when decide says errUnchanged.
func (s Stocks) change(
	ctx context.Context, item seckill.ID, decide func(db *database, stock *seckill.Stock) (outcome, error),
) (stock seckill.Stock, changed bool, err error) {
	err = s.on(ctx, s.router.home(item), func(db *database) error {
		if stock, err = db.readStock(item); err != nil {
			return err
		}
		after := stock
		after.Version++
		what, err := decide(db, &after)
		if err == nil {
			err = db.checkStock(after, what.moves)
		}
		if err != nil {
			return err
		}
		db.writeStock(after, what.moves)
		if what.then != nil {
			what.then()
		}
		if event, isTold := seckill.NewSoldOutEvent(stock, after); isTold {
			db.tell(event)
		}
		stock = after
		return nil
	})
	switch {
	case errors.Is(err, errUnchanged):
		return stock, false, nil
	case err != nil:
		return seckill.Stock{}, false, fmt.Errorf("change stock of item %s: %w", item, err)
	default:
		return stock, true, nil
	}
}
