package purchase

import "github.com/seckill-dev/seckill/internal/seckill"

// Bound names a limit, for the metric that counts how often it was hit.
type Bound string

// The bounds that may be hit.
const (
	BoundPending     Bound = "pending"
	BoundPendingItem Bound = "pending_item"
	BoundUserRate    Bound = "user_rate"
	BoundBacklog     Bound = "backlog"
	BoundBroker      Bound = "broker"
	BoundHeartbeat   Bound = "heartbeat"
	BoundState       Bound = "item_state"
	BoundWaiters     Bound = "waiters"
	BoundCatalog     Bound = "catalog_reads"
	BoundGivenBack   Bound = "given_back_reads"
	BoundSent        Bound = "sent_queue"
)

// Metrics are hooks; those that are nil are skipped. They are called on the hot path, from many goroutines.
type Metrics struct {
	// Answered counts purchases by reason ("" when accepted).
	Answered func(reason seckill.Reason, replayed bool)
	// Batched observes the size of one Lua call.
	Batched func(requests int)
	// Repeated counts Lua calls whose reply was lost.
	Repeated func()
	// Hit counts bounds.
	Hit func(bound Bound)
	// Failed counts failures of background jobs and calls by name.
	Failed func(job string)
}

func (m Metrics) answered(reason seckill.Reason, replayed bool) {
	if m.Answered != nil {
		m.Answered(reason, replayed)
	}
}

func (m Metrics) batched(requests int) {
	if m.Batched != nil {
		m.Batched(requests)
	}
}

func (m Metrics) repeated() {
	if m.Repeated != nil {
		m.Repeated()
	}
}

func (m Metrics) hit(bound Bound) {
	if m.Hit != nil {
		m.Hit(bound)
	}
}

func (m Metrics) failed(job string) {
	if m.Failed != nil {
		m.Failed(job)
	}
}
