package purchase

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// pollEvery is the rhythm in which claims of waited-for reservations are read, in case an announcement was lost.
const pollEvery = time.Second

// waiters are the long polls, by item and reservation.
type waiters struct {
	mu    sync.Mutex
	items map[seckill.ID]map[seckill.ID][]chan struct{}
	count int
	max   int
}

func newWaiters(most int) *waiters {
	return &waiters{items: map[seckill.ID]map[seckill.ID][]chan struct{}{}, max: most}
}

// join returns a channel that is closed when the reservation may be decided; false when there are too many.
func (w *waiters) join(item, id seckill.ID) (chan struct{}, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.count >= w.max {
		return nil, false
	}
	if w.items[item] == nil {
		w.items[item] = map[seckill.ID][]chan struct{}{}
	}
	wake := make(chan struct{})
	w.items[item][id] = append(w.items[item][id], wake)
	w.count++
	return wake, true
}

// leave forgets a waiter that was not woken.
func (w *waiters) leave(item, id seckill.ID, wake chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	waiting := w.items[item][id]
	i := slices.Index(waiting, wake)
	if i < 0 {
		return
	}
	w.count--
	w.set(item, id, slices.Delete(waiting, i, i+1))
}

// wake wakes everybody who waits for a reservation.
func (w *waiters) wake(item, id seckill.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	waiting := w.items[item][id]
	if len(waiting) == 0 {
		return
	}
	w.count -= len(waiting)
	w.set(item, id, nil)
	for _, wake := range waiting {
		close(wake)
	}
}

func (w *waiters) set(item, id seckill.ID, waiting []chan struct{}) {
	if len(waiting) > 0 {
		w.items[item][id] = waiting
		return
	}
	delete(w.items[item], id)
	if len(w.items[item]) == 0 {
		delete(w.items, item)
	}
}

// waited are the reservations somebody waits for.
func (w *waiters) waited() map[seckill.ID][]seckill.ID {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make(map[seckill.ID][]seckill.ID, len(w.items))
	for item, ids := range w.items {
		for id := range ids {
			all[item] = append(all[item], id)
		}
	}
	return all
}

// await looks until the reservation is decided, the wait is over or the service drains.
func (s *Service) await(ctx context.Context, l *listing, user seckill.UserID, id seckill.ID, wait time.Duration) (seckill.Reservation, error) {
	found, err := s.find(ctx, l, user, id)
	if err != nil || wait <= 0 || found.State != seckill.ReservationQueued {
		return found, err
	}
	over := s.clock.After(wait)
	for {
		wake, ok := s.waiting.join(l.id, id)
		if !ok {
			s.ports.Metrics.hit(BoundWaiters)
			return found, nil
		}
		// Joined first and looked after it: what is decided from now on wakes us.
		next, err := s.find(ctx, l, user, id)
		if err != nil || next.State != seckill.ReservationQueued {
			s.waiting.leave(l.id, id, wake)
			return s.better(found, next, err)
		}
		select {
		case <-wake:
			continue
		case <-over:
		case <-ctx.Done():
		case <-s.draining:
		}
		s.waiting.leave(l.id, id, wake)
		return next, nil
	}
}

// better keeps what was found when a later look hits a store that is away: queued is still true.
func (s *Service) better(found, next seckill.Reservation, err error) (seckill.Reservation, error) {
	if seckill.ReasonOf(err) == seckill.Busy {
		return found, nil
	}
	return next, err
}

// listen wakes whoever waits for what workers announce.
func (s *Service) listen(ctx context.Context) error {
	err := s.ports.Announcements.Listen(ctx, func(decisions []seckill.Decision) {
		for _, decision := range decisions {
			s.waiting.wake(decision.Item, decision.Reservation)
		}
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("listen for decisions: %w", err)
	}
	return nil
}

// poll reads the claims of everything that is waited for, one call per item and readMax reservations.
func (s *Service) poll(ctx context.Context) error {
	var failure error
	for item, ids := range s.waiting.waited() {
		for some := range slices.Chunk(ids, readMax) {
			if err := s.pollSome(ctx, item, some); err != nil {
				failure = err
			}
		}
	}
	return failure
}

func (s *Service) pollSome(ctx context.Context, item seckill.ID, ids []seckill.ID) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.CallTimeout)
	defer cancel()
	claims, err := s.ports.Claims.Find(ctx, item, ids)
	if err != nil {
		return fmt.Errorf("poll %d claims of item %s: %w", len(ids), item, err)
	}
	for _, claim := range claims {
		if claim.Ordered || claim.State != seckill.ClaimHeld {
			s.waiting.wake(item, claim.ID)
		}
	}
	return nil
}
