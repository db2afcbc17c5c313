package purchase

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

var (
	// errNothingTaken says that Redis decided nothing, errUnsure that it may have.
	errNothingTaken = errors.New("nothing was taken")
	errUnsure       = errors.New("the outcome is unknown")
)

// decision is what became of one request: what Redis said in the call that began at t0, and, beside it, an error when
// that is not known or not yet durable.
type decision struct {
	outcome seckill.ReserveOutcome
	t0      time.Time
}

// reserve asks Redis together with everybody else who wants the item now, and waits until the answer is durable.
func (s *Service) reserve(ctx context.Context, l *listing, request Request) (Receipt, error) {
	if bound, detail := s.closed(l.home); bound != "" {
		s.ports.Metrics.hit(bound)
		return s.replayShut(ctx, l, request, bound, s.busy(detail))
	}
	if refusal := s.enter(l); refusal != nil {
		return Receipt{}, refusal
	}
	defer s.leave(l)
	id, err := s.ports.IDs.Next(request.User.Bucket())
	if err != nil {
		return Receipt{}, s.outage("id generator", err)
	}
	d, err := l.reserving.do(ctx, seckill.ReserveRequest{
		ID: id, User: request.User, Quantity: request.Quantity, KeyHash: seckill.KeyHash(request.Key, id),
	})
	switch {
	case errors.Is(err, errFull), errors.Is(err, errWithdrawn), errors.Is(err, errNothingTaken):
		return Receipt{}, s.busy("the item cannot be sold at the moment")
	case err != nil && d.outcome.ID == 0:
		return Receipt{}, s.unknown(l.id, id)
	case err != nil:
		return Receipt{}, s.unknown(l.id, d.outcome.ID)
	}
	return s.receipt(ctx, l, request, id, d)
}

// receipt says to the shopper what Redis decided. id is the one that was chosen for the request.
func (s *Service) receipt(ctx context.Context, l *listing, request Request, id seckill.ID, d decision) (Receipt, error) {
	switch d.outcome.Code {
	case seckill.ReserveAccepted, seckill.ReserveReplayed, seckill.ReserveUnsent:
		// Confirmed, but a promise made later than this is one that a seal may not have waited for.
		if s.clock.Now().Sub(d.t0) > seckill.AcceptWindow {
			return Receipt{}, s.unknown(l.id, d.outcome.ID)
		}
		return Receipt{
			Reservation: seckill.Reservation{
				ID: d.outcome.ID, Item: l.id, User: request.User, Quantity: d.outcome.Quantity, State: seckill.ReservationQueued,
			},
			// Our own id may be known to Redis from a call whose reply was lost: that is no replay.
			Replayed: d.outcome.ID != id,
		}, nil
	case seckill.ReserveGivenBack:
		return s.givenBack(ctx, l, request, d.outcome.ID)
	case seckill.ReserveLimitReached:
		return Receipt{}, limited(l, request, d.outcome)
	default:
		return Receipt{}, refused(l, request, d.outcome)
	}
}

func refused(l *listing, request Request, outcome seckill.ReserveOutcome) error {
	switch outcome.Code {
	case seckill.ReserveMismatch:
		return mismatch()
	case seckill.ReserveNotStarted:
		return &seckill.Refusal{Reason: seckill.NotStarted, Detail: "the sale has not started", RetryAfter: time.Second}
	case seckill.ReserveEnded:
		return seckill.Refuse(seckill.Ended, "the sale has ended")
	case seckill.ReservePaused:
		return &seckill.Refusal{Reason: seckill.Paused, Detail: "the sale is paused", RetryAfter: pausedRetry}
	case seckill.ReserveSoldOut:
		return &seckill.Refusal{
			Reason: seckill.SoldOut, Available: outcome.Available,
			Detail: fmt.Sprintf("asked for %d, %d are left", request.Quantity, outcome.Available),
		}
	default:
		return fmt.Errorf("reserve item %s: redis answered code %d", l.id, outcome.Code)
	}
}

// limited refuses with what counts against the limit.
func limited(l *listing, request Request, outcome seckill.ReserveOutcome) error {
	return &seckill.Refusal{
		Reason: seckill.LimitReached,
		Detail: "with these it would be more than one person may have; look one up to see how it stands",
		Held:   held(l.id, request.User, outcome.Held),
	}
}

// held are a buyer's entries that count. Redis does not know how they stand: that is a look-up in SQL, and nobody is refused
// at that price.
func held(item seckill.ID, user seckill.UserID, entries []seckill.BuyerEntry) []seckill.Reservation {
	var reservations []seckill.Reservation
	for _, entry := range entries {
		if entry.Quantity > 0 {
			reservations = append(reservations, seckill.Reservation{ID: entry.ID, Item: item, User: user, Quantity: entry.Quantity})
		}
	}
	return reservations
}

func mismatch() *seckill.Refusal {
	return &seckill.Refusal{
		Reason: seckill.IdempotencyMismatch, Field: fieldKey, Detail: "the key was used for another quantity",
	}
}

func (s *Service) unknown(item, id seckill.ID) *seckill.Refusal {
	return &seckill.Refusal{
		Reason: seckill.UnknownOutcome, Detail: "repeat with the same key, or look the reservation up",
		Item: item, Reservation: id, RetryAfter: s.options.RetryAfter,
	}
}
