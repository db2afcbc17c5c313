package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/keeper"
	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/service"
	"github.com/seckill-dev/seckill/internal/settle"
)

const (
	workerStopWait = 15 * time.Second
	keeperStopWait = 10 * time.Second
	buyerStopWait  = 10 * time.Second
	// recoverWithin is for loading tens of millions of buyers. What stands still ends earlier, by the deadline of its call.
	recoverWithin = 10 * time.Minute
)

func (b *Backend) keeperPorts(log *slog.Logger) keeper.Ports {
	ports := keeper.Ports{
		Catalog: b.Catalog, Stocks: b.Stocks, Claims: b.Claims, Owing: b.Owing, Marks: b.Marks, Lent: b.Lent,
		Events: b.Events, Publisher: b.Publisher, Queue: b.Queue, Drain: b.Drain, Payments: b.Payments, Returns: b.Returns,
		Providers: b.providersByName(), Shards: b.Shards, IDs: b.IDs, Clock: seckill.SystemClock{}, Log: log,
		Gate: b.Gate,
	}
	if ports.Drain == nil {
		ports.Drain = keeper.NewCountedDrain(ports)
	}
	return ports
}

func (b *Backend) settlePorts(log *slog.Logger) settle.Ports {
	ports := settle.Ports{
		Consumer: b.Consumer, Claims: b.Claims, Orders: b.Orders, Catalog: b.Catalog, Lent: b.Lent,
		Announcements: b.Announcements, Shards: b.Shards, Clock: seckill.SystemClock{}, Log: log,
	}
	if b.OneWriter {
		ports.Lanes = 1
	}
	return ports
}

func (b *Backend) purchasePorts(log *slog.Logger, metrics purchase.Metrics) purchase.Ports {
	return purchase.Ports{
		Lent: b.Lent, Publisher: b.Publisher, Claims: b.Claims, Stocks: b.Stocks, Catalog: b.Catalog, Marks: b.Marks,
		Shards: b.Shards, IDs: b.IDs, Queue: b.Queue, Announcements: b.Announcements,
		Clock: seckill.SystemClock{}, Log: log, Metrics: metrics,
	}
}

// newKeeper returns a keeper of all jobs. Each keeper has jobs of its own: what they remember only saves work.
func (b *Backend) newKeeper(log *slog.Logger, metrics keeper.Metrics, held *keeper.Held, more []keeper.Turn) *keeper.Keeper {
	ports := b.keeperPorts(log)
	ports.Metrics, ports.Held = metrics, held
	turns := []keeper.Turn{
		{Name: "clock", Every: 500 * time.Millisecond, Job: keeper.NewClock(ports)},
		{Name: "complete", Every: time.Second, Job: settle.NewCompleter(b.settlePorts(log))},
		{Name: "sweep", Every: time.Minute, Job: keeper.NewSweep(ports)},
	}
	for shard := range b.Shards.Count() {
		of := fmt.Sprintf(" of shard %d", shard)
		turns = append(turns, turnsOf(ports.On(shard), of)...)
		turns = append(turns, b.tellTurns(ports.On(shard), of)...)
	}
	return keeper.New(ports.Clock, log, append(turns, more...)...)
}

// auditTurns audit each shard for as long as the process runs. One keeper of a process does that: another one would only
// read everything twice.
func (b *Backend) auditTurns(config AuditConfig, log *slog.Logger, violations func(rule string, by int)) []keeper.Turn {
	ports := audit.WatchPorts{
		Ports: b.auditPorts(log), Stocks: b.Stocks, Violations: violations, OnlyTells: !config.CloseGate,
	}
	var turns []keeper.Turn
	for shard := range b.Shards.Count() {
		turns = append(turns, keeper.Turn{
			Name: fmt.Sprintf("audit of shard %d", shard), Every: config.Every, Job: audit.NewWatch(ports, shard),
		})
	}
	return turns
}

// turnsOf are the jobs that one shard must not be kept from because another does not answer.
func turnsOf(ports keeper.Ports, of string) []keeper.Turn {
	return []keeper.Turn{
		{Name: "renew" + of, Every: seckill.RenewEvery, Job: keeper.NewRenew(ports)},
		{Name: "recover" + of, Every: 300 * time.Millisecond, Within: recoverWithin, Job: keeper.NewRecover(ports)},
		{Name: "begin" + of, Every: time.Second, Job: keeper.NewBegin(ports)},
		{Name: "issue" + of, Every: 500 * time.Millisecond, Job: keeper.NewIssue(ports)},
		{Name: "owed" + of, Every: 500 * time.Millisecond, Job: keeper.NewOwed(ports)},
		{Name: "relay" + of, Every: time.Second, Job: keeper.NewRelay(ports)},
		{Name: "doubt" + of, Every: 2 * time.Second, Job: keeper.NewDoubt(ports)},
		{Name: "expire" + of, Every: 500 * time.Millisecond, Job: keeper.NewExpire(ports)},
		{Name: "close" + of, Every: 250 * time.Millisecond, Job: keeper.NewClose(ports)},
		{Name: "return" + of, Every: 250 * time.Millisecond, Job: keeper.NewReturn(ports)},
		{Name: "refund" + of, Every: time.Second, Job: keeper.NewRefund(ports)},
	}
}

func (b *Backend) keeperStage(
	name string, log *slog.Logger, metrics keeper.Metrics, held *keeper.Held, more []keeper.Turn,
) service.Stage {
	return service.Stage{Name: name, Run: b.newKeeper(log.With("role", name), metrics, held, more).Run, StopWithin: keeperStopWait}
}

func (b *Backend) workerStage(name string, log *slog.Logger, deadLettered func(settle.Poison)) service.Stage {
	ports := b.settlePorts(log.With("role", name))
	ports.DeadLettered = deadLettered
	worker := settle.NewWorker(ports)
	return service.Stage{Name: name, Run: worker.Run, StopWithin: workerStopWait}
}

// sealAfterDeath ends every epoch whose Redis died with the last process.
func (b *Backend) sealAfterDeath(ctx context.Context, log *slog.Logger) error {
	if !b.RedisDies {
		return nil
	}
	return keeper.NewRecover(b.keeperPorts(log)).SealAll(ctx)
}
