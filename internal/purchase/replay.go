package purchase

import (
	"context"
	"errors"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// replay decides what a local refusal is worth. Without a key it stands. With one it stands only if the key is not known:
// known is true when Redis holds it, so that the request must go on; a receipt without error answers it at once.
func (s *Service) replay(ctx context.Context, l *listing, request Request, refusal *seckill.Refusal) (Receipt, bool, error) {
	if refusal.Reason == seckill.Busy {
		s.ports.Metrics.hit(BoundState)
		return Receipt{}, false, s.busy(refusal.Detail)
	}
	if request.Key == "" {
		return Receipt{}, false, refusal
	}
	if r := l.state.Load(); r.fresh(s.clock.Now()) && r.state.Live {
		return s.lookKey(ctx, l, request, refusal)
	}
	receipt, err := s.closedKey(ctx, l, request, refusal)
	return receipt, false, err
}

func keyOf(request Request) seckill.LookRequest {
	return seckill.LookRequest{User: request.User, KeyHash: seckill.KeyHash(request.Key, 0)}
}

func (s *Service) lookKey(ctx context.Context, l *listing, request Request, refusal *seckill.Refusal) (Receipt, bool, error) {
	answer, err := l.looking.do(ctx, keyOf(request))
	if errors.Is(err, seckill.ErrNotLive) {
		return Receipt{}, false, s.busy("the item is not being sold at the moment")
	}
	if err != nil {
		return Receipt{}, false, s.outage("redis", fmt.Errorf("look for a key of item %s: %w", l.id, err))
	}
	if !answer.Found {
		return Receipt{}, false, refusal
	}
	return Receipt{}, true, nil
}

// closedKey answers a keyed request for an item that Redis does not sell any more. Only a closed stock with nothing in
// doubt proves that a key without a claim is unknown, and the stock is read before the claims: a claim that comes in
// between is seen.
func (s *Service) closedKey(ctx context.Context, l *listing, request Request, refusal *seckill.Refusal) (Receipt, error) {
	final := l.closed.Load()
	if !final {
		stock, err := s.stock(ctx, l)
		if err != nil {
			return Receipt{}, err
		}
		if stock.State != seckill.StockClosed {
			return Receipt{}, s.busy("the sale is being closed")
		}
		final = stock.Doubt == 0
	}
	claim, err := l.keys.do(ctx, keyOf(request))
	switch {
	case err != nil:
		return Receipt{}, s.outage("database", fmt.Errorf("find a key of item %s: %w", l.id, err))
	case claim != nil:
		return s.claimed(ctx, l, request, claim)
	case final:
		return Receipt{}, refusal
	default:
		return Receipt{}, s.busy("the sale is being closed")
	}
}

// replayShut is what busy is worth while the queue takes no orders: somebody with a key may hold a unit already and must
// not be sent away. What was confirmed before stays promised; of an unsent batch only the id can be told. A process without
// its database promises nothing.
func (s *Service) replayShut(
	ctx context.Context, l *listing, request Request, bound Bound, busy *seckill.Refusal,
) (Receipt, error) {
	if request.Key == "" || bound == BoundHeartbeat {
		return Receipt{}, busy
	}
	t0 := s.clock.Now()
	answer, err := l.looking.do(ctx, keyOf(request))
	entry := answer.Entry
	switch {
	case err != nil || !answer.Found:
		return Receipt{}, busy
	case entry.Quantity == 0:
		return s.givenBack(ctx, l, request, entry.ID)
	case entry.Quantity != request.Quantity:
		return Receipt{}, mismatch()
	case entry.Unsent || s.clock.Now().Sub(t0) > seckill.AcceptWindow:
		return Receipt{}, s.unknown(l.id, entry.ID)
	}
	return Receipt{Replayed: true, Reservation: seckill.Reservation{
		ID: entry.ID, Item: l.id, User: request.User, Quantity: entry.Quantity, State: seckill.ReservationQueued,
	}}, nil
}

// givenBack answers a replay of a reservation that Redis only remembers: the claim says how it ended.
func (s *Service) givenBack(ctx context.Context, l *listing, request Request, id seckill.ID) (Receipt, error) {
	select {
	case s.givenBackReads <- struct{}{}:
		defer func() { <-s.givenBackReads }()
	default:
		s.ports.Metrics.hit(BoundGivenBack)
		return Receipt{}, s.busy("too many look-ups of what was given back")
	}
	claim, err := s.claim(ctx, l, id)
	if err != nil {
		return Receipt{}, err
	}
	if claim == nil {
		return Receipt{}, s.busy("the reservation is being decided")
	}
	return s.claimed(ctx, l, request, claim)
}

// claimed is the replay of a claim.
func (s *Service) claimed(ctx context.Context, l *listing, request Request, claim *seckill.Claim) (Receipt, error) {
	reservation, err := s.told(ctx, l, claim)
	if err != nil {
		return Receipt{}, err
	}
	if reservation.Quantity != request.Quantity {
		return Receipt{}, mismatch()
	}
	return Receipt{Reservation: reservation, Replayed: true}, nil
}
