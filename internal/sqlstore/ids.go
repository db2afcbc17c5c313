package sqlstore

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// leaseUsable is how long ids are made after the last renewal was begun, by this process's monotonic clock. The row
	// says leaseFor, so an outage of the catalog is outlived and the difference absorbs every delay.
	leaseUsable = 9 * time.Minute
	// aheadMax is how far the ids of one bucket may run ahead of the clock: a burst beyond 64 in a millisecond, or a clock
	// that stepped back a little, counts on instead of waiting. Beyond it Next refuses until the clock has caught up.
	aheadMax = time.Second
)

// errLeaseLost makes Next start over: the lease it began under is gone, and with it the right to the number it drew.
var errLeaseLost = errors.New("lease lost")

// IDs makes ids under a leased node number. What it has made is kept per bucket as milliseconds and sequence in one
// number that only grows, so an id costs one compare-and-swap and no lock.
//
// It never makes an id above the lease's ceiling, which is in the node's row before it may be used, and it starts above
// the ceiling that the node's last holder left. So two holders never meet, however wrong their clocks are and however
// long one of them was stopped between drawing a number and returning it.
//
// A holder that is killed leaves its lease behind, and a ceiling minutes ahead. Who shares the machine with it takes the
// number over at once, if the holder's text in the row proves that it is dead, and starts above what it can have used
// (holder, nodes.left). On another machine, or another system than Linux, the lease has to run out.
type IDs struct {
	nodes nodes
	clock seckill.Clock
	// random breaks ties between free nodes, so that processes that start together do not race for the same one.
	random func(n int) int

	lease atomic.Pointer[lease]
}

var _ seckill.IDs = (*IDs)(nil)

func newIDs(store *Store, alone bool) *IDs {
	return &IDs{nodes: nodes{Store: store, alone: alone, machine: thisMachine()}, clock: store.clock, random: rand.IntN}
}

// Next implements seckill.IDs. Its errors wrap seckill.ErrUnavailable: no id was made.
func (ids *IDs) Next(bucket int) (seckill.ID, error) {
	if bucket < 0 || bucket >= seckill.Buckets {
		return 0, fmt.Errorf("make an id: there is no bucket %d", bucket)
	}
	for {
		id, err := ids.draw(bucket)
		if errors.Is(err, errLeaseLost) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("make an id: %w: %w", seckill.ErrUnavailable, err)
		}
		return id, nil
	}
}

func (ids *IDs) draw(bucket int) (seckill.ID, error) {
	l := ids.lease.Load()
	if l == nil {
		return 0, errors.New("no node number is leased")
	}
	now := ids.clock.Now()
	if !now.Before(l.until) {
		return 0, errors.New("the lease of the node number was not renewed in time")
	}
	drawn, err := l.advance(bucket, l.at(now))
	if err != nil {
		return 0, err
	}
	// Release reads what was drawn after it has taken the lease away: seeing our lease still here, it sees our number too.
	if current := ids.lease.Load(); current == nil || current.holder != l.holder {
		return 0, errLeaseLost
	}
	id := seckill.ComposeID(drawn/seckill.SequencesMax, bucket, l.node, int(drawn%seckill.SequencesMax))
	if id <= 0 {
		return 0, fmt.Errorf("the clock says %s, which ids cannot express", now.UTC().Format(time.RFC3339))
	}
	return id, nil
}

// advance draws the bucket's next number: this millisecond's first, or the one after the last.
func (l *lease) advance(bucket int, milli int64) (int64, error) {
	slot := &l.drawn[bucket]
	for {
		last := slot.Load()
		next := max(milli*seckill.SequencesMax, last+1)
		switch at := next / seckill.SequencesMax; {
		case at > milli+aheadMax.Milliseconds():
			return 0, fmt.Errorf("the clock is %d ms behind the last id", at-milli)
		case at > l.ceiling:
			return 0, fmt.Errorf("the clock is %d ms ahead of what the lease of the node number covers", at-l.ceiling)
		}
		if slot.CompareAndSwap(last, next) {
			return next, nil
		}
	}
}
