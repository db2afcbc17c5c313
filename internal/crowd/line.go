package crowd

import (
	"container/list"
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// line is where those wait who heard sold_out: units come back.
type line struct {
	mu      sync.Mutex
	waiting *list.List // of chan struct{}
	// over is closed when nothing comes back any more.
	over  chan struct{}
	ended sync.Once
	// outside counts the shoppers who neither stand in line nor have finished: their units may come back.
	outside atomic.Int64
}

func newLine(shoppers int) *line {
	l := &line{waiting: list.New(), over: make(chan struct{})}
	l.outside.Store(int64(shoppers))
	return l
}

// wait stands in line, perhaps in front, until called, or for so long. False: nothing comes back any more.
func (l *line) wait(ctx context.Context, front bool, patience time.Duration) bool {
	called := make(chan struct{})
	place := l.join(called, front)
	goesOn := l.stay(ctx, called, patience)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting.Remove(place) // which does nothing to somebody who was called
	return goesOn
}

// keepAway waits for so long where nobody is called. False: nothing comes back any more.
func (l *line) keepAway(ctx context.Context, patience time.Duration) bool {
	return l.stay(ctx, nil, patience)
}

func (l *line) stay(ctx context.Context, called <-chan struct{}, patience time.Duration) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-called:
		return true
	case <-timer.C:
		return true
	case <-l.over:
	case <-ctx.Done():
	}
	return false
}

func (l *line) join(called chan struct{}, front bool) *list.Element {
	l.mu.Lock()
	defer l.mu.Unlock()
	if front {
		return l.waiting.PushFront(called)
	}
	return l.waiting.PushBack(called)
}

// call tells so many that there is something, those first who have waited longest.
func (l *line) call(shoppers int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for ; shoppers > 0 && l.waiting.Len() > 0; shoppers-- {
		if called, ok := l.waiting.Remove(l.waiting.Front()).(chan struct{}); ok {
			close(called)
		}
	}
}

// end sends everybody home.
func (l *line) end() { l.ended.Do(func() { close(l.over) }) }

func (l *line) length() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(l.waiting.Len())
}
