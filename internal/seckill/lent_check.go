package seckill

import (
	"errors"
	"fmt"
)

// The use cases check what people send. This guards the form of what Redis keeps, on every implementation of Lent alike.

// CheckReserve refuses what Reserve cannot write down.
func CheckReserve(item, batch ID, requests []ReserveRequest) error {
	if item <= 0 || batch <= 0 {
		return errors.New("item or batch id is missing")
	}
	if len(requests) == 0 || len(requests) > ReserveBatchMax {
		return fmt.Errorf("%d requests, not 1-%d", len(requests), ReserveBatchMax)
	}
	for _, request := range requests {
		if request.Quantity < 1 {
			return fmt.Errorf("quantity %d is not positive", request.Quantity)
		}
		entry := BuyerEntry{ID: request.ID, Quantity: request.Quantity, KeyHash: request.KeyHash}
		if err := CheckEntry(request.User, entry); err != nil {
			return err
		}
	}
	return nil
}

// CheckEntry refuses what would break a buyer's value or a message apart.
func CheckEntry(user UserID, entry BuyerEntry) error {
	if err := user.Validate(); err != nil {
		return err
	}
	if entry.ID <= 0 || entry.Batch < 0 {
		return errors.New("reservation or batch id is missing")
	}
	if entry.Quantity < 0 || entry.Quantity > QuantityMax {
		return fmt.Errorf("quantity %d is not within 0-%d", entry.Quantity, QuantityMax)
	}
	if !isKeyHash(entry.KeyHash) {
		return fmt.Errorf("%q is no key hash: that is 1-%d characters of base64url", entry.KeyHash, keyHashLength)
	}
	return nil
}
