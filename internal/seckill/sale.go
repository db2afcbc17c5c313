package seckill

import (
	"context"
	"slices"
	"time"
)

// SaleState is where a sale stands.
type SaleState string

// The states of a sale: draft -> scheduled (preloaded) -> live <-> paused -> ended.
const (
	SaleDraft     SaleState = "draft"
	SaleScheduled SaleState = "scheduled"
	SaleLive      SaleState = "live"
	SalePaused    SaleState = "paused"
	SaleEnded     SaleState = "ended"
)

// SaleStates lists every state.
func SaleStates() []SaleState {
	return []SaleState{SaleDraft, SaleScheduled, SaleLive, SalePaused, SaleEnded}
}

// CanBecome says whether the transition exists. Scheduled may end without ever being live (ended early, or the
// system slept through the window); paused may be entered from scheduled too, so that a sale can be held back.
func (s SaleState) CanBecome(next SaleState) bool {
	return slices.Contains(saleTransitions(s), next)
}

func saleTransitions(s SaleState) []SaleState {
	switch s {
	case SaleDraft:
		return []SaleState{SaleScheduled}
	case SaleScheduled:
		return []SaleState{SaleLive, SalePaused, SaleEnded}
	case SaleLive:
		return []SaleState{SalePaused, SaleEnded}
	case SalePaused:
		return []SaleState{SaleLive, SaleScheduled, SaleEnded}
	default:
		return nil
	}
}

// Sale is a promotion with a window. Version grows with every change; Redis ignores what is older.
type Sale struct {
	ID        ID
	Name      string
	State     SaleState
	StartsAt  time.Time
	EndsAt    time.Time
	PayWithin time.Duration
	Version   int64
	CreatedAt time.Time
	Items     []Item
}

// StateAt is the state that is true at a moment: the clock decides before somebody has written it down.
func (s Sale) StateAt(now time.Time) SaleState {
	switch {
	case s.State == SaleDraft:
		return SaleDraft
	case !now.Before(s.EndsAt):
		return SaleEnded
	case s.State == SaleScheduled && !now.Before(s.StartsAt):
		return SaleLive
	default:
		return s.State
	}
}

// Item is one SKU in one sale. Prices are in minor units of Currency (ISO 4217). OneTry says that what a user gave back
// (cancelled, did not pay in time, or was refunded) stays counted against LimitPerUser: with a limit of 2, who has given one
// unit back may still buy one.
type Item struct {
	ID           ID
	Sale         ID
	SKU          string
	Title        string
	PriceMinor   int64
	Currency     string
	Allotment    int64
	LimitPerUser int64
	OneTry       bool
}

// SaleQuery selects sales, newest first. After is the last id of the previous page (0: from the start).
type SaleQuery struct {
	States []SaleState
	After  ID
	Limit  int
}

// SaleChange is a conditional transition of one sale.
type SaleChange struct {
	Sale ID
	From []SaleState
	To   SaleState
	// Version is what the row's must be; 0 does not ask.
	Version int64
	Act     Act
}

// Act is one line of the operators' log. Its id and time are given when it is written.
type Act struct {
	ID     ID
	Actor  string // "operator:<name>", "keeper", ...
	Action string // "sale.pause", ...
	Target ID
	Before string // JSON, may be empty
	After  string // JSON, may be empty
	At     time.Time
}

// ActQuery selects lines of the operators' log, newest first. No targets: all. Actor "": everybody. After is the last id of
// the previous page (0: from the start).
type ActQuery struct {
	Targets []ID
	Actor   string
	After   ID
	Limit   int
}

// Catalog is the book of sales, items and operators' acts on shard 0. All times it judges by are the database's.
type Catalog interface {
	// Create writes a draft with its items and the act, in one transaction. Repeating the same id is a no-op.
	Create(ctx context.Context, sale Sale, act Act) error
	// Update replaces name, window, pay-within and, for a draft, the items; only if the row still has sale.Version, which
	// then grows by one. For a sale that is not a draft only window, name and items' limits change. False: somebody else
	// changed it first, or it is gone.
	Update(ctx context.Context, sale Sale, act Act) (bool, error)
	// Delete removes a draft of that version; false when it is no longer a draft, changed, or gone.
	Delete(ctx context.Context, id ID, version int64, act Act) (bool, error)
	// Change moves the state if it is one of change.From and the version is change.Version, version + 1, with the act in the same transaction; false when
	// somebody else decided.
	Change(ctx context.Context, change SaleChange) (bool, error)
	// Advance applies what the clock decides: scheduled -> live at starts_at; scheduled, live, paused -> ended at ends_at.
	// Returns the ids it changed. Repeatable, any number of callers.
	Advance(ctx context.Context) ([]ID, error)
	// Sale returns one sale with its items, or ErrNotFound.
	Sale(ctx context.Context, id ID) (Sale, error)
	// Item returns one item, or ErrNotFound.
	Item(ctx context.Context, id ID) (Item, error)
	// Sales returns a page of sales with their items.
	Sales(ctx context.Context, query SaleQuery) ([]Sale, error)
	// Running returns every sale that is not a draft and not ended before the given time, with its items: what the hot
	// path and the keepers watch.
	Running(ctx context.Context, endedAfter time.Time) ([]Sale, error)
	// Acts returns the operators' log of a target, newest first.
	Acts(ctx context.Context, target ID, limit int) ([]Act, error)
	// Log writes an act alone: one on what lies elsewhere, and so cannot share its transaction.
	Log(ctx context.Context, act Act) error
	// Journal returns a page of the operators' log.
	Journal(ctx context.Context, query ActQuery) ([]Act, error)
	// Now is the database's clock.
	Now(ctx context.Context) (time.Time, error)
}

// Account is a built-in shopper account; Hash is an encoded argon2id hash.
type Account struct {
	ID   ID
	User UserID
	Hash string
}

// Accounts keeps the built-in accounts on shard 0.
type Accounts interface {
	// Create writes the account; false when the user name is taken.
	Create(ctx context.Context, account Account) (bool, error)
	// Find returns the account, or ErrNotFound.
	Find(ctx context.Context, user UserID) (Account, error)
}
