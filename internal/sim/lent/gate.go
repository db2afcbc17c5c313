package lent

import (
	"context"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// gateFor is how long a gate lies there at most, in ms.
const gateFor = int64(time.Hour / time.Millisecond)

// live says whether this server may decide for the item now.
func (i *item) live(m moment) bool {
	return i.meta != nil && i.meta.open && i.gateHolds(m)
}

func (i *item) gateHolds(m moment) bool {
	g := i.gate
	return g != nil && g.epoch == i.meta.epoch && (m.milli < g.until || m.mistakes.NeverLapses) &&
		(g.runID == m.server.RunID || m.mistakes.AnyRun) &&
		(g.replicationID == m.server.ReplicationID || m.mistakes.AnyReplication)
}

func (i *item) writeGate(m moment, g gate) {
	i.gate = &g
	i.pexpire(keyGate, m.milli, gateFor)
}

func gateOf(g seckill.Gate) gate {
	return gate{epoch: g.Epoch, runID: g.Server.RunID, replicationID: g.Server.ReplicationID, until: g.Until.UnixMilli()}
}

// Open implements seckill.Lent: open.lua.
func (c *Client) Open(ctx context.Context, g seckill.Gate) error {
	if err := checkGate(g); err != nil {
		return fmt.Errorf("open: %w", err)
	}
	_, err := write(ctx, c, "open", g.Item, func(i *item, m moment) (done, error) {
		if i.meta == nil || i.meta.epoch != g.Epoch || (i.meta.open && !m.mistakes.OpenRepeats) {
			return done{}, seckill.ErrNotLive
		}
		i.meta.open = true
		i.writeGate(m, gateOf(g))
		return done{}, nil
	})
	return err
}

// Renew implements seckill.Lent: renew.lua.
func (c *Client) Renew(ctx context.Context, r seckill.Renewal) error {
	return c.RenewAll(ctx, []seckill.Renewal{r})[0]
}

// RenewAll implements seckill.Lent.
func (c *Client) RenewAll(ctx context.Context, renewals []seckill.Renewal) []error {
	failures := make([]error, len(renewals))
	for _, r := range renewals {
		if err := checkGate(r.Gate); err != nil {
			return each(failures, fmt.Errorf("renew: %w", err))
		}
	}
	for n, r := range renewals {
		if n > 0 {
			if err := c.between("renew"); err != nil {
				each(failures[n:], fmt.Errorf("renew: %w", err))
				break
			}
		}
		_, failures[n] = write(ctx, c, "renew", r.Item, func(i *item, m moment) (done, error) { return done{}, i.renew(m, r) })
	}
	return failures
}

// each says the same of all.
func each(all []error, same error) []error {
	for n := range all {
		all[n] = same
	}
	return all
}

func (i *item) renew(m moment, r seckill.Renewal) error {
	g := gateOf(r.Gate)
	if i.meta == nil || i.meta.epoch != g.epoch || !i.isRenewable(m, g) {
		return seckill.ErrNotLive
	}
	if i.gate != nil {
		g.until = max(g.until, i.gate.until)
	}
	i.writeGate(m, g)
	if r.Version >= i.meta.version || m.mistakes.UndoesPause {
		i.meta.version, i.meta.paused, i.meta.limit = r.Version, r.Paused, r.Limit
		i.meta.opens, i.meta.closes = opensMilli(r.OpensAt), r.ClosesAt.UnixMilli()
	}
	return nil
}

// isRenewable says whether the gate is there, for this epoch and server.
func (i *item) isRenewable(m moment, g gate) bool {
	if m.mistakes.RenewLights && i.meta.open {
		return true
	}
	return i.gate != nil && i.gate.epoch == g.epoch &&
		(i.gate.runID == g.runID || m.mistakes.AnyRun) &&
		(i.gate.replicationID == g.replicationID || m.mistakes.AnyReplication)
}

// opensMilli rounds up: not even a part of a millisecond too early.
func opensMilli(opens time.Time) int64 {
	return opens.Add(time.Millisecond - time.Nanosecond).UnixMilli()
}
