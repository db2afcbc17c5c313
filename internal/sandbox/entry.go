package sandbox

import "time"

// Kind is what a line of the ledger tells.
type Kind string

// The kinds of entries.
const (
	KindOpened   Kind = "opened"   // a session
	KindClosed   Kind = "closed"   // a session, or a reference before it had one
	KindPromised Kind = "promised" // a payment that comes by itself, later
	KindCharged  Kind = "charged"  // money arrived
	KindRefunded Kind = "refunded" // all of a charge went back
	KindTold     Kind = "told"     // the webhook has confirmed a charge
	KindGivenUp  Kind = "given_up" // the webhook has confirmed nothing for too long
)

// Entry is one line of the ledger. N counts from 1 without gaps; Session and Reference are always there.
type Entry struct {
	N         int64     `json:"n"`
	At        time.Time `json:"at"`
	Kind      Kind      `json:"kind"`
	Session   string    `json:"session"`
	Reference string    `json:"reference"`
	// Key and Title are of what was opened, ExpiresAt its deadline.
	Key       string    `json:"key,omitempty"`
	Title     string    `json:"title,omitempty"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// Txn is the charge, Refund what gave it back.
	Txn    string `json:"txn,omitempty"`
	Refund string `json:"refund,omitempty"`
	// AmountMinor and Currency are the session's, the charge's or the refund's.
	AmountMinor int64  `json:"amount_minor"`
	Currency    string `json:"currency,omitempty"`
	// Behave and DueAt are of a promise; Promise is the number of the one that a charge keeps.
	Behave  Behaviour `json:"behave,omitempty"`
	DueAt   time.Time `json:"due_at,omitzero"`
	Promise int64     `json:"promise,omitempty"`
}

// Behaviour is how somebody pays.
type Behaviour string

// The behaviours. Only BehaveLate pays what is over.
const (
	BehavePay           Behaviour = "pay"
	BehaveTwice         Behaviour = "twice"
	BehaveLate          Behaviour = "late"
	BehaveWrongAmount   Behaviour = "wrong_amount"
	BehaveWrongCurrency Behaviour = "wrong_currency"
)

// Behaviours lists every behaviour.
func Behaviours() []Behaviour {
	return []Behaviour{BehavePay, BehaveTwice, BehaveLate, BehaveWrongAmount, BehaveWrongCurrency}
}
