package seckill

import (
	"errors"
	"fmt"
	"time"
)

// Reason is why something was refused. The list is closed: Reasons holds all of them.
type Reason string

// The refusals a client can see.
const (
	NotFound            Reason = "not_found"
	Invalid             Reason = "invalid"
	Unauthenticated     Reason = "unauthenticated"
	Forbidden           Reason = "forbidden"
	NotStarted          Reason = "not_started"
	Ended               Reason = "ended"
	Paused              Reason = "paused"
	SoldOut             Reason = "sold_out"
	LimitReached        Reason = "limit_reached"
	IdempotencyMismatch Reason = "idempotency_mismatch"
	RateLimited         Reason = "rate_limited"
	Busy                Reason = "busy"
	UnknownOutcome      Reason = "unknown_outcome"
	Conflict            Reason = "conflict"
)

// Duplicate marks a claim that was rejected because its key already has one that was not. A client never sees it: it is
// shown what became of the first reservation.
const Duplicate Reason = "duplicate"

// Reasons lists every refusal a client can see.
func Reasons() []Reason {
	return []Reason{
		NotFound, Invalid, Unauthenticated, Forbidden, NotStarted, Ended, Paused, SoldOut, LimitReached,
		IdempotencyMismatch, RateLimited, Busy, UnknownOutcome, Conflict,
	}
}

// Refusal is an expected "no". Every other error is a fault.
type Refusal struct {
	Reason Reason
	// Detail is one sentence for the person who asked.
	Detail string
	// Field names the input that is at fault, in the client's words ("quantity", "Idempotency-Key").
	Field string
	// RetryAfter is how long waiting helps; 0 when it does not.
	RetryAfter time.Duration
	// Item and Reservation locate an unknown_outcome.
	Item        ID
	Reservation ID
	// Available is the number of units left; set with sold_out.
	Available int64
	// Held are the caller's reservations that count against the limit, without their states; set with limit_reached.
	Held []Reservation
	// Order is the order as it is; set with a conflict about one.
	Order *Order
	// Sale is the sale as it is; set with a conflict about one.
	Sale *Sale
	// Largest is the most units that could be taken; set with a conflict about stock.
	Largest *int64
}

// Error implements error.
func (r *Refusal) Error() string {
	if r.Field != "" {
		return fmt.Sprintf("%s: %s: %s", r.Reason, r.Field, r.Detail)
	}
	return fmt.Sprintf("%s: %s", r.Reason, r.Detail)
}

// Refuse is a refusal with a sentence.
func Refuse(reason Reason, detail string) *Refusal { return &Refusal{Reason: reason, Detail: detail} }

// InvalidField refuses one input by name.
func InvalidField(field, detail string) *Refusal {
	return &Refusal{Reason: Invalid, Field: field, Detail: detail}
}

// BusyFor refuses for a while: nothing was taken, waiting helps.
func BusyFor(wait time.Duration, detail string) *Refusal {
	return &Refusal{Reason: Busy, Detail: detail, RetryAfter: wait}
}

// ReasonOf is the reason inside err, or "" when err is not a refusal.
func ReasonOf(err error) Reason {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal.Reason
	}
	return ""
}

// Errors that ports return and use cases decide on.
var (
	// ErrUnavailable says that a store was not reached at all: nothing was done. Any other transport error leaves the
	// outcome unknown.
	ErrUnavailable = errors.New("unavailable")
	// ErrTransient says that a SQL transaction was rolled back or not begun for a passing reason (deadlock, lock wait,
	// busy, connection refused): it may be repeated as it is.
	ErrTransient = errors.New("transient store failure")
	// ErrPoison says that SQL refuses the data itself (a constraint, a length, a type): repeating cannot help. Adapters
	// return it only when they are sure; whatever is not sure is retried, because rejecting is for good.
	ErrPoison = errors.New("data that can never be stored")
	// ErrNotFound says that the row does not exist.
	ErrNotFound = errors.New("not found")
	// ErrNotLive says that Redis may not decide: meta or gate is missing, lapsed or not of this server and epoch.
	ErrNotLive = errors.New("item is not live in redis")
	// ErrEpochKnown says that a load came for an epoch that Redis already has or has passed.
	ErrEpochKnown = errors.New("epoch already loaded")
)
