package purchase

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// pollEvery is the rhythm in which claims of waited-for reservations are read, in case an announcement was lost.
const pollEvery = time.Second

// await looks until the reservation is decided, the wait is over or the service drains. What was found once stays the
// answer when a store goes away meanwhile: queued is still true.
func (s *Service) await(ctx context.Context, l *listing, user seckill.UserID, id seckill.ID, wait time.Duration) (seckill.Reservation, error) {
	found, err := s.find(ctx, l, user, id)
	if err != nil || wait <= 0 || found.State != seckill.ReservationQueued {
		return found, err
	}
	over := s.clock.After(wait)
	wake, ok := s.waiting.join(l.id, id)
	if !ok {
		s.ports.Metrics.hit(BoundWaiters)
		return found, nil
	}
	defer s.waiting.leave(l.id, id, wake)
	// Joined first and looked after it: what is decided from now on wakes us.
	next, err := s.find(ctx, l, user, id)
	if err != nil || next.State != seckill.ReservationQueued {
		return unlessBusy(found, next, err)
	}
	select {
	case claim := <-wake:
		decided, err := s.own(ctx, l, user, &claim)
		return unlessBusy(next, decided, err)
	case <-over:
	case <-ctx.Done():
	case <-s.draining:
	}
	return next, nil
}

func unlessBusy(before, now seckill.Reservation, err error) (seckill.Reservation, error) {
	if seckill.ReasonOf(err) == seckill.Busy {
		return before, nil
	}
	return now, err
}

// listen notes what workers announce. Reading the claims is left to another job, so that a slow database does not hold
// up the announcements and those that come meanwhile share the next read.
func (s *Service) listen(ctx context.Context) error {
	err := s.ports.Announcements.Listen(ctx, s.waiting.announce)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("listen for decisions: %w", err)
	}
	return nil
}

// wakeAnnounced reads the claims of what was announced, as soon as there is something.
func (s *Service) wakeAnnounced(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.waiting.due:
			if err := s.wakeDecided(ctx, s.waiting.decided()); err != nil {
				return err
			}
		}
	}
}

// poll reads the claims of everything that is waited for.
func (s *Service) poll(ctx context.Context) error { return s.wakeDecided(ctx, s.waiting.waited()) }

// wakeDecided wakes those who wait for a decided reservation, with one read per item and readMax reservations.
func (s *Service) wakeDecided(ctx context.Context, reservations map[seckill.ID][]seckill.ID) error {
	var failure error
	for _, item := range slices.Sorted(maps.Keys(reservations)) {
		for some := range slices.Chunk(reservations[item], readMax) {
			if err := s.wakeSome(ctx, item, some); err != nil {
				failure = err
			}
		}
	}
	return failure
}

func (s *Service) wakeSome(ctx context.Context, item seckill.ID, ids []seckill.ID) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.CallTimeout)
	defer cancel()
	claims, err := s.ports.Claims.Find(ctx, item, ids)
	if err != nil {
		return fmt.Errorf("read %d awaited claims of item %s: %w", len(ids), item, err)
	}
	for _, claim := range claims {
		if claim.Ordered || claim.State != seckill.ClaimHeld {
			s.waiting.wake(item, claim)
		}
	}
	return nil
}
