package seckill

import (
	"context"
	"time"
)

// Summary is what is kept at hand of a sale that is over and was put away, as it stood when somebody last counted: money
// goes back later, too, and units with it.
type Summary struct {
	Sale ID
	// Body is JSON.
	Body []byte
	// At is the database's clock when the sale was put away: when the first one was written.
	At time.Time
}

// Archives puts finished sales away.
type Archives interface {
	// EventsOf reads the events of orders of one shard, by order and version.
	EventsOf(ctx context.Context, shard int, orders []ID) ([]OrderEvent, error)
	// UntoldAfter pages by id through the events of a shard that somebody has still to be told, dead ones included, without
	// their data.
	UntoldAfter(ctx context.Context, shard int, after ID, limit int) ([]Event, error)
	// Keep writes a sale's summary and the act, in one transaction, if what is there is still what the caller saw before it
	// counted; nil: nothing. One that says the same is left alone. Returns the one that is there then, and whether this call
	// wrote it: whoever finds another one than its own was overtaken, and has to count again.
	Keep(ctx context.Context, sale ID, seen, body []byte, act Act) (Summary, bool, error)
	// Summary reads one, or ErrNotFound.
	Summary(ctx context.Context, sale ID) (Summary, error)
	// Forget drops what nobody needs of an item that is closed: its marks. Repeatable.
	Forget(ctx context.Context, item ID) error
}
