package ledger

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Ledger is all shards of one system. The ports are views of it: Catalog{ledger}, Orders{ledger} and so on.
type Ledger struct {
	// Between, if set, is called in the middle of calls that are more than one transaction, without the lock: others may come
	// in, and an error ends the call there. It says where the call stands. To be set before the first call.
	Between func(what string) error

	router router
	clock  seckill.Clock
	tells  bool
	lack   Lack

	lock   sync.Mutex
	shards []*database
	// locked are the items whose rows nobody can change.
	locked map[seckill.ID]bool
	// items and orders were touched.
	items, orders map[seckill.ID]struct{}
}

// Config is what a ledger is made of.
type Config struct {
	// Shards is how many there are, 0 for one.
	Shards int
	// Clock is the databases' clock. Everybody else may have another one.
	Clock seckill.Clock
	// Tells says that somebody is told of events.
	Tells bool
	// Lack is the guard that it goes without, if any.
	Lack Lack
}

// New is an empty ledger.
func New(config Config) *Ledger {
	l := &Ledger{
		router: router{max(config.Shards, 1)}, clock: config.Clock, tells: config.Tells, lack: config.Lack,
		items: make(map[seckill.ID]struct{}), orders: make(map[seckill.ID]struct{}), locked: make(map[seckill.ID]bool),
	}
	for number := range l.router.shards {
		l.shards = append(l.shards, &database{ledger: l, number: number})
	}
	return l
}

// Shards tells where rows live.
func (l *Ledger) Shards() seckill.Shards { return l.router }

// SetAway makes a shard unreachable, or reachable again: every call that needs it fails, and does nothing there.
func (l *Ledger) SetAway(shard int, away bool) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.shards[shard].away = away
}

// Lock keeps everybody from changing an item's row, as a session does that has locked it and that nobody ends.
func (l *Ledger) Lock(item seckill.ID) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.locked[item] = true
}

// waits is what becomes of a transaction that needs a row which is locked.
func (l *Ledger) waits(item seckill.ID) error {
	if l.locked[item] {
		return fmt.Errorf("wait for the row of item %s: %w", item, seckill.ErrTransient)
	}
	return nil
}

// Shift sets a shard's clock apart from the others'.
func (l *Ledger) Shift(shard int, by time.Duration) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.shards[shard].shift += by
}

// on is one transaction of a shard: do runs under the lock. When it returns an error it has changed nothing.
func (l *Ledger) on(ctx context.Context, number int, do func(db *database) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.lock.Lock()
	defer l.lock.Unlock()
	db := l.shards[number]
	if db.away {
		return fmt.Errorf("shard %d: %w: %w", number, seckill.ErrTransient, seckill.ErrUnavailable)
	}
	return do(db)
}

// between says where a call of several transactions stands.
func (l *Ledger) between(what string) error {
	if l.Between == nil {
		return nil
	}
	return l.Between(what)
}

// now is a shard's clock, to the millisecond as everything that is stored.
func (db *database) now() time.Time { return stored(db.ledger.clock.Now().Add(db.shift)) }

// stored is what is left of a moment once it was written.
func stored(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

// textMax is the width of what says in words what went wrong.
const textMax = 200

func clip(text string) string {
	if characters := []rune(text); len(characters) > textMax {
		return string(characters[:textMax])
	}
	return text
}

// router maps buckets to shards as sqlstore does.
type router struct{ shards int }

var _ seckill.Shards = router{}

// Count implements seckill.Shards.
func (r router) Count() int { return r.shards }

// Shard implements seckill.Shards.
func (r router) Shard(bucket int) int { return bucket * r.shards / seckill.Buckets }

func (r router) home(item seckill.ID) int { return seckill.HomeShard(r, item) }

// of is where a row lives that its own id routes.
func (r router) of(id seckill.ID) int { return r.Shard(id.Bucket()) }
