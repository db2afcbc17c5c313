package ledger

import (
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Age makes everything that is timed on an item's stock and claims older.
func Age(l *Ledger, item seckill.ID, passed time.Duration) {
	l.lock.Lock()
	defer l.lock.Unlock()
	db := l.shards[l.router.home(item)]
	stock := db.stocks.get(item)
	for _, at := range []*time.Time{&stock.Since, &stock.Progress, &stock.ClaimedAt, &stock.SealedAt} {
		if !at.IsZero() {
			*at = at.Add(-passed)
		}
	}
	for _, claim := range db.claims.byID.all() {
		if claim.Item == item {
			claim.CreatedAt = claim.CreatedAt.Add(-passed)
		}
	}
}

// Lose deletes an item's stock row.
func Lose(l *Ledger, item seckill.ID) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.shards[l.router.home(item)].stocks.drop(item)
}

// Owe writes rows as they are.
func Owe(l *Ledger, shard int, owed []seckill.Owed) {
	l.lock.Lock()
	defer l.lock.Unlock()
	for _, o := range owed {
		l.shards[shard].outbox.put(o.ID, o)
	}
}

// SetDeadline sets the deadline of all orders of an item.
func SetDeadline(l *Ledger, item seckill.ID, payBy time.Time) {
	l.lock.Lock()
	defer l.lock.Unlock()
	for _, db := range l.shards {
		for _, row := range db.orders.byID.all() {
			if row.Item == item {
				row.PayBy = stored(payBy)
			}
		}
	}
}

// Tell writes events as they are.
func Tell(l *Ledger, shard int, events []seckill.Event) {
	l.lock.Lock()
	defer l.lock.Unlock()
	for _, event := range events {
		event.At = stored(event.At)
		l.shards[shard].insertEvent(event)
	}
}

// AgeDispatches makes everything that is timed on a shard's dispatches older.
func AgeDispatches(l *Ledger, shard int, passed time.Duration) {
	l.lock.Lock()
	defer l.lock.Unlock()
	for _, dispatches := range l.shards[shard].told.endpoints.all() {
		for _, row := range dispatches.all() {
			row.NextAt, row.Since = row.NextAt.Add(-passed), row.Since.Add(-passed)
		}
	}
}

// Left counts what the outbox still holds.
func Left(l *Ledger, shard int) (events, dispatches int) {
	l.lock.Lock()
	defer l.lock.Unlock()
	told := &l.shards[shard].told
	for _, to := range told.endpoints.all() {
		dispatches += to.size()
	}
	return told.events.size(), dispatches
}
