// Package handclock is a clock for tests: it stands still until it is moved by hand. Only tests may import it.
package handclock

import (
	"slices"
	"sync"
	"time"
)

// Clock is moved by Advance and Shift; any number of goroutines may use it.
type Clock struct {
	mu     sync.Mutex
	now    time.Time
	timers []timer
}

type timer struct {
	at   time.Time
	ring chan time.Time
}

// New returns a clock that shows the same moment in every test.
func New() *Clock {
	return &Clock{now: time.Date(2026, 3, 20, 10, 0, 0, 0, time.UTC)}
}

// Now is the moment it was moved to.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// After rings once, when Advance reaches the moment; never by itself, not even for a duration of zero.
func (c *Clock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := timer{at: c.now.Add(d), ring: make(chan time.Time, 1)}
	c.timers = append(c.timers, t)
	return t.ring
}

// Shift moves the time without ringing: the process was stopped and has not run its timers yet.
func (c *Clock) Shift(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Advance moves the time and rings what is due, in no order.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.timers = slices.DeleteFunc(c.timers, func(t timer) bool {
		due := !t.at.After(c.now)
		if due {
			t.ring <- c.now
		}
		return due
	})
}

// Pending counts the timers that have not rung.
func (c *Clock) Pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.timers)
}
