package keeper

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// picture is what Redis showed of the open items, before SQL was read.
type picture struct {
	begun  time.Time
	states map[seckill.ID]seckill.LentState
}

// Survey is the last picture that a job of a shard has taken, for the others: with a thousand open items each look costs
// Redis a thousand calls, and four jobs would look several times a second.
type Survey struct {
	mu   sync.Mutex
	last picture
}

// NewSurvey returns one that has seen nothing.
func NewSurvey() *Survey { return &Survey{} }

func (s *Survey) keep(p picture) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.begun.After(s.last.begun) {
		s.last = p
	}
}

func (s *Survey) latest() picture {
	if s == nil {
		return picture{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// look shows the job's open items in Redis as they were at most so long ago. With an error it shows those that did answer.
func (p Ports) look(ctx context.Context, within time.Duration) (picture, error) {
	if last := p.Survey.latest(); within > 0 && p.Clock.Now().Sub(last.begun) <= within {
		return last, nil
	}
	redis := picture{begun: p.Clock.Now()}
	items, listing := p.openItems(ctx)
	var reading error
	redis.states, reading = p.statesOf(ctx, items)
	err := errors.Join(listing, reading)
	if err == nil {
		p.Survey.keep(redis)
	}
	return redis, err
}
