package lent

import (
	"context"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// States implements seckill.Lent: state.lua, once for each item.
func (c *Client) States(ctx context.Context, items []seckill.ID) ([]seckill.LentState, error) {
	states := make([]seckill.LentState, 0, len(items))
	for n, id := range items {
		if n > 0 {
			if err := c.between("state"); err != nil {
				return states, fmt.Errorf("%d of %d items: %w", len(items)-n, len(items), err)
			}
		}
		state, err := read(ctx, c, "state", id, func(i *item, m moment) (seckill.LentState, error) { return i.state(m, id), nil })
		if err != nil {
			return states, fmt.Errorf("%d of %d items: %w", len(items)-n, len(items), err)
		}
		states = append(states, state)
	}
	return states, nil
}

func (i *item) state(m moment, id seckill.ID) seckill.LentState {
	s := seckill.LentState{
		Item: id, Live: i.live(m), Server: m.server, Unsent: int64(len(i.unsent)), Unsettled: int64(len(i.unsettled)),
	}
	if g := i.gate; g != nil {
		s.GateEpoch, s.GateRunID, s.GateReplicationID = g.epoch, g.runID, g.replicationID
	}
	if known := i.meta; known != nil {
		s.Known, s.Epoch, s.Available, s.Sold, s.Issue = true, known.epoch, known.avail, known.sold, known.issue
		s.OpensAt, s.ClosesAt = time.UnixMilli(known.opens).UTC(), time.UnixMilli(known.closes).UTC()
		s.Limit, s.Opened, s.Paused = known.limit, known.open, known.paused
	}
	return s
}

// Server implements seckill.Lent: server.lua.
func (c *Client) Server(ctx context.Context, id seckill.ID) (seckill.Server, error) {
	return read(ctx, c, "server", id, func(_ *item, m moment) (seckill.Server, error) { return m.server, nil })
}
