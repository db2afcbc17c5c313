package seckill

import (
	"context"
	"time"
)

// Server identifies the Redis that answered and its clock. A promotion changes ReplicationID, a restart RunID: whoever
// holds a gate for another pair must not sell.
type Server struct {
	Now           time.Time
	RunID         string
	ReplicationID string
}

// ReserveRequest asks for units. KeyHash is KeyHash(key, id).
type ReserveRequest struct {
	ID       ID
	User     UserID
	Quantity int64
	KeyHash  string
}

// ReserveCode is what Redis said to one request.
type ReserveCode int

// The codes. The numbers are those of reserve.lua.
const (
	ReserveAccepted     ReserveCode = iota + 1 // newly reserved, in this batch
	ReserveReplayed                            // known, and its batch is no longer unsent
	ReserveUnsent                              // known, and its batch is still unsent: publish it before answering
	ReserveMismatch                            // known key, other quantity
	ReserveGivenBack                           // known, given back or rejected: the claim says more
	ReserveNotStarted                          // before the window
	ReserveEnded                               // after the window
	ReservePaused                              // paused
	ReserveLimitReached                        // sum of held quantities + quantity > limit
	ReserveSoldOut                             // fewer left than asked
)

// ReserveOutcome answers one request.
type ReserveOutcome struct {
	Code ReserveCode
	// ID, Quantity and Batch are those of the reservation that exists; for a refusal the request's own. Batch is 0 for a
	// reservation that was loaded from SQL.
	ID       ID
	Quantity int64
	Batch    ID
	// Available is what was left when a sold_out was decided.
	Available int64
	// Held are the user's entries when the limit was reached.
	Held []BuyerEntry
}

// Body is the exact message of a batch.
type Body struct {
	Batch ID
	Bytes []byte
}

// ReserveReply is what one Lua call decided.
type ReserveReply struct {
	Epoch int64
	// Sold counts the units reserved in this epoch so far, Available what is left, both after the call.
	Sold      int64
	Available int64
	Now       time.Time
	Outcomes  []ReserveOutcome // one per request, in order
	// Own is the message of this batch; its Bytes are nil when nothing was newly accepted.
	Own Body
	// Unsent are the bodies of at most UnsentBodiesMax unsent batches that replays met.
	Unsent []Body
}

// Bounds of one Lua call.
const (
	ReserveBatchMax = 256
	UnsentBodiesMax = 8
)

// LookRequest asks for a reservation by key hash (ID 0) or by id, or, with neither, for all the user holds.
type LookRequest struct {
	User    UserID
	KeyHash string
	ID      ID
}

// LookAnswer is what buyers hold. Found false: no such entry. Held answers a request with neither key hash nor id: all
// entries of the user, those with quantity 0 included.
type LookAnswer struct {
	Found bool
	Entry BuyerEntry
	Held  []BuyerEntry
}

// BuyerEntry is one reservation inside a buyer's value. Quantity 0: given back or rejected, the key still known.
type BuyerEntry struct {
	ID       ID
	Quantity int64
	KeyHash  string
	Batch    ID // 0 when loaded from SQL
	// Unsent says that nobody has confirmed its batch yet, so that it is not promised. Only Look says so.
	Unsent bool
}

// Buyer is everything one user holds of an item.
type Buyer struct {
	User    UserID
	Entries []BuyerEntry
}

// LentState is what Redis knows of an item; one consistent reading.
type LentState struct {
	Item ID
	// Known is false when there is no meta. Live also needs an opened epoch and a valid gate of this server.
	Known     bool
	Live      bool
	Epoch     int64
	Available int64
	Sold      int64
	Issue     int64
	OpensAt   time.Time
	ClosesAt  time.Time
	Limit     int64
	// Opened says that the epoch was opened (it may still be gated), Paused that the sale is paused.
	Opened bool
	Paused bool
	// GateEpoch, GateRunID and GateReplicationID are the gate's, 0 and "" when there is none; Server is the one answering.
	GateEpoch         int64
	GateRunID         string
	GateReplicationID string
	Server            Server
	Unsent            int64
	Unsettled         int64
}

// Load is the last step of a load: what meta becomes.
type Load struct {
	Item    ID
	Epoch   int64
	Attempt ID
	// Issue and Available are the epoch's first issue.
	Issue     int64
	Available int64
	OpensAt   time.Time
	ClosesAt  time.Time
	Limit     int64
	Paused    bool
	// Version is the sale's.
	Version int64
	// Buyers is how many were sent in chunks; a different count refuses the load, because the side key was lost.
	Buyers int64
}

// Gate is permission to sell until a moment of one server's clock.
type Gate struct {
	Item   ID
	Epoch  int64
	Server Server
	Until  time.Time
}

// Renewal prolongs a gate and carries the sale's settings.
type Renewal struct {
	Gate
	Version  int64
	Paused   bool
	OpensAt  time.Time
	ClosesAt time.Time
	Limit    int64
}

// DueQuery asks which batches the relay owes now. Zero durations leave that set out.
type DueQuery struct {
	// UnsentFor and UnsettledFor are how long a batch must have stood in its set.
	UnsentFor    time.Duration
	UnsettledFor time.Duration
	// TriesMax is after how many tries a batch is only due once per SlowFor.
	TriesMax int
	SlowFor  time.Duration
	Max      int
}

// DueEntry is one batch to publish (again). Tries counts this one.
type DueEntry struct {
	Body
	Unsent bool
	Tries  int
}

// BuyerOutcome is the answer to SetBuyer.
type BuyerOutcome int

// The outcomes of SetBuyer.
const (
	BuyerNotLive BuyerOutcome = iota // epoch not open, or older than the one seen: owed again
	BuyerApplied
)

// Lent is the item in Redis: units lent for one epoch, who holds them, and the outbox of what the queue is still owed.
// Every method is one atomic step (one script) and safe to repeat. ErrUnavailable means nothing was done; other
// transport errors leave the outcome unknown.
type Lent interface {
	// Reserve decides at most ReserveBatchMax requests in order, each seeing the earlier ones, and writes buyers and one
	// outbox entry in the same step. ErrNotLive: nothing was decided. A repeat must use a new batch and the same request ids.
	Reserve(ctx context.Context, item, batch ID, requests []ReserveRequest) (ReserveReply, error)
	// Look reads buyers' entries; ErrNotLive when the gate does not hold.
	Look(ctx context.Context, item ID, requests []LookRequest) ([]LookAnswer, error)
	// Sent moves batches from unsent to unsettled, those that are unsent.
	Sent(ctx context.Context, item ID, batches []ID) error
	// Settled deletes batches from the outbox.
	Settled(ctx context.Context, item ID, batches []ID) error
	// Due returns what is owed now, scores it with the present time and counts the try.
	Due(ctx context.Context, item ID, query DueQuery) ([]DueEntry, error)
	// Outbox pages through every batch that is not settled, the unsent ones first, without touching it. Pages shift when
	// batches are settled meanwhile.
	Outbox(ctx context.Context, item ID, offset, limit int) ([]DueEntry, error)
	// LoadBuyers writes a chunk of whole buyers into the side key of the attempt. ErrEpochKnown when meta has the epoch.
	LoadBuyers(ctx context.Context, item ID, epoch int64, attempt ID, buyers []Buyer) error
	// Load replaces buyers by the side key, drops the gate and writes meta, closed. ErrEpochKnown when meta.epoch >= epoch.
	// Outbox entries stay.
	Load(ctx context.Context, load Load) error
	// Open opens a loaded epoch and creates the gate. ErrNotLive when meta is not that epoch, closed.
	Open(ctx context.Context, gate Gate) error
	// Renew prolongs the gate if it exists for this epoch and server, never shortens it, and carries the settings unless
	// meta has a newer version. ErrNotLive when there is no such gate.
	Renew(ctx context.Context, renewal Renewal) error
	// RenewAll is Renew for many gates in one round trip. There is one error for each, in order, nil for those renewed.
	RenewAll(ctx context.Context, renewals []Renewal) []error
	// Issue applies issue number move.Issue of move.Epoch: the next number applies, a known one is a no-op, a gap or another
	// epoch is ErrNotLive. Tells whether this call applied it.
	Issue(ctx context.Context, move Move) (bool, error)
	// SetBuyer adds an entry, or lowers a present one to the smaller quantity. epoch is the one seen when it was owed.
	SetBuyer(ctx context.Context, item ID, epoch int64, user UserID, entry BuyerEntry) (BuyerOutcome, error)
	// States reads several items, in the order asked. An item without meta is Known = false. Items whose server does not
	// answer are left out, and the error says so: what did come may be used.
	States(ctx context.Context, items []ID) ([]LentState, error)
	// Server identifies the Redis that serves the item.
	Server(ctx context.Context, item ID) (Server, error)
	// Expire drops the item's keys after a while, unless its outbox is not empty.
	Expire(ctx context.Context, item ID, after time.Duration) error
}

// Decision says that a reservation is decided, so that whoever waits may look.
type Decision struct {
	Item        ID
	Reservation ID
}

// Announcements carries decisions from workers to waiting api processes. Best effort: a lost one costs a poll.
type Announcements interface {
	Announce(ctx context.Context, decisions []Decision) error
	// Listen calls deliver until ctx ends; it reconnects by itself.
	Listen(ctx context.Context, deliver func([]Decision)) error
}
