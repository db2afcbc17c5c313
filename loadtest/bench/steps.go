package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// steps are all parts, in order. The rounds come first: others begin from the peak that they find.
func (b *bench) steps() []step {
	var steps []step
	for n := range b.settings.rounds {
		name := fmt.Sprintf("round %d of %d", n+1, b.settings.rounds)
		steps = append(steps, step{name, []string{
			"accept_vs_naive", "accept_vs_gin", "sustained_vs_naive", "sustained_orders_per_s", "refuse_vs_gin", "settle_vs_insert",
			"embedded_vs_naive",
		}, b.round})
	}
	return append(steps,
		step{"reserving without HTTP", []string{"reserve_vs_single", "reserve_per_s"}, b.reserve},
		step{"latency", []string{"accept_p99_ms", "queued_to_ordered_p99_ms"}, b.latency},
		step{"memory", []string{"redis_bytes_per_buyer"}, b.memory},
		step{"growth", []string{"cost_growth"}, b.growth},
	)
}

// conclude makes figures of what the sides gave.
func (b *bench) conclude() {
	r := b.report
	r.SetRatio("accept_vs_naive", sideAccept, sideNaive)
	r.SetRatio("accept_vs_gin", sideAccept, sideGin)
	r.SetRatio("sustained_vs_naive", sideSustained, sideNaive)
	r.Set("sustained_orders_per_s", sideSustained)
	r.SetRatio("refuse_vs_gin", sideRefuse, sideGin)
	r.SetRatio("reserve_vs_single", sideBatched, sideSingle)
	r.Set("reserve_per_s", sideBatched)
	r.SetRatio("settle_vs_insert", sideSettle, sideInsert)
	r.Set("accept_p99_ms", sideAcceptP99)
	r.Set("queued_to_ordered_p99_ms", sideOrderedP99)
	r.Set("redis_bytes_per_buyer", sideBuyerBytes)
	r.SetRatio("cost_growth", sideCostMany, sideCostFew)
	r.SetRatio("embedded_vs_naive", sideEmbedded, sideNaive)
}

// describe notes the conditions.
func (b *bench) describe(ctx context.Context) error {
	r, s := b.report, b.settings
	r.Machine("cores", strconv.Itoa(runtime.NumCPU()))
	r.Machine("processor", processor())
	r.Machine("system", runtime.GOOS+"/"+runtime.GOARCH)
	r.Version("go", runtime.Version())
	db, err := b.stage.OpenSQL(ctx, "bench")
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // it has only read
	versions, err := b.stage.Versions(ctx, db)
	if err != nil {
		return err
	}
	for name, version := range versions {
		r.Version(name, version)
	}
	settings, err := b.stage.Durability(ctx, db)
	if err != nil {
		return err
	}
	for name, value := range settings {
		r.Setting(name, value)
	}
	r.Setting("connections", strconv.Itoa(connections))
	r.Setting("rounds", strconv.Itoa(s.rounds))
	r.Setting("counted seconds of a closed loop", fmt.Sprintf("%v, after %v of warming up", s.span, s.warm))
	r.Setting("shards", "1")
	r.Setting("processes of the product", "1 api, 1 keeper, 1 worker where orders are made")
	r.Setting("product: limits other than the defaults", "backlog_age 1h, backlog_depth 100000000")
	r.Setting("product: log", "level info, to a file")
	r.Setting("large side of cost_growth", fmt.Sprintf("%d items, %d buyers", s.crowdedItems, s.crowdedBuyers))
	return nil
}

// processor is the name of the processor, as far as the system tells.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
