package purchase

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// find says how a reservation stands now. The claim decides; without one it may still be on its way from Redis.
func (s *Service) find(ctx context.Context, l *listing, user seckill.UserID, id seckill.ID) (seckill.Reservation, error) {
	claim, err := s.claim(ctx, l, id)
	if err != nil {
		return seckill.Reservation{}, err
	}
	if claim != nil {
		return s.own(ctx, l, user, claim)
	}
	if !l.closed.Load() {
		answer, err := s.lookPromised(ctx, l, seckill.LookRequest{User: user, ID: id})
		switch {
		case err == nil && unsent(answer):
			return seckill.Reservation{}, s.busy(onItsWay)
		case err == nil && answer.Found && answer.Entry.Quantity > 0:
			return seckill.Reservation{
				ID: id, Item: l.id, User: user, Quantity: answer.Entry.Quantity, State: seckill.ReservationQueued,
			}, nil
		case err == nil && answer.Found:
			return s.findAgain(ctx, l, user, id, false) // given back: there is a claim that says so
		case err == nil:
			return s.findUnlessDoubt(ctx, l, user, id, true)
		case !errors.Is(err, seckill.ErrNotLive):
			return seckill.Reservation{}, s.outage("redis", fmt.Errorf("look for reservation %s: %w", id, err))
		}
	}
	return s.findUnlessDoubt(ctx, l, user, id, false)
}

// Between the confirm of a batch and what Redis learns of it lie sentEvery and a call; who comes in between waits for it.
const (
	sentPause = 2 * sentEvery
	sentLooks = 4
	onItsWay  = "the reservation is on its way to the queue"
)

// lookPromised asks Redis, and a few times more while a batch it finds is unsent: saying queued of what nobody has confirmed
// would be a promise that is lost together with this Redis.
func (s *Service) lookPromised(ctx context.Context, l *listing, request seckill.LookRequest) (seckill.LookAnswer, error) {
	answer, err := l.looking.do(ctx, request)
	for range sentLooks {
		if err != nil || !unsent(answer) {
			break
		}
		select {
		case <-s.clock.After(sentPause):
		case <-ctx.Done():
			return answer, nil
		}
		answer, err = l.looking.do(ctx, request)
	}
	return answer, err
}

func unsent(answer seckill.LookAnswer) bool {
	return answer.Entry.Unsent || slices.ContainsFunc(answer.Held, func(e seckill.BuyerEntry) bool { return e.Unsent })
}

// findUnlessDoubt looks a last time. asked says that an open epoch does not know the reservation. The stock is read
// before the claims, so that a straggler that is settled in between is seen. That nothing is in doubt proves little while
// stragglers may come: one of which nobody knew may have taken what was kept for this one.
func (s *Service) findUnlessDoubt(ctx context.Context, l *listing, user seckill.UserID, id seckill.ID, asked bool) (seckill.Reservation, error) {
	stock, err := s.stock(ctx, l)
	if err != nil {
		return seckill.Reservation{}, err
	}
	over := asked && stock.IsPastDoubt() || stock.State == seckill.StockClosed || stock.State == seckill.StockNew
	return s.findAgain(ctx, l, user, id, over && stock.Doubt == 0)
}

// findAgain reads the claim once more; missing says what its absence means.
func (s *Service) findAgain(ctx context.Context, l *listing, user seckill.UserID, id seckill.ID, missing bool) (seckill.Reservation, error) {
	claim, err := s.claim(ctx, l, id)
	switch {
	case err != nil:
		return seckill.Reservation{}, err
	case claim != nil:
		return s.own(ctx, l, user, claim)
	case missing:
		return seckill.Reservation{}, noReservation()
	default:
		return seckill.Reservation{}, s.busy("the reservation cannot be looked up at the moment")
	}
}

// own shows a claim to its owner only.
func (s *Service) own(ctx context.Context, l *listing, user seckill.UserID, claim *seckill.Claim) (seckill.Reservation, error) {
	if claim.User != user {
		return seckill.Reservation{}, noReservation()
	}
	return s.told(ctx, l, claim)
}

func noReservation() *seckill.Refusal {
	return seckill.Refuse(seckill.NotFound, "there is no such reservation")
}

// Mine are the caller's reservations of an item: the claims, and what Redis holds that has no claim yet. While Redis may
// hold something that cannot be seen, the answer is busy rather than a list that leaves it out.
func (s *Service) Mine(ctx context.Context, user seckill.UserID, item seckill.ID) ([]seckill.Reservation, error) {
	l, err := s.resolve(ctx, item)
	if err != nil {
		return nil, err
	}
	entries, err := s.entries(ctx, l, user)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.CallTimeout)
	defer cancel()
	claims, err := s.ports.Claims.OfUser(ctx, item, user)
	if err != nil {
		return nil, s.outage("database", fmt.Errorf("read claims of a user of item %s: %w", item, err))
	}
	return mine(l.id, user, claims, entries), nil
}

// entries are what Redis holds for the user. An item that is new or closed holds nothing.
func (s *Service) entries(ctx context.Context, l *listing, user seckill.UserID) ([]seckill.BuyerEntry, error) {
	if l.closed.Load() {
		return nil, nil
	}
	answer, err := s.lookPromised(ctx, l, seckill.LookRequest{User: user})
	if err == nil && unsent(answer) {
		return nil, s.busy(onItsWay)
	}
	if err == nil {
		return answer.Held, nil
	}
	if !errors.Is(err, seckill.ErrNotLive) {
		return nil, s.outage("redis", fmt.Errorf("look for a buyer of item %s: %w", l.id, err))
	}
	stock, err := s.stock(ctx, l)
	if err != nil {
		return nil, err
	}
	if (stock.State == seckill.StockClosed || stock.State == seckill.StockNew) && stock.Doubt == 0 {
		return nil, nil
	}
	return nil, s.busy("reservations cannot be looked up at the moment")
}

// mine merges both. A claim read after the entry was is the newer word; duplicates are shown by their first.
func mine(item seckill.ID, user seckill.UserID, claims []seckill.Claim, entries []seckill.BuyerEntry) []seckill.Reservation {
	reservations := make([]seckill.Reservation, 0, len(claims)+len(entries))
	known := make(map[seckill.ID]bool, len(claims))
	for _, claim := range claims {
		known[claim.ID] = true
		if claim.Reason != seckill.Duplicate {
			reservations = append(reservations, claim.Reservation())
		}
	}
	for _, reservation := range held(item, user, entries) {
		if !known[reservation.ID] {
			reservation.State = seckill.ReservationQueued
			reservations = append(reservations, reservation)
		}
	}
	return reservations
}
