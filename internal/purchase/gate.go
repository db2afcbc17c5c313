package purchase

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// The fields as clients know them.
const (
	fieldQuantity = "quantity"
	fieldKey      = "Idempotency-Key"

	keyMin = 8
	keyMax = 128
)

// shard is what this process knows of one shard and its queue.
type shard struct {
	number int
	// beaten is when the last written heartbeat began, by this process's clock read before the database's: the age it gives
	// is never too low.
	beaten atomic.Pointer[time.Time]
	// tried says that a heartbeat was tried, whatever came of it.
	tried atomic.Bool
	// failed is when the last publish failed; nil when the last one succeeded.
	failed  atomic.Pointer[time.Time]
	backlog atomic.Pointer[backlog]
}

type backlog struct {
	state seckill.QueueState
	err   error
}

// admit checks what needs no look at the item's state.
func (s *Service) admit(ctx context.Context, request Request) (*listing, error) {
	if refusal := request.validate(); refusal != nil {
		return nil, refusal
	}
	if wait := s.users.Take(request.User, s.clock.Now()); wait > 0 {
		s.ports.Metrics.hit(BoundUserRate)
		return nil, &seckill.Refusal{Reason: seckill.RateLimited, Detail: "too many purchases at once", RetryAfter: wait}
	}
	return s.resolve(ctx, request.Item)
}

func (r Request) validate() *seckill.Refusal {
	if r.Quantity < 1 || r.Quantity > seckill.QuantityMax {
		return seckill.InvalidField(fieldQuantity, fmt.Sprintf("a quantity is a number from 1 to %d", seckill.QuantityMax))
	}
	if err := r.User.Validate(); err != nil {
		return seckill.Refuse(seckill.Unauthenticated, err.Error())
	}
	if r.Key != "" && !validKey(r.Key) {
		return seckill.InvalidField(fieldKey, fmt.Sprintf("a key has %d-%d visible ASCII characters", keyMin, keyMax))
	}
	return nil
}

func validKey(key string) bool {
	if len(key) < keyMin || len(key) > keyMax {
		return false
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return false
		}
	}
	return true
}

// closed says why nothing may be reserved on the shard now, or "". It is asked when a request comes in and again before
// every Lua call, after its t0: a process that was stopped in between must not serve on what it knew before.
func (s *Service) closed(home *shard) (Bound, string) {
	now := s.clock.Now()
	beaten := home.beaten.Load()
	if beaten == nil || now.Sub(*beaten) >= seckill.BeatMaxAge {
		return BoundHeartbeat, "this server is cut off from the database"
	}
	if failed := home.failed.Load(); failed != nil && now.Sub(*failed) < s.options.BrokerRest {
		return BoundBroker, "the queue does not take orders"
	}
	if s.ports.Publisher.Available(home.number) != nil {
		return BoundBroker, "the queue does not take orders"
	}
	behind := home.backlog.Load()
	if behind == nil || behind.err != nil {
		return BoundBroker, "the queue cannot be reached"
	}
	if behind.state.Age > s.options.BacklogAgeMax || behind.state.Ready+behind.state.Unacked > s.options.BacklogDepthMax {
		return BoundBacklog, "orders are being worked off"
	}
	return "", ""
}

// enter counts a request as pending; leave must follow a nil refusal.
func (s *Service) enter(l *listing) *seckill.Refusal {
	if s.pending.Add(1) > s.options.PendingMax {
		s.pending.Add(-1)
		s.ports.Metrics.hit(BoundPending)
		return s.busy("too many purchases at once")
	}
	if l.pending.Add(1) > s.options.PendingPerItem {
		s.leave(l)
		s.ports.Metrics.hit(BoundPendingItem)
		return s.busy("too many purchases of this item at once")
	}
	return nil
}

func (s *Service) leave(l *listing) {
	l.pending.Add(-1)
	s.pending.Add(-1)
}
