package lent

import (
	"context"
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	decisionsMax = 500  // decisions in one payload, as in internal/redis
	heardMax     = 1024 // payloads that wait for deliver; more are dropped
)

type listener struct{ heard chan []seckill.Decision }

// Announce implements seckill.Announcements.
func (c *Client) Announce(ctx context.Context, decisions []seckill.Decision) error {
	for some := range slices.Chunk(slices.Clone(decisions), decisionsMax) {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("announce: %w: %w", seckill.ErrUnavailable, err)
		}
		if err := c.redis.tell(some); err != nil {
			return fmt.Errorf("announce: %w", err)
		}
	}
	return nil
}

func (r *Redis) tell(decisions []seckill.Decision) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return fmt.Errorf("%w: redis is down", seckill.ErrUnavailable)
	}
	for _, l := range r.listeners {
		select {
		case l.heard <- decisions:
		default: // a lost one costs a poll
		}
	}
	return nil
}

// Listen implements seckill.Announcements. It returns nil when ctx ends.
func (c *Client) Listen(ctx context.Context, deliver func([]seckill.Decision)) error {
	l := &listener{heard: make(chan []seckill.Decision, heardMax)}
	c.redis.subscribe(l)
	defer c.redis.unsubscribe(l)
	for {
		select {
		case <-ctx.Done():
			return nil
		case decisions := <-l.heard:
			deliver(slices.Clone(decisions))
		}
	}
}

func (r *Redis) subscribe(l *listener) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listeners = append(r.listeners, l)
}

func (r *Redis) unsubscribe(l *listener) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listeners = slices.DeleteFunc(r.listeners, func(other *listener) bool { return other == l })
}
