package seckill

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// StockState is where the present epoch of an item stands.
type StockState string

// The states of an item's stock.
//
//	new -> loading -> open -> sealing -> loading -> open ... -> closed
const (
	StockNew     StockState = "new"
	StockLoading StockState = "loading"
	StockOpen    StockState = "open"
	StockSealing StockState = "sealing"
	StockClosed  StockState = "closed"
)

// StockStates lists every state.
func StockStates() []StockState {
	return []StockState{StockNew, StockLoading, StockOpen, StockSealing, StockClosed}
}

// CanBecome says whether the transition exists. Loading may begin again with the next epoch (the loading keeper died),
// and an epoch that was never opened closes without being sealed.
func (s StockState) CanBecome(next StockState) bool {
	return slices.Contains(stockTransitions(s), next)
}

func stockTransitions(s StockState) []StockState {
	switch s {
	case StockNew:
		return []StockState{StockLoading, StockClosed}
	case StockLoading:
		return []StockState{StockOpen, StockLoading, StockClosed}
	case StockOpen:
		return []StockState{StockSealing}
	case StockSealing:
		return []StockState{StockLoading, StockClosed}
	default:
		return nil
	}
}

// Stock is the SQL row that owns an item's units: Allotted = Pool + Lent + Doubt + Claimed, all >= 0.
type Stock struct {
	Item     ID
	Allotted int64
	Pool     int64
	Lent     int64
	Doubt    int64
	Claimed  int64

	// Epoch is the present epoch; 0 before the first preload. Issue is the last issue number ever given; numbers never
	// restart.
	Epoch int64
	State StockState
	Issue int64
	// Final means that the next seal closes the item. Halted, when not empty, says why nobody may lend or rebuild.
	Final  bool
	Halted string
	// Attempt names the load that is under way.
	Attempt ID
	// High is the highest `sold` of the epoch that SQL has heard of, Accounted the units of the epoch that settling has
	// seen (claimed or rejected).
	High      int64
	Accounted int64
	// Ceiling is the highest per-user limit ever in force. OneTry is the item's: what is given back stays counted.
	Ceiling int64
	OneTry  bool
	// OwedDecrease is what operators took and the next Rebuild has to find in the pool; only a sealing or loading epoch
	// owes any.
	OwedDecrease int64
	Gate         time.Duration

	// By the database's clock: last state change, last progress of a load, last claim of the epoch, last seal.
	Since     time.Time
	Progress  time.Time
	ClaimedAt time.Time
	SealedAt  time.Time
	Version   int64
	// ReadAt is the database's clock when the row was read.
	ReadAt time.Time
}

// IsPastDoubt says that the last seal, if there was one, is so long ago that nothing of what it ended is waited for.
func (s Stock) IsPastDoubt() bool { return !s.ReadAt.Before(s.SealedAt.Add(DoubtFor)) }

// Move is one numbered change of an item's stock, written once in the transaction that makes it.
type Move struct {
	// ID is deterministic: "issue:<item>:<k>", "seal:<item>:<epoch>", "return:<claim>", "adjust:<item>:<op>". The first
	// adjust is called "allotment"; what a Rebuild pays of an owed decrease, "owed:<epoch>".
	ID    string
	Item  ID
	Kind  MoveKind
	Epoch int64
	Issue int64 // number k, for issues
	Units int64
	At    time.Time
}

// MoveKind is the kind of a Move.
type MoveKind string

// The kinds of moves.
const (
	MoveAdjust MoveKind = "adjust" // allotted and pool, by an operator (the first one is the allotment); may be of nothing
	MoveOwe    MoveKind = "owe"    // owed_decrease: above 0 by an operator, below 0 by the Rebuild that pays or forgets it
	MoveIssue  MoveKind = "issue"  // pool -> lent
	MoveSeal   MoveKind = "seal"   // lent -> pool at the end of an epoch
	MoveDoubt  MoveKind = "doubt"  // lent -> doubt at the end of an epoch
	MoveSettle MoveKind = "settle" // doubt -> pool, 60 s after the seal
	MoveReturn MoveKind = "return" // claimed -> pool
)

// SealRequest asks for the end of the present epoch.
type SealRequest struct {
	Item ID
	// Epoch is the epoch that was judged; a request for another one changes nothing. 0 seals whichever is present.
	Epoch int64
	// Final closes the item instead of loading the next epoch; it sticks in every state, and closes a new or loading item
	// at its next step.
	Final bool
	// PastClose says that no promise of the epoch can be on its way (its process is gone): the wait for close is skipped.
	PastClose bool
}

// Rebuild ends a sealed (or never opened) epoch and begins the next one.
type Rebuild struct {
	Item  ID
	Epoch int64
	From  StockState // StockNew, StockSealing or StockLoading
	// Attempt is the load under way when From is StockLoading, so that two keepers do not both restart it.
	Attempt ID
	// NextAttempt names the load that follows.
	NextAttempt ID
	// Target is how many units of the epoch Redis may have promised; what settling has not seen of it goes to doubt.
	Target int64
	// Version is the row's on which all this was judged; a row that was touched since must be judged again. 0 does not ask.
	Version int64
}

// Return is a claim whose units are for sale again.
type Return struct {
	Claim    ID
	User     UserID
	Quantity int64
}

// Returns brings units back from claims.
type Returns interface {
	// Return moves held claims of one item to returned and their units from claimed to pool, in one transaction with a move
	// for each, and owes each buyer's entry of quantity 0, unless OneTry keeps it counted. They count as ordered: only
	// an order is given back. A claim that is not held any more, is another item's or does not exist is skipped; a claim's
	// own user and quantity decide, not the request's. Repeatable; tells how many units came back by this call.
	Return(ctx context.Context, item ID, returns []Return) (int64, error)
	// LentAgain reads which claims' units came back since the issue before this one, and so are lent by it: at most limit,
	// the oldest first. By the times of the moves: of two in the same millisecond it may take one for the other.
	LentAgain(ctx context.Context, item ID, epoch, issue int64, limit int) ([]ID, error)
}

// OpMax bounds Adjustment.Op: a UUID fits, and so do the names of its moves into their column.
const OpMax = 36

// opAllotment names the first adjust move of every item.
const opAllotment = "allotment"

// Adjustment changes an item's allotment in the middle of its sale. Op names it: repeating one changes nothing.
type Adjustment struct {
	Item ID
	// Op is 1-36 of [A-Za-z0-9_.-], once per item.
	Op    string
	Delta int64
}

// Validate says what is wrong with an adjustment, in the client's words.
func (a Adjustment) Validate() error {
	switch {
	case len(a.Op) < 1 || len(a.Op) > OpMax || strings.ContainsFunc(a.Op, notOfOp):
		return InvalidField("op_id", fmt.Sprintf("must be 1-%d of A-Z, a-z, 0-9, _, . and -", OpMax))
	case a.Op == opAllotment:
		return InvalidField("op_id", "is what the first allotment is called; choose another name")
	case a.Delta == 0:
		return InvalidField("delta", "must not be 0")
	default:
		return nil
	}
}

func notOfOp(c rune) bool {
	letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	digit := c >= '0' && c <= '9'
	return !letter && !digit && c != '_' && c != '.' && c != '-'
}

// Adjusted is what became of an adjustment.
type Adjusted struct {
	// Stock is the row after it, or as it is now when nothing was changed.
	Stock Stock
	// Taken is what changed at once, signed as Delta is; Owed is what the next Rebuild still has to find.
	Taken int64
	Owed  int64
	// Repeated says that the op was known; Taken and Owed are then those of the first time.
	Repeated bool
	// Refused says that Delta is more than there is to take; Largest is the most that could be taken now. Nothing changed.
	Refused bool
	Largest int64
}

// Adjustments are the operators' corrections of stock.
type Adjustments interface {
	// Adjust adds to allotted and pool, or takes from them. What the pool lacks for a decrease is noted as owed, and taken
	// by the next Rebuild as far as it goes; an open epoch is sealed for it in the same transaction, and one that is being
	// loaded is not opened, so nobody else has to remember it. Several decreases may be owed at once. An increase goes to
	// the pool as a whole also while one is owed: nothing is lent before the Rebuild, which takes from that pool. An item
	// whose stock is closed refuses every adjustment with Largest 0.
	//
	// Refuses what Validate refuses, and with idempotency_mismatch an op that is known for another delta. ErrNotFound
	// without a row.
	Adjust(ctx context.Context, adjustment Adjustment) (Adjusted, error)
}

// Halts are what Stocks.Halt has stopped, and an operator lets go on.
type Halts interface {
	// Reopen lets a halted item be lent and rebuilt again, and returns why it was halted; "" when it was not. An open epoch is
	// sealed in the same transaction, so that Redis sells next what SQL says then. ErrNotFound without a row.
	Reopen(ctx context.Context, item ID) (Stock, string, error)
}

// Stocks keeps the stock rows. Every method that moves units locks the row first, then reads, decides and writes in one
// transaction; all are conditional, so that a repeated or late call changes nothing and says so.
type Stocks interface {
	// Create writes a new row (pool = allotted) with its adjust move, if there is none.
	Create(ctx context.Context, item Item, gate time.Duration) error
	// Get reads the row from the primary, or ErrNotFound.
	Get(ctx context.Context, item ID) (Stock, error)
	// List reads every row of a shard that is in one of the states.
	List(ctx context.Context, shard int, states ...StockState) ([]Stock, error)
	// Seal moves open -> sealing and returns true only when this call did. final and PastClose are noted also when it
	// returns false, final in every state but closed and PastClose while sealing; a request for another epoch notes nothing.
	Seal(ctx context.Context, request SealRequest) (bool, error)
	// RaiseHigh lifts high to sold while the epoch is still that one.
	RaiseHigh(ctx context.Context, item ID, epoch, sold int64) error
	// Rebuild moves, in one transaction: doubt += min(lent, max(0, target - accounted)) when From is sealing (an epoch
	// that was never opened promised nothing), the rest of lent to pool, lent = 0, epoch + 1, high = accounted = 0,
	// owed decreases out of pool and allotted as far as it goes, the rest of them forgotten; final: state = closed; else the whole pool to lent as
	// the next issue (its number is given even when the pool is empty), attempt = NextAttempt, state = loading. Returns
	// the row after it. False, with the row as it is: somebody else did, the row was touched since it was judged, or the
	// item is halted.
	Rebuild(ctx context.Context, rebuild Rebuild) (Stock, bool, error)
	// Progress notes that a load is alive; false when it is no longer this epoch and attempt.
	Progress(ctx context.Context, item ID, epoch int64, attempt ID) (bool, error)
	// Open moves loading -> open for this epoch and attempt; only a true without error may be followed by Lent.Open. False
	// also when the item became final or owes a decrease (Rebuild closes it, or pays, from loading), or was halted.
	Open(ctx context.Context, item ID, epoch int64, attempt ID) (bool, error)
	// Issue lends the whole pool as the next numbered issue, if the item is open and the pool is not empty.
	Issue(ctx context.Context, item ID) (Move, bool, error)
	// Moves returns the issues of an epoch with a number above after, in order.
	Moves(ctx context.Context, item ID, epoch, after int64) ([]Move, error)
	// ReleaseDoubt moves doubt -> pool if the last seal is at least DoubtFor ago, in every state; returns how many.
	ReleaseDoubt(ctx context.Context, item ID) (int64, error)
	// RaiseCeiling lifts the ceiling to limit; called before Redis hears of a higher limit. ErrNotFound without a row.
	RaiseCeiling(ctx context.Context, item ID, limit int64) error
	// Halt stops lending and rebuilding of an item, with a reason for the operator; the first reason stays.
	Halt(ctx context.Context, item ID, reason string) error
}
