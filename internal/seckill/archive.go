package seckill

import (
	"context"
	"time"
)

// Summary is what is kept at hand of a sale that is over and was put away.
type Summary struct {
	Sale ID
	// Body is JSON.
	Body []byte
	// At is the database's clock when it was written.
	At time.Time
}

// Archives puts finished sales away.
type Archives interface {
	// EventsOf reads the events of orders of one shard, by order and version.
	EventsOf(ctx context.Context, shard int, orders []ID) ([]OrderEvent, error)
	// UntoldAfter pages by id through the events of a shard that somebody has still to be told, dead ones included, without
	// their data.
	UntoldAfter(ctx context.Context, shard int, after ID, limit int) ([]Event, error)
	// Keep writes a sale's summary and the act, in one transaction, unless there is one. Returns the one that is there then,
	// and whether this call wrote it.
	Keep(ctx context.Context, sale ID, body []byte, act Act) (Summary, bool, error)
	// Summary reads one, or ErrNotFound.
	Summary(ctx context.Context, sale ID) (Summary, error)
	// Forget drops what nobody needs of an item that is closed: its marks. Repeatable.
	Forget(ctx context.Context, item ID) error
}
