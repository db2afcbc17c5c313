package sim

import (
	"context"
	"errors"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
)

// outcome is the reservation that an unknown outcome names.
func (x *wish) outcome(err error) seckill.ID {
	var refusal *seckill.Refusal
	if errors.As(err, &refusal) && refusal.Reservation != 0 {
		return refusal.Reservation
	}
	return x.id
}

// duplicate says that what he was told of is the first claim of what he was promised.
func (x *wish) duplicate(first seckill.ID) (is bool) {
	x.ledger.Look(func(v ledger.View) {
		claim, exists := v.Claim(x.item, x.promise.id)
		is = exists && claim.Reason == seckill.Duplicate && claim.First == first
	})
	return is
}

// seenAs is what a look-up came to.
type seenAs struct {
	reservation seckill.Reservation
	err         error
}

// look asks how his reservation stands.
func (x *wish) look() {
	a, there := x.someAPI()
	if !there {
		x.later()
		return
	}
	id := x.id
	if x.promise != nil {
		id = x.promise.id
	}
	var wait time.Duration
	if x.random.IntN(2) == 0 {
		wait = between2(x.random, 0, 8*time.Second)
	}
	x.loop.trace.note("%s asks %s how %d stands", x.user, a.name, id)
	serve(a, func(ctx context.Context) (s seenAs) {
		s.reservation, s.err = a.buying.Status(ctx, x.user, x.item, id, wait)
		return s
	}, x.looked, x.unanswered)
}

func (x *wish) looked(s seenAs) {
	if s.err == nil {
		if x.promise == nil && s.reservation.State == seckill.ReservationRejected {
			return
		}
		x.told(s.reservation)
		if s.reservation.State == seckill.ReservationQueued || x.random.IntN(3) == 0 {
			x.later()
		}
		return
	}
	x.loop.trace.note("%s hears: %v", x.user, s.err)
	switch seckill.ReasonOf(s.err) {
	case seckill.Busy:
		x.later()
	case seckill.NotFound:
		if x.promise != nil && !x.promise.excused() && !x.book.unknown(x.promise) {
			x.broken("a promise is found", x.item, []any{x.promise.id, x.user}, "%s holds %s and is told that there is none", x.user, x.promise.id)
		}
	default:
		x.broken("errors are refusals", x.item, []any{x.user}, "%s is told %v", x.user, s.err)
	}
}
