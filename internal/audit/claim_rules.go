package audit

import (
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// keyHashLength is that of seckill.KeyHash, base64url without padding.
const keyHashLength = 22

// claimBucket: a reservation's id is made for its user, because the bucket in it finds the order.
func claimBucket(b booked) string {
	if b.claim.ID.Bucket() == b.claim.User.Bucket() {
		return ""
	}
	return fmt.Sprintf("the id is of bucket %d, but user %s is of bucket %d", b.claim.ID.Bucket(), b.claim.User, b.claim.User.Bucket())
}

func claimQuantity(b booked) string {
	if b.claim.Quantity >= 1 && b.claim.Quantity <= seckill.QuantityMax {
		return ""
	}
	return fmt.Sprintf("quantity is %d, but must be from 1 to %d", b.claim.Quantity, seckill.QuantityMax)
}

func claimEpoch(b booked) string {
	if b.claim.Epoch >= 1 && b.claim.Epoch <= b.epoch {
		return ""
	}
	return fmt.Sprintf("epoch is %d, but the item is in epoch %d", b.claim.Epoch, b.epoch)
}

func claimCreated(b booked) string {
	if !b.claim.CreatedAt.IsZero() && !b.claim.CreatedAt.After(b.now.Add(clockSlack)) {
		return ""
	}
	return fmt.Sprintf("created_at is %d, but the database's clock says %d", milli(b.claim.CreatedAt), milli(b.now))
}

func claimState(b booked) string {
	switch b.claim.State {
	case seckill.ClaimHeld:
		return ""
	case seckill.ClaimReturned:
		if !b.claim.Ordered {
			return "it is returned, but was never ordered"
		}
		return ""
	case seckill.ClaimRejected:
		if b.claim.Ordered {
			return "it is rejected, but marked ordered"
		}
		return ""
	default:
		return fmt.Sprintf("the state %q does not exist", b.claim.State)
	}
}

func claimReason(b booked) string {
	if b.claim.State != seckill.ClaimRejected {
		if b.claim.Reason == "" {
			return ""
		}
		return fmt.Sprintf("it is %s, but has the reason %s", b.claim.State, b.claim.Reason)
	}
	switch b.claim.Reason {
	case seckill.Duplicate, seckill.LimitReached, seckill.SoldOut, seckill.Invalid:
		return ""
	case "":
		return "it is rejected, but has no reason"
	default:
		return fmt.Sprintf("it is rejected, but %q is no reason of settling", b.claim.Reason)
	}
}

// claimKeyHash: the hash of a key, or the claim's own id when there was none, or when its key is another claim's.
func claimKeyHash(b booked) string {
	hash, own := b.claim.KeyHash, b.claim.ID.String()
	switch {
	case hash == own:
		return ""
	case b.claim.Reason == seckill.Duplicate:
		return fmt.Sprintf("it is a duplicate, but its key hash is %q and not its id", hash)
	case len(hash) == keyHashLength && isBase64URL(hash):
		return ""
	default:
		return fmt.Sprintf("key hash %q is neither %d characters of base64url nor its id", hash, keyHashLength)
	}
}

func isBase64URL(text string) bool {
	for i := range len(text) {
		c := text[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if digit := c >= '0' && c <= '9'; !letter && !digit && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func claimFirst(b booked) string {
	switch {
	case b.claim.Reason != seckill.Duplicate && b.claim.First == 0:
		return ""
	case b.claim.Reason != seckill.Duplicate:
		return fmt.Sprintf("it is no duplicate, but names %s as the first claim", b.claim.First)
	case b.first == nil:
		return fmt.Sprintf("it is a duplicate, but there is no first claim %s", b.claim.First)
	case b.first.User != b.claim.User:
		return fmt.Sprintf("it is a duplicate of %s, which is user %s's and not %s's", b.claim.First, b.first.User, b.claim.User)
	case b.first.Reason == seckill.Duplicate:
		return fmt.Sprintf("it is a duplicate of %s, which is a duplicate itself", b.claim.First)
	default:
		return ""
	}
}

func claimWithoutOrder(b booked) string {
	if !b.claim.Ordered || b.claim.State == seckill.ClaimRejected || b.order != nil {
		return ""
	}
	return fmt.Sprintf("it is %s and marked ordered, but there is no order %s", b.claim.State, b.claim.ID)
}

func rejectedWithOrder(b booked) string {
	if b.claim.State != seckill.ClaimRejected || b.order == nil {
		return ""
	}
	return fmt.Sprintf("it is rejected, but there is an order %s", b.claim.ID)
}

// returnedNotCancelled: units come back because of an order that is no more, and the order was cancelled before.
func returnedNotCancelled(b booked) string {
	if b.claim.State != seckill.ClaimReturned || b.order == nil {
		return ""
	}
	switch b.order.State {
	case seckill.OrderCancelled, seckill.OrderRefunded:
		return ""
	default:
		return fmt.Sprintf("its units are returned, but the order is %s", b.order.State)
	}
}

// orderItem stands on this side because from a wrong item no order finds its claim.
func orderItem(b booked) string {
	if b.order == nil || b.order.Item == b.claim.Item {
		return ""
	}
	return fmt.Sprintf("it is of item %s, but the order is of item %s", b.claim.Item, b.order.Item)
}
