package identity_test

import (
	"context"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/identity"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// handClock tells who waits for it that somebody has asked to be rung.
type handClock struct {
	*handclock.Clock
	asked chan struct{}
}

func newHandClock() *handClock {
	return &handClock{Clock: handclock.New(), asked: make(chan struct{}, 16)}
}

func (c *handClock) After(d time.Duration) <-chan time.Time {
	ring := c.Clock.After(d)
	c.asked <- struct{}{}
	return ring
}

// shelf is an account store in memory.
type shelf struct {
	mu   sync.Mutex
	rows map[seckill.UserID]seckill.Account
}

func (s *shelf) Create(_ context.Context, account seckill.Account) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.rows[account.User]; taken {
		return false, nil
	}
	s.rows[account.User] = account
	return true, nil
}

func (s *shelf) Find(_ context.Context, user seckill.UserID) (seckill.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	account, found := s.rows[user]
	if !found {
		return seckill.Account{}, seckill.ErrNotFound
	}
	return account, nil
}

type counter struct {
	mu   sync.Mutex
	last int
}

func (c *counter) Next(bucket int) (seckill.ID, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	return seckill.ComposeID(time.Date(2026, 3, 20, 10, 0, 0, 0, time.UTC).UnixMilli(), bucket, 1, c.last%seckill.SequencesMax), nil
}

// cheap is a hash cost for tests.
func cheap() identity.HashCost { return identity.HashCost{MemoryKiB: 8, Passes: 1, Threads: 1} }
