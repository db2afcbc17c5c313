package httpapi

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// patience is a request's deadline whose timer is only made when somebody waits for it: most answers come from memory, and
// a timer costs more than they do.
type patience struct {
	request context.Context
	until   time.Time

	once  sync.Once
	timed atomic.Pointer[timed]
}

type timed struct {
	context.Context

	cancel context.CancelFunc
}

func newPatience(request context.Context, within time.Duration) *patience {
	return &patience{request: request, until: time.Now().Add(within)}
}

// end is for when the request is answered.
func (p *patience) end() {
	if t := p.timed.Load(); t != nil {
		t.cancel()
	}
}

// Done implements context.Context.
func (p *patience) Done() <-chan struct{} {
	p.once.Do(func() {
		ctx, cancel := context.WithDeadline(p.request, p.until)
		p.timed.Store(&timed{ctx, cancel})
	})
	return p.timed.Load().Done()
}

// Deadline implements context.Context.
func (p *patience) Deadline() (time.Time, bool) {
	if sooner, ok := p.request.Deadline(); ok && sooner.Before(p.until) {
		return sooner, true
	}
	return p.until, true
}

// Err implements context.Context.
func (p *patience) Err() error {
	if t := p.timed.Load(); t != nil {
		return t.Err()
	}
	if !time.Now().Before(p.until) {
		return context.DeadlineExceeded
	}
	return p.request.Err()
}

// Value implements context.Context. What is derived from a context with a timer finds it there, and needs no goroutine.
func (p *patience) Value(key any) any {
	if t := p.timed.Load(); t != nil {
		return t.Value(key)
	}
	return p.request.Value(key)
}
