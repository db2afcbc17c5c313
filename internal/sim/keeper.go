package sim

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/seckill-dev/seckill/internal/checkout"
	"github.com/seckill-dev/seckill/internal/keeper"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/settle"
	"github.com/seckill-dev/seckill/internal/sim/bank"
)

// runTimeout bounds one run of a job, as in keeper.Keeper, recoverTimeout one of Recover, as internal/app has it.
const (
	runTimeout     = 30 * time.Second
	recoverTimeout = 10 * time.Minute
)

// turn is a job of a keeper. What there is nothing to do for is looked at less often: a keeper that is slow is a keeper all
// the same, and a schedule costs less.
type turn struct {
	name    string
	every   time.Duration
	within  time.Duration
	job     keeper.Job
	due     func(w *world) bool
	next    time.Duration
	running bool
}

// idleFor is how many times longer a job rests that has nothing to do, always what is never without anything to do.
const idleFor = 12

func always(*world) bool { return true }
func never(*world) bool  { return false }

// keeperProcess runs every job that a keeper has (internal/app/roles.go), each beside the others.
type keeperProcess struct {
	*process

	turns []*turn
}

func (p *process) logger() *slog.Logger { return p.log.With("at", p.name) }

func (p *process) keeperPorts() keeper.Ports {
	ports := keeper.Ports{
		Catalog: p.catalogPort(), Stocks: p.stocksPort(), Claims: p.claimsPort(), Owing: p.owingPort(), Marks: p.marksPort(),
		Lent: p.redisPort(), Publisher: p.queuePort(), Queue: p.queuePort(), Returns: p.stocksPort(),
		Payments: p.paymentsPort(), Events: p.eventsPort(),
		Providers: map[string]seckill.Provider{bank.Name: p.bankPort(), checkout.Free{}.Name(): checkout.Free{}},
		Shards:    p.ledger.Shards(), IDs: p.ids, Clock: p.clock, Log: p.logger(),
		Gate: p.plan.gate,
	}
	ports.Drain = keeper.NewCountedDrain(ports)
	if p.slips(drainReady) || p.slips(drainAtOnce) {
		ports.Drain = hasty{p}
	}
	return ports
}

func (w *world) startKeeper() {
	p := w.newProcess(keeperRole)
	k := &keeperProcess{process: p}
	ports := p.keeperPorts()
	k.turns = []*turn{
		{name: "clock", every: 500 * time.Millisecond, job: keeper.NewClock(ports), due: turning},
		{name: "complete", every: time.Second, job: settle.NewCompleter(p.settlePorts()), due: unordered},
		{name: "sweep", every: time.Minute, job: keeper.NewSweep(ports), due: always},
	}
	for shard := range w.plan.shards {
		k.turns = append(k.turns, turnsOf(ports.On(shard), shard)...)
		k.turns = append(k.turns, moneyTurnsOf(ports.On(shard), p, shard)...)
	}
	k.turns = append(k.turns, p.watches()...)
	for _, t := range k.turns {
		t.next = w.loop.now() + between2(w.random, 0, t.every)
	}
	p.onDeath = append(p.onDeath, func() { w.again(w.startKeeper) })
	k.tick()
}

func turnsOf(ports keeper.Ports, shard int) []*turn {
	of := fmt.Sprintf(" of shard %d", shard)
	return []*turn{
		{name: "renew" + of, every: seckill.RenewEvery, job: keeper.NewRenew(ports), due: selling},
		{name: "recover" + of, every: 300 * time.Millisecond, within: recoverTimeout, job: keeper.NewRecover(ports), due: unsettling},
		{name: "begin" + of, every: time.Second, job: keeper.NewBegin(ports), due: unbegun},
		{name: "issue" + of, every: 500 * time.Millisecond, job: keeper.NewIssue(ports), due: pooled},
		{name: "owed" + of, every: 500 * time.Millisecond, job: keeper.NewOwed(ports), due: owes(seckill.OwedBuyer)},
		{name: "relay" + of, every: time.Second, job: keeper.NewRelay(ports), due: unsent},
		{name: "doubt" + of, every: 2 * time.Second, job: keeper.NewDoubt(ports), due: doubting},
	}
}

func moneyTurnsOf(ports keeper.Ports, p *process, shard int) []*turn {
	of := fmt.Sprintf(" of shard %d", shard)
	count := func(string, keeper.Telling) {}
	turns := []*turn{
		{name: "expire" + of, every: 500 * time.Millisecond, job: keeper.NewExpire(ports), due: overdue},
		{name: "close" + of, every: 250 * time.Millisecond, job: keeper.NewClose(ports), due: owes(seckill.OwedReturn)},
		{name: "return" + of, every: 250 * time.Millisecond, job: keeper.NewReturn(ports), due: owes(seckill.OwedReturn)},
		{name: "refund" + of, every: time.Second, job: keeper.NewRefund(ports), due: refunding},
		{name: "spread" + of, every: 250 * time.Millisecond, job: keeper.NewSpread(ports, p.shopNames()), due: telling},
		{name: "retire" + of, every: time.Minute, job: keeper.NewRetire(ports, p.shopNames()), due: never},
	}
	for _, s := range p.shops {
		job := keeper.NewTell(ports, shopPort{s, p}, count)
		turns = append(turns, &turn{name: "tell " + s.name + of, every: 250 * time.Millisecond, job: job, due: telling})
	}
	return turns
}

// tickEvery is how often a keeper looks which jobs are due.
const tickEvery = 50 * time.Millisecond

func (k *keeperProcess) tick() {
	if k.leaving {
		return
	}
	now := k.loop.now()
	for _, t := range k.turns {
		if !t.running && now >= t.next {
			k.begin(t, now)
		}
	}
	k.loop.after(time.Duration(float64(tickEvery)*k.plan.stretch), k.process, k.tick)
}

// begin runs a job, or lets it rest while there is nothing to do.
func (k *keeperProcess) begin(t *turn, now time.Duration) {
	if !t.due(k.world) && k.random.IntN(idleFor) > 0 {
		t.next = now + k.rest(t)
		return
	}
	t.running = true
	number := k.loop.names()
	k.loop.hands.carry(func() {
		ctx, cancel := k.loop.bounded(k.life, number, max(t.within, runTimeout))
		defer cancel()
		if err := t.job.RunOnce(ctx); err != nil && ctx.Err() == nil {
			k.log.Info("job failed", "at", k.name, "job", t.name, "error", err)
		}
		k.loop.arrive(&event{at: k.loop.now(), owner: k.process, rank: "-3", name: number, do: func() {
			t.running, t.next = false, k.loop.now()+k.rest(t)
		}})
	})
}

func (k *keeperProcess) rest(t *turn) time.Duration {
	return time.Duration(float64(t.every) * (1 + k.random.Float64()*(k.plan.stretch-1)/2))
}
