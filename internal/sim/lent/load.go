package lent

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	loadChunkMax = 500 // buyers of one script, as in internal/redis
	sideFor      = int64(10 * time.Minute / time.Millisecond)
)

// LoadBuyers implements seckill.Lent: load_buyers.lua, once for each chunk.
func (c *Client) LoadBuyers(ctx context.Context, id seckill.ID, epoch int64, attempt seckill.ID, all []seckill.Buyer) error {
	first := true
	for some := range slices.Chunk(all, loadChunkMax) {
		values, err := valuesOf(some)
		if err != nil {
			return fmt.Errorf("load buyers: %w", err)
		}
		if !first {
			if err := c.between("load_buyers"); err != nil {
				return fmt.Errorf("load_buyers: %w", err)
			}
		}
		first = false
		if _, err := write(ctx, c, "load_buyers", id, func(i *item, m moment) (done, error) {
			return done{}, i.gather(m, epoch, attempt, values)
		}); err != nil {
			return err
		}
	}
	return nil
}

func valuesOf(some []seckill.Buyer) (buyers, error) {
	values := make(buyers, len(some))
	for _, buyer := range some {
		held := make(entries, len(buyer.Entries))
		for n, entry := range buyer.Entries {
			if err := seckill.CheckEntry(buyer.User, entry); err != nil {
				return nil, fmt.Errorf("%s: %w", buyer.User, err)
			}
			entry.Unsent = false
			held[n] = entry
		}
		values[buyer.User] = held
	}
	return values, nil
}

func (i *item) gather(m moment, epoch int64, attempt seckill.ID, values buyers) error {
	if i.knows(m, epoch) {
		return seckill.ErrEpochKnown
	}
	k := sideOf(m, epoch, attempt)
	if i.sides[k] == nil {
		i.sides[k] = buyers{}
	}
	for user, held := range values {
		i.sides[k][user] = held
	}
	i.pexpire(k, m.milli, sideFor)
	return nil
}

func sideOf(m moment, epoch int64, attempt seckill.ID) key {
	if m.mistakes.SharedSide {
		epoch, attempt = 0, 0
	}
	return sideKey(epoch, attempt)
}

// knows says that the epoch is over, or was loaded.
func (i *item) knows(m moment, epoch int64) bool {
	if m.mistakes.LoadRepeats {
		epoch++
	}
	return i.meta != nil && i.meta.epoch >= epoch
}

// Load implements seckill.Lent: load.lua.
func (c *Client) Load(ctx context.Context, load seckill.Load) error {
	_, err := write(ctx, c, "load", load.Item, func(i *item, m moment) (done, error) { return done{}, i.load(m, load) })
	return err
}

func (i *item) load(m moment, load seckill.Load) error {
	if i.knows(m, load.Epoch) {
		return seckill.ErrEpochKnown
	}
	k := sideOf(m, load.Epoch, load.Attempt)
	side := i.sides[k]
	if int64(len(side)) != load.Buyers && !m.mistakes.SharedSide {
		return errBuyersLost(len(side))
	}
	i.drop(keyMeta)
	i.drop(keyBuyers)
	if !m.mistakes.KeepsGate {
		i.drop(keyGate)
	}
	if len(side) > 0 {
		i.buyers = side
		i.drop(k)
	}
	if m.mistakes.LoadForgets {
		for _, k := range []key{keyBodies, keyUnsent, keyUnsettled, keyTries} {
			i.drop(k)
		}
	}
	i.meta = &meta{
		epoch: load.Epoch, issue: load.Issue, avail: load.Available, limit: load.Limit, paused: load.Paused, version: load.Version,
		opens: opensMilli(load.OpensAt), closes: load.ClosesAt.UnixMilli(),
	}
	if m.mistakes.LoadEmpty {
		i.meta.issue, i.meta.avail = load.Issue-1, 0
	}
	return nil
}

// Expire implements seckill.Lent: expire.lua.
func (c *Client) Expire(ctx context.Context, id seckill.ID, after time.Duration) error {
	_, err := write(ctx, c, "expire", id, func(i *item, m moment) (done, error) {
		if len(i.unsent)+len(i.unsettled) > 0 {
			return done{}, nil
		}
		for _, k := range itemKeys() {
			if end, ends := i.ends[k]; !ends || end > m.milli+after.Milliseconds() {
				i.pexpire(k, m.milli, after.Milliseconds())
			}
		}
		return done{}, nil
	})
	return err
}
