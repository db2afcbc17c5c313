package seckill

import (
	"context"
	"time"
)

// StockFacts is a stock row with what its claims and moves add up to, read in one snapshot.
type StockFacts struct {
	Stock Stock
	// HeldUnits is the sum over held claims, ReturnedUnits over returned ones, ClaimUnits over all (rejected ones too),
	// EpochUnits over all of the present epoch.
	HeldUnits     int64
	ReturnedUnits int64
	ClaimUnits    int64
	EpochUnits    int64
	// AdjustUnits is the sum of adjust moves, LastIssue the highest issue number among the moves, Issues how many issues
	// there are, LastIssueEpoch the highest epoch that has one.
	AdjustUnits    int64
	Issues         int64
	LastIssue      int64
	LastIssueEpoch int64
	// Moved sums the moves by kind, EpochIssued only the issues of the present epoch.
	Moved       map[MoveKind]int64
	EpochIssued int64
	// OverLimit are users whose held units exceed the ceiling; of an item with OneTry, held and returned ones.
	OverLimit []UserID
}

// ClaimPlace is where a claim stands among those of its item: by user, then by key hash. The zero value comes before all.
type ClaimPlace struct {
	User    UserID
	KeyHash string
}

// Place is where the claim stands.
func (c *Claim) Place() ClaimPlace { return ClaimPlace{User: c.User, KeyHash: c.KeyHash} }

// Books reads everything an audit compares, from the primary. Read-only. What a page of claims or moves costs depends on limit
// alone, never on how much there is.
type Books interface {
	// Facts reads one item's stock in one snapshot, or ErrNotFound.
	Facts(ctx context.Context, item ID) (StockFacts, error)
	// StockItems lists the ids of every stock row on a shard.
	StockItems(ctx context.Context, shard int) ([]ID, error)
	// Orphans lists the items without a stock row on the shard that its other tables speak of: each once per table.
	Orphans(ctx context.Context, shard int) ([]Orphan, error)
	// MovesAfter pages through an item's moves by id.
	MovesAfter(ctx context.Context, item ID, after string, limit int) ([]Move, error)
	// MovesOf reads an item's moves by id; missing ones are left out.
	MovesOf(ctx context.Context, item ID, ids []string) ([]Move, error)
	// OwedAfter pages through a shard's outbox by id, whatever the kinds of its rows.
	OwedAfter(ctx context.Context, shard int, after ID, limit int) ([]Owed, error)
	// MovesBetween pages through a shard's moves by id: those above after and below before.
	MovesBetween(ctx context.Context, shard int, after, before string, limit int) ([]Move, error)
	// ClaimsOf pages through an item's claims in the order of their places, so that a user's stand together.
	ClaimsOf(ctx context.Context, item ID, after ClaimPlace, limit int) ([]Claim, error)
	// OrdersOf reads orders by id, wherever they live; missing ones are left out.
	OrdersOf(ctx context.Context, ids []ID) ([]Order, error)
	// OrdersAfter pages through a shard's orders of these items, nil for all, by (table, id); cursor "" begins, "" returned
	// ends. Orders found in a table their id does not belong to are returned too, flagged Misplaced.
	OrdersAfter(ctx context.Context, shard int, of []ID, cursor string, limit int) (page []BookedOrder, next string, err error)
	// MoneyOf reads what a shard has of these orders besides their rows, in one snapshot.
	MoneyOf(ctx context.Context, shard int, orders []ID) (Money, error)
	// PaidAfter pages through the ids of the orders that a shard has payments, charges or refunds of.
	PaidAfter(ctx context.Context, shard int, after ID, limit int) ([]ID, error)
	// EventsAfter pages through the events that a shard keeps, by id, each with its dispatches, in one snapshot.
	EventsAfter(ctx context.Context, shard int, after ID, limit int) ([]BookedEvent, error)
	// LostDispatches reads some of the dispatches that a shard has without their event.
	LostDispatches(ctx context.Context, shard, limit int) ([]Dispatch, error)
}

// Money is what was paid on orders, what goes back, and which of them have units that are to go back. Untold are the steps
// of theirs that name an event which there is not.
type Money struct {
	Payments []Payment
	Charges  []Charge
	Refunds  []Refund
	Returns  []Owed
	Untold   []OrderEvent
}

// BookedEvent is an event as it was found: nobody has been told of it yet, or not everybody.
type BookedEvent struct {
	Event
	// Spread says that its dispatches were written, Left how many of them there should still be.
	Spread     bool
	Left       int64
	Dispatches []BookedDispatch
	// Step is the state that the order had come to by the step that names this event; "" when none does.
	Step OrderState
	// Alike counts the events of its subject and version, itself among them.
	Alike int64
	// ReadAt is the database's clock when it was read.
	ReadAt time.Time
}

// BookedDispatch is a dispatch of an event, with what the row itself says of it.
type BookedDispatch struct {
	Endpoint string
	Subject  ID
	Version  int64
	Tries    int64
	Failure  string
	Since    time.Time
	NextAt   time.Time
	Dead     bool
}

// Orphan is an item that a table has rows of, while stock has none.
type Orphan struct {
	Table string
	Item  ID
}

// BookedOrder is an order as found in its table.
type BookedOrder struct {
	Order
	// Table names the table; Misplaced says that id or user belong elsewhere.
	Table     string
	Misplaced bool
	// Events is the number of its events, FirstEvent and LastEvent their lowest and highest version, LastState the state
	// of the last one.
	Events     int64
	FirstEvent int64
	LastEvent  int64
	LastState  OrderState
	// ReadAt is the database's clock when it was read.
	ReadAt time.Time
}
