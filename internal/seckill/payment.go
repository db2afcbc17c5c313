package seckill

import (
	"context"
	"errors"
	"slices"
	"time"
)

// PaymentState is where an attempt to pay stands.
type PaymentState string

// The states of a payment: open -> paid | closed. Money that arrives on a closed one is a charge all the same, and goes back.
const (
	PaymentOpen   PaymentState = "open"
	PaymentPaid   PaymentState = "paid"
	PaymentClosed PaymentState = "closed"
)

// PaymentStates lists every state.
func PaymentStates() []PaymentState { return []PaymentState{PaymentOpen, PaymentPaid, PaymentClosed} }

// CanBecome says whether the transition exists.
func (s PaymentState) CanBecome(next PaymentState) bool {
	return s == PaymentOpen && slices.Contains([]PaymentState{PaymentPaid, PaymentClosed}, next)
}

// Payment is one attempt to pay an order at a provider. Its id is made in the user's bucket, so that it routes, and is what
// the provider knows it by: opening it twice opens one.
type Payment struct {
	ID       ID
	Order    ID
	Provider string
	// Session and URL are the provider's: what it calls the payment, and where the shopper pays. Empty until it has answered.
	Session     string
	URL         string
	AmountMinor int64
	Currency    string
	State       PaymentState
	// ExpiresAt is the order's deadline, or sooner where the provider keeps nothing open for so long.
	ExpiresAt time.Time
	CreatedAt time.Time
}

// Lapsed says that the provider keeps the payment open no longer, although its order may be paid for longer: another one
// has to be begun. The last one of an order does not lapse, it is late.
func (p Payment) Lapsed(order Order, now time.Time) bool {
	return p.ExpiresAt.Before(order.PayBy) && !now.Before(p.ExpiresAt)
}

// NewPayment asks for an attempt to pay an order.
type NewPayment struct {
	ID       ID
	Order    ID
	User     UserID
	Provider string
	// Lives is how long the provider keeps it open at most, 0 for as long as the order may be paid.
	Lives time.Duration
}

// RefundReason is why money goes back.
type RefundReason string

// The reasons of refunds. The first five are of charges that must not stand, judged when they arrive.
const (
	RefundLate          RefundReason = "late"           // the deadline had passed
	RefundCancelled     RefundReason = "cancelled"      // the order had been cancelled
	RefundDouble        RefundReason = "double"         // the order had been paid
	RefundWrongAmount   RefundReason = "wrong_amount"   // less or more than the order costs
	RefundWrongCurrency RefundReason = "wrong_currency" // not the order's currency
	RefundOperator      RefundReason = "operator"       // an operator gave the money of a paid order back
)

// RefundReasons lists every reason.
func RefundReasons() []RefundReason {
	return []RefundReason{
		RefundLate, RefundCancelled, RefundDouble, RefundWrongAmount, RefundWrongCurrency, RefundOperator,
	}
}

// Charge is money that arrived at the provider, which calls it Txn: there is one row for each (Provider, Txn), however often
// it is told.
type Charge struct {
	Provider string
	Txn      string
	// Payment is the attempt it was paid on, Order that one's order.
	Payment     ID
	Order       ID
	AmountMinor int64
	Currency    string
	// At is the database's clock when it was recorded. Refund says why it must go back, "" that it paid the order.
	At     time.Time
	Refund RefundReason
}

// RefundState is where a refund stands.
type RefundState string

// The states of a refund: owed -> done.
const (
	RefundOwed RefundState = "owed"
	RefundDone RefundState = "done"
)

// RefundStates lists every state.
func RefundStates() []RefundState { return []RefundState{RefundOwed, RefundDone} }

// Refund gives one charge back, all of it. One for each (Provider, Txn).
type Refund struct {
	Provider string
	Txn      string
	Order    ID
	// Session is the provider's name of the payment that was charged.
	Session     string
	AmountMinor int64
	Currency    string
	Reason      RefundReason
	// Restock says that the order's units are for sale again once the money is back; only of an operator's refund.
	Restock bool
	State   RefundState
	// Tries counts those that failed, NextAt is when it is tried again, Failure what the last one said.
	Tries   int64
	NextAt  time.Time
	Failure string
	At      time.Time
	DoneAt  time.Time
}

// Cancellation asks for the end of an unpaid order.
type Cancellation struct {
	Order ID
	// User is whose order it must be; "" asks nobody, for operators.
	User UserID
	// Version is what the row's must be; 0 does not ask.
	Version int64
	Cause   OrderCause
}

// RefundRequest asks for the money of a paid order back. Fields as in Cancellation.
type RefundRequest struct {
	Order   ID
	Version int64
	Restock bool
	Cause   OrderCause
}

// Payments is what becomes of orders after they are placed, in their users' shards. Each change is one transaction: the
// order's row is locked first, moved from the state it must be in, and gets its event; what others have to do about it is
// owed by the same transaction. Who comes too late changes nothing and reads what was decided. All deadlines are judged by
// the shard's clock. ErrTransient: nothing was written, or the answer to the commit was lost; every call may be repeated,
// and changes nothing more.
type Payments interface {
	// Cancel moves unpaid -> cancelled and owes the `return` of its units. False, with the order as it is: another state or
	// another version. ErrNotFound also when it is somebody else's.
	Cancel(ctx context.Context, cancellation Cancellation) (Order, bool, error)
	// CancelOverdue cancels the shard's unpaid orders whose deadline has passed, at most limit, the oldest deadlines first,
	// and tells how many.
	CancelOverdue(ctx context.Context, shard, limit int) (int, error)
	// Begin returns the order's open payment at the provider that no money came in on, lapsed or not, or writes a new one.
	// False, with the order as it is: it is not unpaid, or its deadline has passed. ErrNotFound also when it is somebody
	// else's.
	Begin(ctx context.Context, payment NewPayment) (Payment, Order, bool, error)
	// Opened notes what the provider calls a payment, if that is not known yet, and returns the payment as it then is.
	Opened(ctx context.Context, payment ID, session, url string) (Payment, error)
	// Closed moves open -> closed: the provider has said that nothing more is paid on it.
	Closed(ctx context.Context, payment ID) error
	// Payment reads one attempt, or ErrNotFound.
	Payment(ctx context.Context, id ID) (Payment, error)
	// PaymentsOf reads an order's attempts, oldest first.
	PaymentsOf(ctx context.Context, order ID) ([]Payment, error)
	// OpenPayments reads the open attempts of orders that all live on the shard.
	OpenPayments(ctx context.Context, shard int, orders []ID) ([]Payment, error)
	// Record writes a charge once and judges it then: it pays the order (unpaid -> paid) if that is unpaid, its deadline has
	// not passed, and amount and currency are the order's; else it owes a refund. Returns the charge as recorded, and
	// whether this call did. charge.Payment routes; ErrNotFound when there is no such payment.
	Record(ctx context.Context, charge Charge) (Charge, bool, error)
	// ChargesOf reads an order's charges, RefundsOf its refunds, oldest first.
	ChargesOf(ctx context.Context, order ID) ([]Charge, error)
	RefundsOf(ctx context.Context, order ID) ([]Refund, error)
	// Refund moves paid -> refunding and owes the refund of the charge that paid it. False, with the order as it is:
	// another state or another version.
	Refund(ctx context.Context, request RefundRequest) (Order, bool, error)
	// RefundsDue reads the shard's owed refunds whose next try has come, those that have waited longest first.
	RefundsDue(ctx context.Context, shard, limit int) ([]Refund, error)
	// RefundsOwed counts the shard's owed refunds, due or not, and tells how long the oldest has been owed.
	RefundsOwed(ctx context.Context, shard int) (int64, time.Duration, error)
	// RefundFailed counts a try, the one after refund.Tries, notes what went wrong, and puts the next one off for that long.
	RefundFailed(ctx context.Context, refund Refund, wait time.Duration, failure string) error
	// Refunded moves the refund owed -> done, and the order refunding -> refunded if this is the charge that paid it; with
	// Restock it then owes the `return` of the units. False: somebody did before.
	Refunded(ctx context.Context, refund Refund) (bool, error)
	// SinceEnd tells how long ago orders were cancelled or refunded, in no order; those that were not are left out.
	SinceEnd(ctx context.Context, orders []ID) ([]time.Duration, error)
	// Events reads an order's events, oldest first.
	Events(ctx context.Context, order ID) ([]OrderEvent, error)
}

// Errors of payment providers.
var (
	// ErrForged says that a notice does not come from the provider: its signature is wrong, missing, or too old.
	ErrForged = errors.New("the signature is not the provider's")
	// ErrUnreadable says that a notice comes from the provider and makes no sense.
	ErrUnreadable = errors.New("the notice cannot be read")
	// ErrOver says that a payment cannot be paid any more at the provider, though nobody has closed it: once it is closed,
	// another one may be begun.
	ErrOver = errors.New("the payment is over at its provider")
	// ErrRefused says that the provider has understood and will not do it: a payment of that amount or currency, say, or in
	// an account that is set up like this. Nothing was done, and asking again helps only once somebody has changed something.
	ErrRefused = errors.New("the provider refuses")
)

// Notice is what a provider posted to us.
type Notice struct {
	// Header reads one header of the request, "" when it is missing.
	Header func(name string) string
	Body   []byte
	// At is when it came.
	At time.Time
}

// Provider takes money and gives it back. Every method may be repeated: the payment's id, or the charge's name, is the key.
// ErrUnavailable and any other error alike: ask again.
type Provider interface {
	// Name is what rows and URLs call it: lower case letters.
	Name() string
	// Lives is how long it keeps a payment open at most, 0 for as long as it is asked to.
	Lives() time.Duration
	// Open makes what the shopper pays at, or finds the one it has made before; title is what he reads there. ErrOver,
	// ErrRefused.
	Open(ctx context.Context, payment Payment, title string) (session, url string, err error)
	// Close sees to it that nothing more is paid on a payment, one that was never opened included, and returns the money
	// that has arrived on it, if any.
	Close(ctx context.Context, payment Payment) ([]Charge, error)
	// Refund gives a charge back and returns nil when that is certain.
	Refund(ctx context.Context, refund Refund) error
	// Read checks a notice and returns the charges it tells of, with Payment set; none when it is about something else.
	// ErrForged, ErrUnreadable.
	Read(notice Notice) ([]Charge, error)
}
