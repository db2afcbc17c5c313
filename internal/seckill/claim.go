package seckill

import (
	"context"
	"time"
)

// ClaimState is where a claim stands.
type ClaimState string

// The states of a claim.
const (
	ClaimHeld     ClaimState = "held"
	ClaimReturned ClaimState = "returned"
	ClaimRejected ClaimState = "rejected"
)

// Claim is the SQL row, in the item's home shard, that makes a reservation real. One per reservation, and one per
// (item, user, key hash).
type Claim struct {
	ID       ID
	Item     ID
	User     UserID
	Quantity int64
	KeyHash  string
	Epoch    int64
	State    ClaimState
	Reason   Reason
	// First is the reservation that holds the key, when Reason is Duplicate.
	First ID
	// Ordered says that the order exists.
	Ordered   bool
	CreatedAt time.Time
}

// Reservation is what the shopper is told of a claim. A duplicate must be resolved to its first claim before.
func (c Claim) Reservation() Reservation {
	r := Reservation{ID: c.ID, Item: c.Item, User: c.User, Quantity: c.Quantity, State: ReservationQueued}
	switch {
	case c.State == ClaimRejected:
		r.State, r.Reason = ReservationRejected, c.Reason
	case c.Ordered:
		r.State = ReservationOrdered
	}
	return r
}

// Doubled is a reservation whose id belongs to another user or item, or to another purchase of the same user: an id was
// made twice.
type Doubled struct {
	Message     Message
	Reservation Reserved
	Cause       string
}

// Settlement is what one T1 decided.
type Settlement struct {
	// Held are all held claims of the messages that are not yet ordered, known ids included.
	Held []Claim
	// Ordered are the held claims whose orders were placed with them.
	Ordered []Claim
	// Rejected are the claims that were rejected now.
	Rejected []Claim
	// Doubled were neither accounted nor claimed.
	Doubled []Doubled
	// Ahead are messages of an epoch that SQL does not have yet (it was restored from a backup), or of an item it does not
	// know. Nothing of them was written; their items are halted.
	Ahead []Message
}

// Claims keeps the claims.
type Claims interface {
	// Settle is T1 on one home shard, one transaction: locks the stock rows in id order, then decides each reservation as
	// design 7 says and writes claims, stock rows and owed `buyer` entries. Repeatable: known ids are skipped. Every
	// message's item must live on the shard. ErrTransient: nothing was written, or the answer to the commit was lost; the
	// same call may be repeated. ErrPoison: a reservation among them can never be written as a claim.
	//
	// When every reservation is new and held, the orders of users of the same shard are placed by that transaction too,
	// for items whose terms are given: T2 without a step of its own. Anything else leaves T2 of the whole call to the caller.
	Settle(ctx context.Context, shard int, messages []Message, terms map[ID]Terms) (Settlement, error)
	// Reject writes one reservation of a message as rejected for a reason, moving its units back to pool; a known id is
	// skipped. For poison: what makes Settle fail for good.
	Reject(ctx context.Context, shard int, message Message, reserved Reserved, reason Reason) (Settlement, error)
	// MarkOrdered notes that the orders of these claims exist.
	MarkOrdered(ctx context.Context, shard int, ids []ID) error
	// Unordered returns held claims that have waited for their order at least that long, oldest first.
	Unordered(ctx context.Context, shard int, olderThan time.Duration, limit int) ([]Claim, error)
	// Find reads claims of one item by id from the primary; those that do not exist are left out.
	Find(ctx context.Context, item ID, ids []ID) ([]Claim, error)
	// FindKeys reads claims of one item by (user, key hash); those that do not exist are left out.
	FindKeys(ctx context.Context, item ID, keys []LookRequest) ([]Claim, error)
	// OfUser reads a user's claims of one item, oldest first.
	OfUser(ctx context.Context, item ID, user UserID) ([]Claim, error)
	// Buyers pages through whole buyers of an item in user order; claims that are not held have quantity 0, except
	// returned ones of an item with OneTry. An empty page is the end.
	Buyers(ctx context.Context, item ID, after UserID, limit int) ([]Buyer, error)
}
