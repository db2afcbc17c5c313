package sim

import "sync"

// hands are goroutines that do one thing after another. What a new one costs most is the growth of its stack.
type hands struct {
	mu   sync.Mutex
	idle []chan func()
	over bool
}

// carry has one of them do something.
func (h *hands) carry(do func()) {
	hand := h.take()
	if hand == nil {
		hand = make(chan func(), 1)
		go h.work(hand)
	}
	hand <- do
}

// take is one that has nothing to do, or nil.
func (h *hands) take() chan func() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.idle) == 0 {
		return nil
	}
	last := len(h.idle) - 1
	hand := h.idle[last]
	h.idle = h.idle[:last]
	return hand
}

func (h *hands) work(hand chan func()) {
	for do := range hand {
		do()
		h.rest(hand)
	}
}

// rest lets one wait for more, if there will be more.
func (h *hands) rest(hand chan func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		close(hand)
		return
	}
	h.idle = append(h.idle, hand)
}

// end lets all of them go, who still does something after that.
func (h *hands) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.over = true
	for _, hand := range h.idle {
		close(hand)
	}
	h.idle = nil
}
