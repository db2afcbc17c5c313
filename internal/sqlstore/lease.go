package sqlstore

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// lease is the right to a node number. It is replaced, never changed, but for drawn, which all its renewals share.
type lease struct {
	node   int
	holder string
	// floor is the last millisecond that earlier holders may have used, ceiling the last that this one may use.
	floor, ceiling int64
	// began and milli are the same moment, by this process's clock and in ids. From there ids follow the monotonic clock:
	// what somebody does to the time of day moves them no further than a successor on this machine can know.
	began time.Time
	milli int64
	// until is when, by the monotonic clock, ids must no longer be made.
	until time.Time
	// drawn is, per bucket, milliseconds * SequencesMax + sequence of the last id.
	drawn *[seckill.Buckets]atomic.Int64
}

// at is the id-millisecond of a moment.
func (l *lease) at(moment time.Time) int64 { return l.milli + moment.Sub(l.began).Milliseconds() }

// highest is the last millisecond drawn in any bucket, or left by earlier holders.
func (l *lease) highest() int64 {
	drawn := l.floor * seckill.SequencesMax
	for i := range l.drawn {
		drawn = max(drawn, l.drawn[i].Load())
	}
	return drawn / seckill.SequencesMax
}

// leaseAbove is a lease of a node number whose earlier holders used milliseconds up to its floor. When this clock is
// further behind that than ids may run ahead of it (it was set back, or the last holder's was ahead), ids run ahead of it
// for as long as the lease is held.
func (ids *IDs) leaseAbove(ctx context.Context, free freeNode) (*lease, error) {
	behind := func() int64 { return free.floor + 1 - aheadMax.Milliseconds() - ids.clock.Now().UnixMilli() }
	if wait := min(time.Duration(behind())*time.Millisecond, catchUpMax); wait > 0 {
		select {
		case <-ids.clock.After(wait):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	shift := max(0, behind())
	if shift > 0 {
		ids.nodes.log.Warn("the clock is behind the ids of the node number", "node", free.Node, "behind_ms", shift)
	}
	l := &lease{node: free.Node, floor: free.floor, drawn: new([seckill.Buckets]atomic.Int64)}
	for i := range l.drawn {
		l.drawn[i].Store((free.floor+1)*seckill.SequencesMax - 1)
	}
	began := ids.anchor(l, shift)
	l.renew(began)
	return l, nil
}

// anchor ties a lease that is not used yet to the clocks as they are now. The uptime is read first: then a little too much
// is left to a successor, never too little.
func (ids *IDs) anchor(l *lease, shift int64) time.Time {
	machine := ids.nodes.machine
	uptime := machine.uptime().Milliseconds()
	began := ids.clock.Now()
	l.began, l.milli = began, began.UnixMilli()+shift
	l.holder = holder{process: machine.self(), origin: l.milli - uptime}.text()
	return began
}

// renewed is the lease as it will be after a renewal that begins now. When the clock was set forward, or this machine was
// suspended, ids follow from here on; they never go back.
func (ids *IDs) renewed(l lease) *lease {
	began := ids.clock.Now()
	if began.UnixMilli() > l.at(began)+aheadMax.Milliseconds() {
		began = ids.anchor(&l, 0)
	}
	l.renew(began)
	return &l
}

// renew prolongs a lease that is not used yet. The ceiling never falls: what was promised to the row may have been used.
func (l *lease) renew(began time.Time) {
	l.until = began.Add(leaseUsable)
	l.ceiling = max(l.ceiling, l.at(began)+(leaseUsable+ceilingSlack).Milliseconds())
}
