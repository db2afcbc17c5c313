package ledger

import (
	"context"
	"fmt"
	"strconv"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// itemMoves are an item's moves by id, and its issues once more in the order of their numbers.
type itemMoves struct {
	byID   table[string, seckill.Move]
	issues []seckill.Move
}

// The names of adjust moves that no operator gives.
const (
	nameAllotment = "allotment"
	nameOwed      = "owed:" // and the epoch whose Rebuild paid
)

// newMove describes a change of a stock by what it is called for that item.
func newMove(s seckill.Stock, kind seckill.MoveKind, name string, units int64) seckill.Move {
	return seckill.Move{ID: moveID(kind, s.Item, name), Item: s.Item, Kind: kind, Epoch: s.Epoch, Units: units, At: s.ReadAt}
}

func moveID(kind seckill.MoveKind, item seckill.ID, name string) string {
	return string(kind) + ":" + item.String() + ":" + name
}

// newReturn describes the return of a claim, which is called after the claim alone.
func newReturn(s seckill.Stock, c seckill.Claim) seckill.Move {
	move := newMove(s, seckill.MoveReturn, "", c.Quantity)
	move.ID = string(seckill.MoveReturn) + ":" + c.ID.String()
	return move
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// writeMoves writes moves of one item that checkStock has let through.
func (db *database) writeMoves(item seckill.ID, moves []seckill.Move) {
	if len(moves) == 0 {
		return
	}
	of := db.moves.get(item)
	if of == nil {
		db.moves.put(item, itemMoves{})
		of = db.moves.get(item)
	}
	for _, move := range moves {
		of.byID.put(move.ID, move)
		if move.Kind == seckill.MoveIssue {
			of.issues = append(of.issues, move)
		}
	}
}

// movesOf are an item's moves; without any it is empty, and not to be written to.
func (db *database) movesOf(item seckill.ID) *itemMoves {
	if of := db.moves.get(item); of != nil {
		return of
	}
	return &itemMoves{}
}

// Moves implements seckill.Stocks.
func (s Stocks) Moves(ctx context.Context, item seckill.ID, epoch, after int64) (moves []seckill.Move, err error) {
	err = s.on(ctx, s.router.home(item), func(db *database) error {
		for _, issue := range db.movesOf(item).issues {
			if issue.Epoch == epoch && issue.Issue > after {
				moves = append(moves, issue)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read moves of item %s: %w", item, err)
	}
	return moves, nil
}
