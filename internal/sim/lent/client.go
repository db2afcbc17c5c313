package lent

import (
	"context"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

var (
	_ seckill.Lent          = (*Client)(nil)
	_ seckill.Announcements = (*Client)(nil)
)

// Client is how one actor reaches Redis.
type Client struct {
	redis  *Redis
	pinned *Server
}

// Client is a new one; it talks to the primary.
func (r *Redis) Client() *Client { return &Client{redis: r} }

// Pin has the client stay with the server that is the primary now, whatever becomes of that.
func (c *Client) Pin() {
	c.redis.mu.Lock()
	defer c.redis.mu.Unlock()
	c.pinned = c.redis.primary
}

// Follow has the client talk to the primary of the moment again.
func (c *Client) Follow() {
	c.redis.mu.Lock()
	defer c.redis.mu.Unlock()
	c.pinned = nil
}

// script is one of the scripts with its arguments: what it does to an item, and what it answers. With an error it has
// changed nothing. It may be run again, so whatever it keeps of its arguments is never changed.
type script[T any] func(i *item, m moment) (T, error)

// write carries a script out and logs it.
func write[T any](ctx context.Context, c *Client, name string, id seckill.ID, do script[T]) (T, error) {
	return carryOut(ctx, c, name, id, do, true)
}

// read carries a script out that writes nothing.
func read[T any](ctx context.Context, c *Client, name string, id seckill.ID, do script[T]) (T, error) {
	return carryOut(ctx, c, name, id, do, false)
}

func carryOut[T any](ctx context.Context, c *Client, name string, id seckill.ID, do script[T], writes bool) (T, error) {
	var nothing T
	if err := ctx.Err(); err != nil {
		return nothing, fmt.Errorf("%s: %w: %w", name, seckill.ErrUnavailable, err)
	}
	c.redis.mu.Lock()
	defer c.redis.mu.Unlock()
	if c.redis.down {
		return nothing, fmt.Errorf("%s: %w: redis is down", name, seckill.ErrUnavailable)
	}
	s := c.server()
	m := s.moment()
	answer, err := do(s.data.item(id, m), m)
	if err != nil {
		return nothing, fmt.Errorf("%s: %w", name, err)
	}
	if writes {
		s.write(func(d dataset) { _, _ = do(d.item(id, m), m) })
	}
	return answer, nil
}

// server is whom the client talks to.
func (c *Client) server() *Server {
	if c.pinned != nil {
		return c.pinned
	}
	return c.redis.primary
}

// between lets others in between two scripts of one call.
func (c *Client) between(what string) error {
	if c.redis.Between == nil {
		return nil
	}
	return c.redis.Between(what)
}

// done is the answer of scripts that say no more than ok.
type done struct{}
