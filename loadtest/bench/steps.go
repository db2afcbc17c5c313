package main

import (
	"cmp"
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/loadtest/bench/stage"
)

// steps are all parts, in order. The rounds come first: others begin from the peak that they find.
func (b *bench) steps() []step {
	if b.scale {
		return b.stepsOfScale()
	}
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
	if b.scale {
		b.concludeScale()
		return
	}
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
	r.Machine("processor", fromFile("/proc/cpuinfo", "model name"))
	r.Machine("system", runtime.GOOS+"/"+runtime.GOARCH)
	if err := b.describeSystem(ctx); err != nil {
		return err
	}
	r.Version("go", runtime.Version())
	if err := b.describePrograms(); err != nil {
		return err
	}
	disk, err := b.stage.Disk()
	if err != nil {
		return err
	}
	r.Machine("disk", disk)
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
	r.Setting("GOGC of all sides", cmp.Or(os.Getenv("GOGC"), stage.GOGC))
	r.Setting("embedded: orders and queue", "SQLite, a commit to disk each (synchronous FULL); what Redis holds elsewhere is in memory")
	if !b.scale {
		r.Setting("large side of cost_growth", fmt.Sprintf("%d items, %d buyers", s.crowdedItems, s.crowdedBuyers))
	}
	return nil
}

// busyFrom is the share of processor time from which on others are at work; our own idle servers need less.
const busyFrom = 0.1

// describeSystem notes what Linux says of itself, and warns when others are at work: rates and latencies are too low then.
func (b *bench) describeSystem(ctx context.Context) error {
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return fmt.Errorf("read the version of the kernel: %w", err)
	}
	b.report.Machine("kernel", strings.TrimSpace(string(kernel)))
	b.report.Machine("memory", fromFile("/proc/meminfo", "MemTotal"))
	busy, err := stage.Busy(ctx, time.Second)
	if err != nil {
		return err
	}
	b.report.Machine("processors busy before it began", fmt.Sprintf("%.0f %%", busy*100))
	if busy > busyFrom {
		b.say("others are at work on this machine (%.0f %% busy): rates will be too low, latencies too high", busy*100)
	}
	return nil
}

// describePrograms notes which product was measured, and what the naive side is made of.
func (b *bench) describePrograms() error {
	product, err := buildinfo.ReadFile(b.programs[productFolder])
	if err != nil {
		return fmt.Errorf("read the version of the product: %w", err)
	}
	b.report.Version("seckill", product.Main.Version)
	naive, err := buildinfo.ReadFile(b.programs[naiveFolder])
	if err != nil {
		return fmt.Errorf("read the versions of the naive side: %w", err)
	}
	for _, library := range naive.Deps {
		switch library.Path {
		case "github.com/gin-gonic/gin", "github.com/redis/go-redis/v9", "github.com/rabbitmq/amqp091-go":
			b.report.Version(library.Path, library.Version)
		default:
		}
	}
	return nil
}

// fromFile is what one of the kernel's files says of a name, as far as the system has it.
func fromFile(file, wanted string) string {
	text, err := os.ReadFile(file) //nolint:gosec // one of the kernel's
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == wanted {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
