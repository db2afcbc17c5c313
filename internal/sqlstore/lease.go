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

// leaseAbove is a lease of a node number whose earlier holders used milliseconds up to its floor.
func (ids *IDs) leaseAbove(ctx context.Context, free freeNode) (*lease, error) {
	behind := time.Duration(leastMilli(free.floor)-ids.clock.Now().UnixMilli()) * time.Millisecond
	if behind > 0 {
		select {
		case <-ids.clock.After(min(behind, catchUpMax)):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	l := &lease{node: free.Node, floor: free.floor, drawn: new([seckill.Buckets]atomic.Int64)}
	for i := range l.drawn {
		l.drawn[i].Store((free.floor+1)*seckill.SequencesMax - 1)
	}
	ids.anchor(l)
	l.renew(l.began)
	if ahead := l.milli - l.began.UnixMilli(); ahead > 0 {
		ids.nodes.log.Warn("the clock is behind the ids of the node number", "node", free.Node, "behind_ms", ahead)
	}
	return l, nil
}

// leastMilli is where ids must be, to begin above a floor while they run ahead as far as they may.
func leastMilli(floor int64) int64 { return floor + 1 - aheadMax.Milliseconds() }

// anchor ties a lease that is not used yet to the clocks as they are now. When this one is behind what earlier holders
// have used (it was set back, or theirs was ahead), ids are ahead of it for as long as the lease is held. The uptime is
// read first: then a little too much is left to a successor, never too little.
func (ids *IDs) anchor(l *lease) {
	machine := ids.nodes.machine
	uptime := machine.uptime().Milliseconds()
	l.began = ids.clock.Now()
	l.milli = max(l.began.UnixMilli(), leastMilli(l.floor))
	l.holder = holder{process: machine.self(), origin: l.milli - uptime}.text()
}

// renewed is the lease as it will be after a renewal that begins now. When the clock was set forward, or this machine was
// suspended, ids follow from here on; they never go back.
func (ids *IDs) renewed(l lease) *lease {
	anew := l
	ids.anchor(&anew)
	began := anew.began
	if anew.milli > l.at(began)+aheadMax.Milliseconds() {
		l = anew
	}
	l.renew(began)
	return &l
}

// renew prolongs a lease that is not used yet. The ceiling never falls: what was promised to the row may have been used.
func (l *lease) renew(began time.Time) {
	l.until = began.Add(leaseUsable)
	l.ceiling = max(l.ceiling, l.at(began)+(leaseUsable+ceilingSlack).Milliseconds())
}
