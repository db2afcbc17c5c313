package keeper

import (
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Metrics are hooks, called after each look at a shard; those that are nil are skipped.
type Metrics struct {
	// Returns tells how many cancelled orders have not given their units back, Held how many of them cannot because their
	// payments, and how many of those, cannot be closed at the provider.
	Returns func(shard, orders int)
	Held    func(shard, orders, payments int)
	// ForSale tells how long the units of one cancelled order took to be for sale again.
	ForSale func(after time.Duration)
	// Refunds tells how many refunds are owed and how long the oldest has been.
	Refunds func(shard int, refunds int64, oldest time.Duration)
	// Refunded counts the refunds that were done, each in one process only.
	Refunded func(reason seckill.RefundReason)
	// Loaded counts the buyers that rebuilds have brought to Redis.
	Loaded func(buyers int)
	// Stuck counts the tries of refunds that have failed so often that somebody must look.
	Stuck func()
}

func (m Metrics) returns(shard, orders int) {
	if m.Returns != nil {
		m.Returns(shard, orders)
	}
}

func (m Metrics) held(shard, orders, payments int) {
	if m.Held != nil {
		m.Held(shard, orders, payments)
	}
}

func (m Metrics) refunds(shard int, refunds int64, oldest time.Duration) {
	if m.Refunds != nil {
		m.Refunds(shard, refunds, oldest)
	}
}

func (m Metrics) refunded(reason seckill.RefundReason) {
	if m.Refunded != nil {
		m.Refunded(reason)
	}
}

func (m Metrics) stuck() {
	if m.Stuck != nil {
		m.Stuck()
	}
}

func (m Metrics) loaded(buyers int) {
	if m.Loaded != nil {
		m.Loaded(buyers)
	}
}
