package purchase

import (
	"slices"
	"sync"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// waiters are the long polls, by item and reservation. Each waits on its own channel with room for the one claim that it
// will hear of.
type waiters struct {
	mu    sync.Mutex
	items map[seckill.ID]map[seckill.ID][]chan seckill.Claim
	count int
	max   int
	// announced are waited-for reservations that are said to be decided; due has room for one and says that there are some.
	announced map[seckill.ID]map[seckill.ID]bool
	due       chan struct{}
}

func newWaiters(most int) *waiters {
	return &waiters{
		items: map[seckill.ID]map[seckill.ID][]chan seckill.Claim{}, max: most,
		announced: map[seckill.ID]map[seckill.ID]bool{}, due: make(chan struct{}, 1),
	}
}

// join returns a channel that will yield the decided claim; false when there are too many.
func (w *waiters) join(item, id seckill.ID) (chan seckill.Claim, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.count >= w.max {
		return nil, false
	}
	if w.items[item] == nil {
		w.items[item] = map[seckill.ID][]chan seckill.Claim{}
	}
	wake := make(chan seckill.Claim, 1)
	w.items[item][id] = append(w.items[item][id], wake)
	w.count++
	return wake, true
}

// leave forgets a waiter, woken or not.
func (w *waiters) leave(item, id seckill.ID, wake chan seckill.Claim) {
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

// wake hands a decided claim to everybody who waits for it.
func (w *waiters) wake(item seckill.ID, claim seckill.Claim) {
	w.mu.Lock()
	defer w.mu.Unlock()
	waiting := w.items[item][claim.ID]
	if len(waiting) == 0 {
		return
	}
	w.count -= len(waiting)
	w.set(item, claim.ID, nil)
	for _, wake := range waiting {
		wake <- claim
	}
}

func (w *waiters) set(item, id seckill.ID, waiting []chan seckill.Claim) {
	if len(waiting) > 0 {
		w.items[item][id] = waiting
		return
	}
	delete(w.items[item], id)
	if len(w.items[item]) == 0 {
		delete(w.items, item)
	}
}

// announce notes those of the decisions that somebody waits for.
func (w *waiters) announce(decisions []seckill.Decision) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, decision := range decisions {
		if len(w.items[decision.Item][decision.Reservation]) == 0 {
			continue
		}
		if w.announced[decision.Item] == nil {
			w.announced[decision.Item] = map[seckill.ID]bool{}
		}
		w.announced[decision.Item][decision.Reservation] = true
	}
	if len(w.announced) > 0 {
		select {
		case w.due <- struct{}{}:
		default:
		}
	}
}

// decided takes what was announced.
func (w *waiters) decided() map[seckill.ID][]seckill.ID {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := listed(w.announced)
	clear(w.announced)
	return taken
}

// waited are the reservations somebody waits for.
func (w *waiters) waited() map[seckill.ID][]seckill.ID {
	w.mu.Lock()
	defer w.mu.Unlock()
	return listed(w.items)
}

func listed[V any](items map[seckill.ID]map[seckill.ID]V) map[seckill.ID][]seckill.ID {
	all := make(map[seckill.ID][]seckill.ID, len(items))
	for item, ids := range items {
		for id := range ids {
			all[item] = append(all[item], id)
		}
	}
	return all
}
