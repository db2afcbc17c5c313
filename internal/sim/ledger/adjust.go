package ledger

import (
	"context"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

var _ seckill.Adjustments = Stocks{}

// Adjust implements seckill.Adjustments. The op's moves are what it is known by, and what it answered the first time.
func (s Stocks) Adjust(ctx context.Context, adjustment seckill.Adjustment) (adjusted seckill.Adjusted, err error) {
	if err := adjustment.Validate(); err != nil {
		return seckill.Adjusted{}, err
	}
	stock, _, err := s.change(ctx, adjustment.Item, func(db *database, stock *seckill.Stock) (outcome, error) {
		var known bool
		if adjusted, known = adjustedBefore(db, adjustment); known && !db.lacks(LackOp) {
			if delta := adjusted.Taken - adjusted.Owed; delta != adjustment.Delta {
				return outcome{}, &seckill.Refusal{
					Reason: seckill.IdempotencyMismatch, Field: "op_id", Detail: fmt.Sprintf("it was used for a delta of %d", delta),
				}
			}
			return outcome{}, errUnchanged
		}
		if largest := takable(*stock); stock.State == seckill.StockClosed || adjustment.Delta < -largest {
			adjusted = seckill.Adjusted{Refused: true, Largest: largest}
			return outcome{}, errUnchanged
		}
		var moves []seckill.Move
		adjusted, moves = adjust(stock, adjustment)
		for i := range moves {
			if known { // LackOp: the moves of the second time have names of their own
				moves[i].ID += ":" + number(stock.Version)
			}
		}
		return outcome{moves: moves}, nil
	})
	if err != nil {
		return seckill.Adjusted{}, err
	}
	adjusted.Stock = stock
	return adjusted, nil
}

// adjustedBefore is the answer of the first time, if there was one.
func adjustedBefore(db *database, a seckill.Adjustment) (first seckill.Adjusted, known bool) {
	moves := db.movesOf(a.Item).byID
	if move := moves.get(moveID(seckill.MoveAdjust, a.Item, a.Op)); move != nil {
		first.Repeated, first.Taken = true, move.Units
	}
	if move := moves.get(moveID(seckill.MoveOwe, a.Item, a.Op)); move != nil {
		first.Repeated, first.Owed = true, move.Units
	}
	return first, first.Repeated
}

// takable is the most that a decrease may ask for: what nobody has claimed and no earlier decrease will take.
func takable(s seckill.Stock) int64 {
	if s.State == seckill.StockClosed {
		return 0
	}
	return max(0, s.Pool+s.Lent+s.Doubt-s.OwedDecrease)
}

// adjust decides a new adjustment. Its own move is written also when nothing changes at once.
func adjust(s *seckill.Stock, a seckill.Adjustment) (seckill.Adjusted, []seckill.Move) {
	taken := max(a.Delta, -s.Pool)
	owed := taken - a.Delta
	s.Allotted, s.Pool, s.OwedDecrease = s.Allotted+taken, s.Pool+taken, s.OwedDecrease+owed
	moves := []seckill.Move{newMove(*s, seckill.MoveAdjust, a.Op, taken)}
	if owed > 0 {
		seal(s, seckill.SealRequest{Item: s.Item})
		moves = append(moves, newMove(*s, seckill.MoveOwe, a.Op, owed))
	}
	return seckill.Adjusted{Taken: taken, Owed: owed}, moves
}
