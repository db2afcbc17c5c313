package seckill

import (
	"crypto/sha256"
	"encoding/base64"
)

// ReservationState is what a shopper is told of a reservation.
type ReservationState string

// The states of a reservation.
const (
	ReservationQueued   ReservationState = "queued"
	ReservationOrdered  ReservationState = "ordered"
	ReservationRejected ReservationState = "rejected"
)

// ReservationStates lists every state.
func ReservationStates() []ReservationState {
	return []ReservationState{ReservationQueued, ReservationOrdered, ReservationRejected}
}

// CanBecome says whether the transition exists: a decided reservation stays decided.
func (s ReservationState) CanBecome(next ReservationState) bool {
	return s == ReservationQueued && (next == ReservationOrdered || next == ReservationRejected)
}

// Reservation is a unit (or several) held for a user, on its way to an order of the same id.
type Reservation struct {
	ID       ID
	Item     ID
	User     UserID
	Quantity int64
	State    ReservationState
	Reason   Reason // why it was rejected
}

// QuantityMax bounds the quantity of one reservation; items bound it further by their limit.
const QuantityMax = 1000

const keyHashLength = 22

// KeyHash is what the system remembers of an Idempotency-Key: 22 characters of base64url SHA-256. Without a key it is
// the reservation's own id, so that a keyless purchase never meets another one.
func KeyHash(key string, id ID) string {
	if key == "" {
		return id.String()
	}
	sum := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(sum[:])[:keyHashLength]
}

// isKeyHash says whether text has the form of a KeyHash. Others could hold a separator of the values that Redis keeps
// it in.
func isKeyHash(text string) bool {
	for i := range len(text) {
		if c := text[i]; !userIDByte(c) || c == '.' || c == ':' || c == '@' {
			return false
		}
	}
	return len(text) > 0 && len(text) <= keyHashLength
}
