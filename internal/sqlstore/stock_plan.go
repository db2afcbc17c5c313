package sqlstore

import (
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// What becomes of a locked stock row, decided without I/O. Each function changes the copy it is given, by the clock the
// row was read with, and says whether there is anything to write.

// sealStock moves open -> sealing. changed is also true when only final or the time of close was noted.
func sealStock(s *seckill.Stock, request seckill.SealRequest) (sealed, changed bool) {
	if s.State == seckill.StockClosed || (request.Epoch != 0 && request.Epoch != s.Epoch) {
		return false, false
	}
	if request.Final && !s.Final {
		s.Final, changed = true, true
	}
	if s.State == seckill.StockOpen {
		s.State, s.Since = seckill.StockSealing, s.ReadAt
		sealed, changed = true, true
	}
	// Close is since + gate + window + margin; since is moved so far back that close is now.
	past := s.ReadAt.Add(-s.Gate - seckill.AcceptWindow - seckill.CloseMargin)
	if request.PastClose && s.State == seckill.StockSealing && s.Since.After(past) {
		s.Since, changed = past, true
	}
	return sealed, changed
}

// rebuildStock ends an epoch and begins the next one, or closes the item.
func rebuildStock(s *seckill.Stock, r seckill.Rebuild) ([]seckill.Move, bool) {
	if s.Halted != "" || s.State != r.From || s.Epoch != r.Epoch {
		return nil, false
	}
	// The lock itself was one touch. A message that was settled after the keeper looked may have said that more was
	// promised than Target, and a load that has progressed is alive.
	if r.Version != 0 && s.Version != r.Version+1 {
		return nil, false
	}
	var moves []seckill.Move
	switch r.From {
	case seckill.StockNew:
	case seckill.StockLoading:
		if s.Attempt != r.Attempt {
			return nil, false
		}
		moves = endEpoch(s, 0)
	case seckill.StockSealing:
		moves = endEpoch(s, r.Target-s.Accounted)
		s.SealedAt = s.ReadAt
	default:
		return nil, false
	}
	s.Epoch, s.High, s.Accounted = s.Epoch+1, 0, 0
	s.Since, s.Progress, s.ClaimedAt = s.ReadAt, s.ReadAt, time.Time{}
	moves = append(moves, payDecrease(s)...)
	if s.Final {
		s.State, s.Attempt = seckill.StockClosed, 0
		return moves, true
	}
	s.State, s.Attempt = seckill.StockLoading, r.NextAttempt
	return append(moves, lendPool(s)), true
}

// endEpoch takes everything back that is lent. What may have been promised and was not seen stays in doubt: a late
// message still finds its units there.
func endEpoch(s *seckill.Stock, promised int64) []seckill.Move {
	doubt := max(0, min(s.Lent, promised))
	rest := s.Lent - doubt
	s.Doubt, s.Pool, s.Lent = s.Doubt+doubt, s.Pool+rest, 0
	var moves []seckill.Move
	if doubt > 0 {
		moves = append(moves, newMove(*s, seckill.MoveDoubt, number(s.Epoch), doubt))
	}
	if rest > 0 {
		moves = append(moves, newMove(*s, seckill.MoveSeal, number(s.Epoch), rest))
	}
	return moves
}

// payDecrease takes owed decreases out of pool and allotted as far as it goes. What is missing is not owed further: the
// two moves say it, and the keeper tells the operator.
func payDecrease(s *seckill.Stock) []seckill.Move {
	if s.OwedDecrease == 0 {
		return nil
	}
	name := nameOwed + number(s.Epoch)
	moves := []seckill.Move{newMove(*s, seckill.MoveOwe, name, -s.OwedDecrease)}
	taken := min(s.OwedDecrease, s.Pool)
	s.OwedDecrease = 0
	if taken > 0 {
		s.Pool, s.Allotted = s.Pool-taken, s.Allotted-taken
		moves = append(moves, newMove(*s, seckill.MoveAdjust, name, -taken))
	}
	return moves
}

// lendPool lends the whole pool, which may be empty: an epoch begins with an issue, because Redis needs its number.
func lendPool(s *seckill.Stock) seckill.Move {
	s.Issue++
	move := newMove(*s, seckill.MoveIssue, number(s.Issue), s.Pool)
	move.Issue = s.Issue
	s.Pool, s.Lent = 0, s.Lent+s.Pool
	return move
}

// mayIssue says whether there is anything to lend, and somebody to lend it to.
func mayIssue(s seckill.Stock) bool {
	return s.State == seckill.StockOpen && s.Halted == "" && s.Pool > 0
}

// mayRelease says whether units are in doubt that nobody can be waiting for any more.
func mayRelease(s seckill.Stock) bool {
	return s.Doubt > 0 && s.IsPastDoubt()
}

// releaseDoubt gives up waiting. Doubt grows only by a seal, which also changes the epoch, so one epoch sees at most
// one release.
func releaseDoubt(s *seckill.Stock) seckill.Move {
	move := newMove(*s, seckill.MoveSettle, number(s.Epoch), s.Doubt)
	s.Pool, s.Doubt = s.Pool+s.Doubt, 0
	return move
}

// takable is the most that a decrease may ask for: what nobody has claimed and no earlier decrease will take.
func takable(s seckill.Stock) int64 {
	if s.State == seckill.StockClosed {
		return 0
	}
	return max(0, s.Pool+s.Lent+s.Doubt-s.OwedDecrease)
}

// adjustStock decides a new adjustment. Its own move is written also when nothing changes at once: it is how the op is
// known again. What is lent can only be taken from Redis by ending the epoch.
func adjustStock(s *seckill.Stock, a seckill.Adjustment) (seckill.Adjusted, []seckill.Move) {
	largest := takable(*s)
	if s.State == seckill.StockClosed || a.Delta < -largest {
		return seckill.Adjusted{Refused: true, Largest: largest}, nil
	}
	taken := max(a.Delta, -s.Pool)
	owed := taken - a.Delta
	s.Allotted, s.Pool, s.OwedDecrease = s.Allotted+taken, s.Pool+taken, s.OwedDecrease+owed
	moves := []seckill.Move{newMove(*s, seckill.MoveAdjust, a.Op, taken)}
	if owed > 0 {
		sealStock(s, seckill.SealRequest{Item: s.Item})
		moves = append(moves, newMove(*s, seckill.MoveOwe, a.Op, owed))
	}
	return seckill.Adjusted{Taken: taken, Owed: owed}, moves
}

// returned is what giving claims back comes to.
type returned struct {
	claims []seckill.ID
	units  int64
	moves  []seckill.Move
	owed   []seckill.Owed
}

// returnClaims gives back those of the claims that are held. Redis lets the buyer have as many again, unless OneTry keeps
// what is given back counted.
func returnClaims(s *seckill.Stock, claims []seckill.Claim) returned {
	var back returned
	for _, c := range claims {
		if c.Item != s.Item || c.State != seckill.ClaimHeld {
			continue
		}
		s.Claimed, s.Pool = s.Claimed-c.Quantity, s.Pool+c.Quantity
		back.claims = append(back.claims, c.ID)
		back.units += c.Quantity
		back.moves = append(back.moves, newReturn(*s, c))
		if !s.OneTry {
			back.owed = append(back.owed, owedBuyer(*s, c, 0, c.KeyHash))
		}
	}
	return back
}
