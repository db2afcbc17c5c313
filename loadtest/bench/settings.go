package main

import (
	"runtime"
	"time"

	"github.com/seckill-dev/seckill/loadtest/bench/stage"
)

const (
	// connections is how many shoppers are under way at once.
	connections = 512
	// callers is how many goroutines call Redis at once.
	callers = 64
	// units is more than anybody can buy in a run.
	units = 20_000_000
	// coresMost is for how many cores tokens are made; they take memory.
	coresMost = 16
)

// settings is how long everything takes.
type settings struct {
	// within bounds the run, once everything is built.
	within time.Duration
	rounds int
	// warm is sent before counting begins, span is counted.
	warm, span time.Duration
	// probe is how long one rate is tried, probes how many are tried in a round.
	probe  time.Duration
	probes int
	// calls is how long Redis is called, rows how long rows are inserted.
	calls, rows time.Duration
	// steady is how long the open loop lasts.
	steady time.Duration
	// shoppers is how many tokens are made; what is bought of one item must be fewer.
	shoppers int64
	// buyers is how many shoppers redis_bytes_per_buyer has.
	buyers int64
	// crowdedItems and crowdedBuyers are the large side of cost_growth, and as far as a run to the limits goes.
	crowdedItems  int
	crowdedBuyers int64
	// pastOrders fill the tables of a run to the limits.
	pastOrders int64
}

func full() settings {
	return settings{
		within: 20 * time.Minute, rounds: 3, warm: time.Second, span: 6 * time.Second,
		probe: 5 * time.Second, probes: 4, calls: 3 * time.Second, rows: 5 * time.Second, steady: 8 * time.Second,
		shoppers: perMachine(1_500_000), buyers: 100_000, crowdedItems: 1000, crowdedBuyers: 1_000_000,
	}
}

// readsMost is how many orders of the past are read at most, each by another user.
func (s settings) readsMost() int64 { return int64((s.warm+s.steady).Seconds()+1) * readRate }

// perMachine is what is enough on two cores, or on this machine if it has more.
func perMachine(shoppers int64) int64 {
	return shoppers * int64(min(max(runtime.NumCPU()/2, 1), coresMost/2))
}

func short() settings {
	return settings{
		within: 4 * time.Minute, rounds: 1, warm: 500 * time.Millisecond, span: 2 * time.Second,
		probe: 2 * time.Second, probes: 2, calls: time.Second, rows: 2 * time.Second, steady: 3 * time.Second,
		shoppers: perMachine(500_000), buyers: 20_000, crowdedItems: 100, crowdedBuyers: 50_000,
	}
}

// wide is for a run to the limits.
func wide() settings {
	return settings{
		within: 15 * time.Minute, rounds: 1, warm: time.Second, span: 3 * time.Second, steady: 5 * time.Second,
		shoppers: 1_000_000 + perMachine(1_000_000), crowdedItems: 1000, crowdedBuyers: 1_000_000, pastOrders: stage.PastMost,
	}
}

// glance leaves out the larger sizes.
func glance() settings {
	return settings{
		within: 5 * time.Minute, rounds: 1, warm: 500 * time.Millisecond, span: time.Second, steady: 2 * time.Second,
		shoppers: perMachine(500_000), crowdedItems: 100, crowdedBuyers: 10_000, pastOrders: 500_000,
	}
}
