package keeper

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// handClock moves only when told to.
type handClock struct {
	mu  sync.Mutex
	now time.Time
}

func newHandClock() *handClock { return &handClock{now: time.UnixMilli(1_800_000_000_000)} }

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) After(time.Duration) <-chan time.Time { return make(chan time.Time) }

func (c *handClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type oneShard struct{}

func (oneShard) Count() int    { return 1 }
func (oneShard) Shard(int) int { return 0 }

func discard() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// fakeMarks answers from fields.
type fakeMarks struct {
	seckill.Marks
	beats   []seckill.Heartbeat
	highest int64
}

func (m *fakeMarks) Heartbeats(_ context.Context, _ int, since time.Time) ([]seckill.Heartbeat, error) {
	var found []seckill.Heartbeat
	for _, beat := range m.beats {
		if beat.Begun.After(since) {
			found = append(found, beat)
		}
	}
	return found, nil
}

func (m *fakeMarks) Highest(context.Context, seckill.ID, int64) (int64, error) { return m.highest, nil }

// fakeQueue answers from a field.
type fakeQueue struct {
	state seckill.QueueState
	err   error
}

func (q *fakeQueue) Look(context.Context, int) (seckill.QueueState, error) { return q.state, q.err }

// fakeStocks holds one row and notes what was asked of it.
type fakeStocks struct {
	seckill.Stocks
	stock  seckill.Stock
	moves  []seckill.Move
	sealed []seckill.SealRequest
}

func (s *fakeStocks) Get(context.Context, seckill.ID) (seckill.Stock, error) { return s.stock, nil }

func (s *fakeStocks) Seal(_ context.Context, request seckill.SealRequest) (bool, error) {
	s.sealed = append(s.sealed, request)
	return true, nil
}

func (s *fakeStocks) Moves(_ context.Context, _ seckill.ID, _, after int64) ([]seckill.Move, error) {
	var later []seckill.Move
	for _, move := range s.moves {
		if move.Issue > after {
			later = append(later, move)
		}
	}
	return later, nil
}

// fakeLent answers one state and notes issues.
type fakeLent struct {
	seckill.Lent
	state  seckill.LentState
	err    error
	issued []int64
	onRead func()
}

func (l *fakeLent) States(context.Context, []seckill.ID) ([]seckill.LentState, error) {
	if l.onRead != nil {
		l.onRead()
	}
	return []seckill.LentState{l.state}, l.err
}

func (l *fakeLent) Issue(_ context.Context, move seckill.Move) error {
	l.issued = append(l.issued, move.Issue)
	return nil
}
