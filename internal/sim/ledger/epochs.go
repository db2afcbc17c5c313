package ledger

import (
	"context"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Seal implements seckill.Stocks.
func (s Stocks) Seal(ctx context.Context, request seckill.SealRequest) (sealed bool, err error) {
	_, _, err = s.change(ctx, request.Item, func(_ *database, stock *seckill.Stock) (outcome, error) {
		before := *stock
		if s.lack == LackSealEpoch {
			request.Epoch = 0
		}
		sealed = seal(stock, request)
		if *stock == before {
			return outcome{}, errUnchanged
		}
		return outcome{}, nil
	})
	return sealed && err == nil, err
}

// seal moves open -> sealing, or notes what is asked for without that.
func seal(s *seckill.Stock, request seckill.SealRequest) (sealed bool) {
	if s.State == seckill.StockClosed || request.Epoch != 0 && request.Epoch != s.Epoch {
		return false
	}
	s.Final = s.Final || request.Final
	if s.State == seckill.StockOpen {
		s.State, s.Since, sealed = seckill.StockSealing, s.ReadAt, true
	}
	// Close is since + gate + window + margin; since is moved so far back that close is now.
	past := s.ReadAt.Add(-s.Gate - seckill.AcceptWindow - seckill.CloseMargin)
	if request.PastClose && s.State == seckill.StockSealing && s.Since.After(past) {
		s.Since = past
	}
	return sealed
}

// Rebuild implements seckill.Stocks.
func (s Stocks) Rebuild(ctx context.Context, r seckill.Rebuild) (seckill.Stock, bool, error) {
	return s.change(ctx, r.Item, func(_ *database, stock *seckill.Stock) (outcome, error) {
		r := s.misjudge(*stock, r)
		if !mayRebuild(*stock, r) {
			return outcome{}, errUnchanged
		}
		if s.lack == LackIssueNumber {
			stock.Issue = 0
		}
		return outcome{moves: s.misname(rebuild(stock, r))}, nil
	})
}

// misjudge is a rebuild as it is asked for by who lacks something.
func (s Stocks) misjudge(stock seckill.Stock, r seckill.Rebuild) seckill.Rebuild {
	switch s.lack {
	case LackDoubt:
		r.Target = 0
	case LackRebuildVersion:
		r.Version = 0
	case LackRebuildEpoch:
		r.Epoch, r.Attempt, r.Version = stock.Epoch, stock.Attempt, 0
	default:
	}
	return r
}

// misname keeps issues whose numbers restart from having each other's names.
func (s Stocks) misname(moves []seckill.Move) []seckill.Move {
	for i := range moves {
		if s.lack == LackIssueNumber && moves[i].Kind == seckill.MoveIssue {
			moves[i].ID += ":" + number(moves[i].Epoch)
		}
	}
	return moves
}

// mayRebuild says whether all is as it was when this was judged. The lock itself was one touch.
func mayRebuild(s seckill.Stock, r seckill.Rebuild) bool {
	switch {
	case s.Halted != "" || s.State != r.From || s.Epoch != r.Epoch, r.Version != 0 && s.Version != r.Version+1:
		return false
	case r.From == seckill.StockLoading:
		return s.Attempt == r.Attempt
	default:
		return r.From == seckill.StockNew || r.From == seckill.StockSealing
	}
}

// rebuild ends an epoch and begins the next one, or closes the item.
func rebuild(s *seckill.Stock, r seckill.Rebuild) (moves []seckill.Move) {
	switch r.From {
	case seckill.StockLoading:
		moves = endEpoch(s, 0) // an epoch that was never opened promised nothing
	case seckill.StockSealing:
		moves = endEpoch(s, r.Target-s.Accounted)
		s.SealedAt = s.ReadAt
	default:
	}
	s.Epoch, s.High, s.Accounted = s.Epoch+1, 0, 0
	s.Since, s.Progress, s.ClaimedAt = s.ReadAt, s.ReadAt, time.Time{}
	moves = append(moves, payDecrease(s)...)
	if s.Final {
		s.State, s.Attempt = seckill.StockClosed, 0
		return moves
	}
	s.State, s.Attempt = seckill.StockLoading, r.NextAttempt
	return append(moves, lendPool(s))
}

// endEpoch takes back all that is lent, into doubt what may have been promised and was not seen.
func endEpoch(s *seckill.Stock, promised int64) (moves []seckill.Move) {
	doubt := max(0, min(s.Lent, promised))
	rest := s.Lent - doubt
	s.Doubt, s.Pool, s.Lent = s.Doubt+doubt, s.Pool+rest, 0
	if doubt > 0 {
		moves = append(moves, newMove(*s, seckill.MoveDoubt, number(s.Epoch), doubt))
	}
	if rest > 0 {
		moves = append(moves, newMove(*s, seckill.MoveSeal, number(s.Epoch), rest))
	}
	return moves
}

// payDecrease takes owed decreases out of pool and allotted as far as it goes, and forgets the rest.
func payDecrease(s *seckill.Stock) []seckill.Move {
	if s.OwedDecrease == 0 {
		return nil
	}
	name := nameOwed + number(s.Epoch)
	moves := []seckill.Move{newMove(*s, seckill.MoveOwe, name, -s.OwedDecrease)}
	taken := min(s.OwedDecrease, s.Pool)
	s.OwedDecrease, s.Pool, s.Allotted = 0, s.Pool-taken, s.Allotted-taken
	if taken > 0 {
		moves = append(moves, newMove(*s, seckill.MoveAdjust, name, -taken))
	}
	return moves
}

// lendPool lends the whole pool, which may be empty where an epoch begins.
func lendPool(s *seckill.Stock) seckill.Move {
	s.Issue++
	move := newMove(*s, seckill.MoveIssue, number(s.Issue), s.Pool)
	move.Issue = s.Issue
	s.Pool, s.Lent = 0, s.Lent+s.Pool
	return move
}

// Issue implements seckill.Stocks.
func (s Stocks) Issue(ctx context.Context, item seckill.ID) (move seckill.Move, issued bool, err error) {
	_, issued, err = s.change(ctx, item, func(_ *database, stock *seckill.Stock) (outcome, error) {
		if stock.State != seckill.StockOpen && s.lack != LackIssueState || stock.Halted != "" || stock.Pool == 0 {
			return outcome{}, errUnchanged
		}
		moves := s.misname([]seckill.Move{lendPool(stock)})
		move = moves[0]
		return outcome{moves: moves}, nil
	})
	if !issued {
		return seckill.Move{}, false, err
	}
	return move, true, nil
}

// ReleaseDoubt implements seckill.Stocks.
func (s Stocks) ReleaseDoubt(ctx context.Context, item seckill.ID) (units int64, err error) {
	_, _, err = s.change(ctx, item, func(_ *database, stock *seckill.Stock) (outcome, error) {
		waits := stock.ReadAt.Sub(stock.SealedAt) < seckill.DoubtFor && s.lack != LackDoubtTime
		if stock.Doubt == 0 || waits {
			return outcome{}, errUnchanged
		}
		units = stock.Doubt
		move := newMove(*stock, seckill.MoveSettle, number(stock.Epoch), units)
		stock.Pool, stock.Doubt = stock.Pool+units, 0
		return outcome{moves: []seckill.Move{move}}, nil
	})
	return units, err
}
