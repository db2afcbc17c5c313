package lent

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	batchesMax = 500  // batches of one script, as in internal/redis
	lookMax    = 1024 // LOOK_MAX of due.lua
)

// Sent implements seckill.Lent: sent.lua.
func (c *Client) Sent(ctx context.Context, id seckill.ID, batches []seckill.ID) error {
	return c.eachBatch(ctx, "sent", id, batches, func(i *item, m moment, batch seckill.ID) {
		if i.unsent.remove(batch) || m.mistakes.SentInserts {
			i.unsettled.add(batch, m.milli)
			delete(i.tries, batch)
		}
	})
}

// Settled implements seckill.Lent: settled.lua.
func (c *Client) Settled(ctx context.Context, id seckill.ID, batches []seckill.ID) error {
	return c.eachBatch(ctx, "settled", id, batches, func(i *item, m moment, batch seckill.ID) {
		if m.mistakes.BuyerExpires {
			i.forgetBuyers(batch)
		}
		delete(i.bodies, batch)
		i.unsent.remove(batch)
		i.unsettled.remove(batch)
		delete(i.tries, batch)
	})
}

func (c *Client) eachBatch(ctx context.Context, name string, id seckill.ID, batches []seckill.ID, do func(*item, moment, seckill.ID)) error {
	first := true
	for some := range slices.Chunk(slices.Clone(batches), batchesMax) {
		if !first {
			if err := c.between(name); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		first = false
		if _, err := write(ctx, c, name, id, func(i *item, m moment) (done, error) {
			for _, batch := range some {
				do(i, m, batch)
			}
			return done{}, nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// Due implements seckill.Lent: due.lua.
func (c *Client) Due(ctx context.Context, id seckill.ID, query seckill.DueQuery) ([]seckill.DueEntry, error) {
	return write(ctx, c, "due", id, func(i *item, m moment) ([]seckill.DueEntry, error) {
		d := &dueNow{item: i, milli: m.milli, forgets: m.mistakes.DueForgets, keepsBare: m.mistakes.DueKeepsBare, query: query}
		d.collect(&i.unsent, query.UnsentFor, true)
		d.collect(&i.unsettled, query.UnsettledFor, false)
		return d.found, nil
	})
}

// dueNow gathers what is owed at a moment.
type dueNow struct {
	*item

	milli     int64
	forgets   bool
	keepsBare bool
	query     seckill.DueQuery
	found     []seckill.DueEntry
}

func (d *dueNow) collect(set *scored, age time.Duration, unsent bool) {
	if age == 0 {
		return
	}
	for _, b := range set.until(d.milli-age.Milliseconds(), lookMax) {
		if len(d.found) >= d.query.Max {
			return
		}
		if d.tries[b.batch] < d.query.TriesMax || b.milli <= d.milli-d.query.SlowFor.Milliseconds() {
			d.take(set, b.batch, unsent)
		}
	}
}

// until is a copy of those that are not younger than a moment, at most so many.
func (s scored) until(milli int64, most int) scored {
	var old scored
	for _, b := range s {
		if b.milli > milli || len(old) == most {
			break
		}
		old = append(old, b)
	}
	return old
}

func (d *dueNow) take(set *scored, batch seckill.ID, unsent bool) {
	body := d.bodies[batch]
	if body == nil && d.keepsBare {
		return
	}
	if body == nil {
		set.remove(batch) // nobody can publish it
		delete(d.tries, batch)
		return
	}
	set.add(batch, d.milli)
	d.tries[batch]++
	d.found = append(d.found, seckill.DueEntry{
		Body: seckill.Body{Batch: batch, Bytes: body}, Unsent: unsent, Tries: d.tries[batch],
	})
	if d.forgets {
		set.remove(batch)
		delete(d.bodies, batch)
	}
}

// Outbox implements seckill.Lent: outbox.lua.
func (c *Client) Outbox(ctx context.Context, id seckill.ID, offset, limit int) ([]seckill.DueEntry, error) {
	return read(ctx, c, "outbox", id, func(i *item, _ moment) ([]seckill.DueEntry, error) {
		page := i.unsent.page(offset, limit)
		found := i.entries(page, true)
		rest := i.unsettled.page(max(offset-len(i.unsent), 0), limit-len(page))
		return append(found, i.entries(rest, false)...), nil
	})
}

func (s scored) page(offset, limit int) scored {
	from := min(offset, len(s))
	return s[from:min(from+max(limit, 0), len(s))]
}

func (i *item) entries(page scored, unsent bool) []seckill.DueEntry {
	var found []seckill.DueEntry
	for _, b := range page {
		if body := i.bodies[b.batch]; body != nil {
			found = append(found, seckill.DueEntry{Body: seckill.Body{Batch: b.batch, Bytes: body}, Unsent: unsent, Tries: i.tries[b.batch]})
		}
	}
	return found
}
