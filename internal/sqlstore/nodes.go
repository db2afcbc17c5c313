package sqlstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// leaseFor is how long a node number is leased, by the database's clock.
	leaseFor = 10 * time.Minute
	// renewEvery is the rhythm of renewals, renewRetry the pause after one that failed, acquireRetry that of a process that
	// has no node number yet because the catalog was away when it started.
	renewEvery   = 30 * time.Second
	renewRetry   = 5 * time.Second
	acquireRetry = 500 * time.Millisecond
	// renewWithin bounds one renewal, and the release at the end.
	renewWithin = 5 * time.Second
	// ceilingSlack covers ids that run ahead of the clock.
	ceilingSlack = 10 * time.Second
	// catchUpMax is how long a new holder waits for its clock rather than run ahead of it. It is longer than what rounding
	// adds to a floor, so that numbers which change hands again and again run ahead less and less.
	catchUpMax = 50 * time.Millisecond
)

// nodes is the table of node numbers on shard 0. last_ms is written ahead: the last millisecond the holder may use
// before it renews again, so that it holds for a process that died without a word.
type nodes struct {
	*Store
	alone   bool
	machine machine
}

type nodeRow struct {
	Node        int    `gorm:"column:node;primaryKey"`
	Holder      string `gorm:"column:holder"`
	LeasedUntil int64  `gorm:"column:leased_until"`
	LastMilli   int64  `gorm:"column:last_ms"`
	DBNow       int64  `gorm:"column:db_now;->"`
}

func (nodeRow) TableName() string { return "nodes" }

// freeNode is a node number that may be taken. floor is the last millisecond that its holders so far may have used.
type freeNode struct {
	nodeRow
	floor int64
}

// free returns every node number that may be taken, those first whose ids are furthest back. Without any the error says
// when there will be one.
func (n nodes) free(ctx context.Context) ([]freeNode, error) {
	rows, err := n.rows(ctx)
	if err != nil {
		return nil, err
	}
	var free []freeNode
	soonest := leaseFor
	for number := range seckill.NodesMax {
		row := rows[number]
		row.Node = number
		floor, dead := n.left(row)
		if dead || n.alone || row.LeasedUntil <= row.DBNow {
			free = append(free, freeNode{row, floor})
			continue
		}
		soonest = min(soonest, time.Duration(row.LeasedUntil-row.DBNow)*time.Millisecond)
	}
	if len(free) == 0 {
		return nil, noNode(soonest)
	}
	slices.SortStableFunc(free, func(a, b freeNode) int { return cmp.Compare(a.floor, b.floor) })
	return free, nil
}

// rows reads the leases by number.
func (n nodes) rows(ctx context.Context) (map[int]nodeRow, error) {
	var rows []nodeRow
	err := n.read(ctx, catalogShard, func(db *gorm.DB) error {
		return db.Select("node, holder, leased_until, last_ms, " + n.dialect.now() + " AS db_now").Find(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("read the node leases: %w", err)
	}
	known := make(map[int]nodeRow, len(rows))
	for _, row := range rows {
		known[row.Node] = row
	}
	return known, nil
}

// left is the last millisecond that the holders of a node number may have used, and whether the last of them is dead for
// certain. Then it is not what was written ahead for it, minutes away: numbers of processes that are killed over and over
// would run into the future. Its ids followed a clock that is this machine's, and cannot have been ahead of that by more
// than aheadMax when it died, which was before now.
func (n nodes) left(row nodeRow) (floor int64, dead bool) {
	last, ok := parseHolder(row.Holder)
	if !ok || !n.machine.ended(last.process) {
		return row.LastMilli, false
	}
	return min(row.LastMilli, last.lastMilli(n.machine.uptime().Milliseconds())), true
}

// take leases a node number if its row still is as it was read.
func (n nodes) take(ctx context.Context, seen nodeRow, l *lease) (bool, error) {
	statement := "UPDATE nodes SET holder = ?, leased_until = " + n.dialect.now() + " + ?, last_ms = ?" +
		" WHERE node = ? AND holder = ? AND leased_until = ? AND last_ms = ?"
	args := []any{l.holder, leaseFor.Milliseconds(), l.ceiling, seen.Node, seen.Holder, seen.LeasedUntil, seen.LastMilli}
	if seen.Holder == "" { // no row yet
		statement = "INSERT INTO nodes (holder, leased_until, last_ms, node) VALUES (?, " + n.dialect.now() + " + ?, ?, ?)" +
			n.dialect.skipKnown("node")
		args = args[:4]
	}
	changed, err := n.exec(ctx, catalogShard, statement, args...)
	if err != nil {
		return false, fmt.Errorf("lease node number %d: %w", seen.Node, err)
	}
	return changed == 1, nil
}

// renew prolongs the lease of a holder; false when somebody else has the node number.
func (n nodes) renew(ctx context.Context, holder string, l *lease) (bool, error) {
	changed, err := n.exec(ctx, catalogShard,
		"UPDATE nodes SET holder = ?, leased_until = "+n.dialect.now()+" + ?, last_ms = ? WHERE node = ? AND holder = ?",
		l.holder, leaseFor.Milliseconds(), l.ceiling, l.node, holder)
	if err != nil {
		return false, fmt.Errorf("renew the lease of node number %d: %w", l.node, err)
	}
	if changed == 1 {
		return true, nil
	}
	// MySQL does not count a row that has these very values already, as when it was renewed in the same millisecond.
	var held int64
	err = n.read(ctx, catalogShard, func(db *gorm.DB) error {
		return db.Model(&nodeRow{}).Where("node = ? AND holder = ?", l.node, l.holder).Count(&held).Error
	})
	if err != nil {
		return false, fmt.Errorf("look who holds node number %d: %w", l.node, err)
	}
	return held == 1, nil
}

// release gives a node number back; its next holder starts above what was used.
func (n nodes) release(ctx context.Context, l *lease) error {
	_, err := n.exec(ctx, catalogShard, "UPDATE nodes SET leased_until = 0, last_ms = ? WHERE node = ? AND holder = ?",
		l.highest(), l.node, l.holder)
	if err != nil {
		return fmt.Errorf("release node number %d: %w", l.node, err)
	}
	return nil
}

// noNode says that all node numbers are in use, and what helps.
func noNode(soonest time.Duration) error {
	return fmt.Errorf("all %d node numbers are leased, one to each process: end processes that are not needed, or wait; what was killed on"+
		" another machine keeps its number for up to %s, and the next one is free in %s", seckill.NodesMax, leaseFor, soonest.Round(time.Second))
}

// Acquire leases a node number; Next works from here on, for leaseUsable unless Run renews.
func (ids *IDs) Acquire(ctx context.Context) error {
	free, err := ids.nodes.free(ctx)
	if err != nil {
		return err
	}
	ids.shuffleTies(free)
	for _, node := range free {
		l, err := ids.leaseAbove(ctx, node)
		if err != nil {
			return err
		}
		taken, err := ids.nodes.take(ctx, node.nodeRow, l)
		if err != nil {
			return err
		}
		if taken {
			ids.lease.Store(l)
			return nil
		}
	}
	return errors.New("others have taken every node number that was free: try again")
}

// shuffleTies mixes the nodes that are equally good, which are the never used ones at the front.
func (ids *IDs) shuffleTies(free []freeNode) {
	ties := 0
	for ties < len(free) && free[ties].floor == free[0].floor {
		ties++
	}
	for i := ties - 1; i > 0; i-- {
		j := ids.random(i + 1)
		free[i], free[j] = free[j], free[i]
	}
}

// Run renews the lease until ctx ends, then releases it. Whoever needs ids must have stopped by then.
func (ids *IDs) Run(ctx context.Context) error {
	for wait := ids.pause(nil); ; {
		select {
		case <-ctx.Done():
			return ids.end(ctx)
		case <-ids.clock.After(wait):
		}
		err := ids.Renew(ctx)
		if err != nil && ctx.Err() == nil && !ids.waits(err) {
			ids.nodes.log.Warn("node lease not renewed", "error", err)
		}
		wait = ids.pause(err)
	}
}

// end releases the lease. While the catalog is away it runs out by itself.
func (ids *IDs) end(ctx context.Context) error {
	err := ids.Release(ctx)
	if errors.Is(err, seckill.ErrTransient) {
		ids.nodes.log.Warn("the node number stays leased for a while", "error", err)
		return nil
	}
	return err
}

// waits says that there is no lease and nothing to blame but a catalog that is away.
func (ids *IDs) waits(err error) bool {
	return ids.lease.Load() == nil && (err == nil || errors.Is(err, seckill.ErrTransient))
}

// pause is how long to wait for the next renewal after one that ended with err.
func (ids *IDs) pause(err error) time.Duration {
	switch {
	case ids.waits(err):
		return acquireRetry
	case err != nil:
		return renewRetry
	default:
		return renewEvery
	}
}

// Renew prolongs the lease now. When it is lost or was never had, another node number is leased.
func (ids *IDs) Renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, renewWithin)
	defer cancel()
	l := ids.lease.Load()
	if l == nil {
		return ids.Acquire(ctx)
	}
	next := ids.renewed(*l)
	kept, err := ids.nodes.renew(ctx, l.holder, next)
	switch {
	case err != nil:
		return err
	case kept:
		ids.lease.Store(next)
		return nil
	default:
		ids.nodes.log.Warn("node lease was lost", "node", l.node)
		ids.lease.Store(nil)
		return ids.Acquire(ctx)
	}
}

// Release gives the node number back; Next fails from here on. It works although ctx is done, within a bound.
func (ids *IDs) Release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewWithin)
	defer cancel()
	l := ids.lease.Swap(nil)
	if l == nil {
		return nil
	}
	return ids.nodes.release(ctx, l)
}
