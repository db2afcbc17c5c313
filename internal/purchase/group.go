package purchase

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// errFull says that too many were waiting, errWithdrawn that the caller's patience ended before its question was taken:
// nothing was asked in either case.
// errAbandoned says that it ended afterwards: the answer is on its way and nobody will hear it.
var (
	errFull      = errors.New("too many are waiting")
	errWithdrawn = errors.New("withdrawn before it was asked")
	errAbandoned = errors.New("abandoned while the answer was on its way")
)

const (
	callWaiting int32 = iota
	callTaken
	callWithdrawn
)

// call is one caller's question inside a group.
type call[Q, A any] struct {
	question Q
	answer   A
	err      error
	state    atomic.Int32
	// done has room for one, so that whoever answers never waits for a caller that has left.
	done chan struct{}
}

// reply must be called exactly once for every call that run was given.
func (c *call[Q, A]) reply(answer A, err error) {
	c.answer, c.err = answer, err
	c.done <- struct{}{}
}

// group turns concurrent questions into one call at a time: a batch is what arrived while the previous call was in
// flight, and nothing is waited for. The goroutine that asks lives for one busy period, not for one question.
type group[Q, A any] struct {
	// run asks and replies to every call; it may leave replying to other goroutines. The slice is its own, and empty when
	// everybody withdrew.
	run func(ctx context.Context, calls []*call[Q, A])
	// room, if set, is called before a batch is taken: while it blocks, the batch grows and callers may still withdraw.
	room func()
	// max bounds a batch, waitingMax those who wait for one (who withdrew counts until the next batch is taken).
	max        int
	waitingMax int
	// tasks counts busy periods. base is what run gets: it belongs to no caller.
	tasks *turnstile
	base  context.Context

	mu    sync.Mutex
	queue []*call[Q, A]
	busy  bool
	calls sync.Pool
}

func (g *group[Q, A]) do(ctx context.Context, question Q) (A, error) {
	c := g.call(question)
	if !g.join(c) {
		var none A
		return none, errFull
	}
	select {
	case <-c.done:
	case <-ctx.Done():
		if c.state.CompareAndSwap(callWaiting, callWithdrawn) {
			return c.answer, errWithdrawn
		}
		select {
		case <-c.done: // both at once: the answer counts
		default:
			var none A
			return none, errAbandoned
		}
	}
	answer, err := c.answer, c.err
	g.recycle(c)
	return answer, err
}

func (g *group[Q, A]) call(question Q) *call[Q, A] {
	c, ok := g.calls.Get().(*call[Q, A])
	if !ok {
		c = &call[Q, A]{done: make(chan struct{}, 1)}
	}
	c.question = question
	return c
}

// recycle takes back a call that was answered and heard; nobody else knows it any more.
func (g *group[Q, A]) recycle(c *call[Q, A]) {
	var question Q
	var answer A
	c.question, c.answer, c.err = question, answer, nil
	c.state.Store(callWaiting)
	g.calls.Put(c)
}

func (g *group[Q, A]) join(c *call[Q, A]) bool {
	g.mu.Lock()
	if len(g.queue) >= g.waitingMax {
		g.mu.Unlock()
		return false
	}
	g.queue = append(g.queue, c)
	start := !g.busy
	g.busy = true
	g.mu.Unlock()
	if start {
		g.tasks.follow()
		go g.serve()
	}
	return true
}

func (g *group[Q, A]) serve() {
	defer g.tasks.leave()
	for g.more() {
		if g.room != nil {
			g.room()
		}
		g.run(g.base, g.take())
	}
}

// more ends the busy period when nothing is waiting.
func (g *group[Q, A]) more() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy = len(g.queue) > 0
	return g.busy
}

// take removes at most max calls, oldest first, without the withdrawn ones: it may return none.
func (g *group[Q, A]) take() []*call[Q, A] {
	g.mu.Lock()
	defer g.mu.Unlock()
	batch := make([]*call[Q, A], 0, min(len(g.queue), g.max))
	taken := 0
	for _, c := range g.queue {
		if len(batch) == g.max {
			break
		}
		taken++
		if c.state.CompareAndSwap(callWaiting, callTaken) {
			batch = append(batch, c)
		}
	}
	left := copy(g.queue, g.queue[taken:])
	clear(g.queue[left:])
	g.queue = g.queue[:left]
	return batch
}

// each replies to all calls of a batch alike.
func each[Q, A any](calls []*call[Q, A], answer A, err error) {
	for _, c := range calls {
		c.reply(answer, err)
	}
}

// questions are what the calls ask, in order.
func questions[Q, A any](calls []*call[Q, A]) []Q {
	asked := make([]Q, len(calls))
	for i, c := range calls {
		asked[i] = c.question
	}
	return asked
}
