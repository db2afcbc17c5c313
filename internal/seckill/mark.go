package seckill

import (
	"context"
	"time"
)

// Mark is the highest `sold` of an item's epoch that an api process was told by Redis.
type Mark struct {
	Item  ID
	Epoch int64
	Sold  int64
}

// Beat is one heartbeat of an api process with the marks that changed since the last one.
type Beat struct {
	// Incarnation names the process for its lifetime.
	Incarnation ID
	// Begun is the database's clock, read before the marks were.
	Begun time.Time
	// Left says that the process answers nobody any more.
	Left  bool
	Marks []Mark
}

// Heartbeat is the last beat of a process.
type Heartbeat struct {
	Incarnation ID
	Begun       time.Time
	Left        bool
}

// Marks keeps heartbeats and marks on each shard.
type Marks interface {
	// Now is the shard's clock.
	Now(ctx context.Context, shard int) (time.Time, error)
	// Beat writes heartbeat and marks in one statement; a mark never falls within an epoch.
	Beat(ctx context.Context, shard int, beat Beat) error
	// Heartbeats returns every process whose last beat on the shard began after since.
	Heartbeats(ctx context.Context, shard int, since time.Time) ([]Heartbeat, error)
	// Highest is the highest mark of an item's epoch, over all processes; 0 when there is none.
	Highest(ctx context.Context, item ID, epoch int64) (int64, error)
	// Forget drops what processes wrote whose last beat on the shard began before the moment.
	Forget(ctx context.Context, shard int, before time.Time) error
}

// OwedKind is a step that a transaction owes to somebody else.
type OwedKind string

// The kinds of owed steps.
const (
	OwedBuyer  OwedKind = "buyer"  // set a buyer's entry in Redis
	OwedReturn OwedKind = "return" // give a cancelled order's units back
	OwedNotify OwedKind = "notify" // tell the shop
)

// Owed is one row of a shard's outbox. For OwedBuyer: Item, Epoch, User and Entry. For OwedReturn: Item, User and Entry, whose
// ID is the order's.
type Owed struct {
	ID    ID
	Kind  OwedKind
	Item  ID
	Epoch int64
	User  UserID
	Entry BuyerEntry
}

// Owing is the outbox of each shard. Rows are written by the transactions that owe them.
type Owing interface {
	// Owed returns the oldest rows of a kind with an id above after.
	Owed(ctx context.Context, shard int, kind OwedKind, after ID, limit int) ([]Owed, error)
	// Done deletes rows; those already gone are ignored.
	Done(ctx context.Context, shard int, ids []ID) error
	// Depth counts the rows of a kind.
	Depth(ctx context.Context, shard int, kind OwedKind) (int64, error)
}
