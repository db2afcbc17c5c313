package purchase

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// turnstile counts who is inside, and can be closed for newcomers.
type turnstile struct {
	inside atomic.Int64
	shut   atomic.Bool
	once   sync.Once
	// vacant is closed when the turnstile is closed and nobody is inside.
	vacant chan struct{}
}

func newTurnstile() *turnstile { return &turnstile{vacant: make(chan struct{})} }

// enter counts a newcomer; false once the turnstile is closed.
func (t *turnstile) enter() bool {
	t.inside.Add(1)
	if t.shut.Load() {
		t.leave()
		return false
	}
	return true
}

// follow counts somebody whom one who is still inside (here, or at the turnstile before) lets in, closed or not.
func (t *turnstile) follow() { t.inside.Add(1) }

func (t *turnstile) leave() {
	if t.inside.Add(-1) == 0 && t.shut.Load() {
		t.once.Do(func() { close(t.vacant) })
	}
}

func (t *turnstile) closed() bool { return t.shut.Load() }

// empty closes the turnstile and waits until nobody is inside. It may be called again.
func (t *turnstile) empty(ctx context.Context) error {
	t.inside.Add(1) // ourselves, so that the last to leave after closing is always seen
	t.shut.Store(true)
	t.leave()
	select {
	case <-t.vacant:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for %d in flight: %w", t.inside.Load(), context.Cause(ctx))
	}
}
