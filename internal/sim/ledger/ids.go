package ledger

import (
	"fmt"
	"sync"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// numbers makes the ids of one node, growing in each bucket, however its clock jumps.
type numbers struct {
	node int
	last map[int]int64
}

func (n *numbers) next(bucket int, milli int64) seckill.ID {
	if n.last == nil {
		n.last = make(map[int]int64)
	}
	drawn := max(milli*seckill.SequencesMax, n.last[bucket]+1)
	n.last[bucket] = drawn
	return seckill.ComposeID(drawn/seckill.SequencesMax, bucket, n.node, int(drawn%seckill.SequencesMax))
}

// IDs makes ids as a process does that has leased a node number.
type IDs struct {
	clock seckill.Clock
	lock  sync.Mutex
	made  numbers
}

var _ seckill.IDs = (*IDs)(nil)

// NewIDs makes the ids of a node, by a process's own clock. No two may have the same one; the last of them, one for each shard,
// are the ledger's.
func NewIDs(node int, clock seckill.Clock) *IDs {
	return &IDs{clock: clock, made: numbers{node: node}}
}

// Next implements seckill.IDs.
func (i *IDs) Next(bucket int) (seckill.ID, error) {
	if bucket < 0 || bucket >= seckill.Buckets {
		return 0, fmt.Errorf("make an id: there is no bucket %d", bucket)
	}
	i.lock.Lock()
	defer i.lock.Unlock()
	return i.made.next(bucket, i.clock.Now().UnixMilli()), nil
}

// nextID makes an id in the course of a transaction. In sqlstore the process does that whose call it is.
func (db *database) nextID(bucket int) seckill.ID {
	db.made.node = seckill.NodesMax - 1 - db.number
	return db.made.next(bucket, db.now().UnixMilli())
}
