package keeper

import "time"

// Metrics are hooks, called after each look at a shard; those that are nil are skipped.
type Metrics struct {
	// Returns tells how many cancelled orders have not given their units back, Held how many payments keep such units
	// because their provider cannot be reached.
	Returns func(shard, orders int)
	Held    func(shard, payments int)
	// Refunds tells how many refunds are owed and how long the oldest has been.
	Refunds func(shard int, refunds int64, oldest time.Duration)
	// Stuck counts the tries of refunds that have failed so often that somebody must look.
	Stuck func()
}

func (m Metrics) returns(shard, orders int) {
	if m.Returns != nil {
		m.Returns(shard, orders)
	}
}

func (m Metrics) held(shard, payments int) {
	if m.Held != nil {
		m.Held(shard, payments)
	}
}

func (m Metrics) refunds(shard int, refunds int64, oldest time.Duration) {
	if m.Refunds != nil {
		m.Refunds(shard, refunds, oldest)
	}
}

func (m Metrics) stuck() {
	if m.Stuck != nil {
		m.Stuck()
	}
}
