package sim

import (
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/lent"
)

// timed are the kinds that come at a moment of their own.
func timed() []kind {
	return []kind{
		crashes, leaves, cuts, stops, failover, wipe, restart, dump, zombie, redisDown, reconnect, brokerDown, brokerWipe, blocked,
		leaderless, shardAway, skews, idless, bankDown, bankRefuses, bankPending, shopDown,
	}
}

// schedule gives the faults their moments.
func (w *world) schedule() {
	for _, k := range timed() {
		if !w.plan.faults[k] {
			continue
		}
		for range 1 + w.random.IntN(2) {
			at := w.moment()
			if k == brokerWipe && w.plan.trouble > 0 {
				at = between2(w.random, w.plan.trouble, w.plan.active)
			}
			w.loop.after(at, nil, func() { w.strike(k) })
		}
	}
	for range w.plan.acts {
		w.loop.after(between2(w.random, time.Second, w.plan.active), nil, w.operate)
	}
}

// moment is when something goes wrong: at any time, or just when many buy.
func (w *world) moment() time.Duration {
	if len(w.rushes) > 0 && w.random.IntN(2) == 0 {
		return w.rushes[w.random.IntN(len(w.rushes))] + between2(w.random, 0, 400*time.Millisecond)
	}
	if w.plan.trouble > 0 {
		return between2(w.random, 200*time.Millisecond, w.plan.trouble)
	}
	return between2(w.random, 200*time.Millisecond, w.plan.active)
}

// strike lets one thing go wrong.
func (w *world) strike(k kind) {
	if w.faults.healed || !w.plan.faults[k] {
		return
	}
	if k == operates {
		w.interfere()
		return
	}
	w.faults.count[k]++
	w.loop.trace.say("%s", k)
	switch k {
	case crashes, leaves, cuts, stops, idless:
		w.strikeProcess(k)
	case failover, wipe, restart, dump, zombie, redisDown:
		w.strikeRedis(k)
	case shardAway:
		shard := w.random.IntN(w.plan.shards)
		w.ledger.SetAway(shard, true)
		w.heal(5*time.Second, func() { w.ledger.SetAway(shard, false) })
	case skews:
		w.ledger.Shift(w.random.IntN(w.plan.shards), between2(w.random, 0, clockMost))
		w.lent.Jump(between2(w.random, -clockMost, clockMost))
	case bankDown, bankRefuses, bankPending, shopDown:
		w.strikeBank(k)
	case arrives:
		w.arriveSome()
	default:
		w.strikeBroker(k)
	}
}

// clockMost is how far a clock jumps at once: the protocol allows 300 ms in all (seckill.CloseMargin).
const clockMost = 80 * time.Millisecond

// heal ends a fault after a while, at most that long.
func (w *world) heal(most time.Duration, end func()) {
	w.loop.after(between2(w.random, 20*time.Millisecond, most), nil, end)
}

func (w *world) strikeProcess(k kind) {
	if len(w.alive) == 0 {
		return
	}
	p := w.alive[w.random.IntN(len(w.alive))]
	switch k {
	case crashes:
		p.die(nil)
	case leaves:
		p.leave()
	case cuts:
		p.cut(store(w.random.IntN(int(bankStore))), between2(w.random, 50*time.Millisecond, 15*time.Second))
	case idless:
		p.idless = w.loop.now() + between2(w.random, 50*time.Millisecond, 6*time.Second)
	default:
		p.stop(w.plan.standing(w.random))
	}
}

func (w *world) strikeRedis(k kind) {
	switch k {
	case wipe:
		w.lent.Wipe()
	case restart:
		w.lent.Restart(w.loss())
	case dump:
		old := w.lent.Snapshot()
		w.heal(4*time.Second, func() {
			w.loop.trace.say("redis starts with an old dump")
			w.lent.Restore(old)
			w.book.lost(true, false)
		})
		return
	case redisDown:
		w.lent.Down(true)
		w.heal(5*time.Second, func() { w.lent.Down(false) })
		return
	case zombie:
		w.pin()
		w.lent.Failover(w.loss())
	default:
		w.lent.Failover(w.loss())
		if w.random.IntN(3) == 0 {
			w.heal(600*time.Millisecond, w.failBack)
		}
	}
	w.book.lost(true, false)
}

// failBack makes the former primary the primary again.
func (w *world) failBack() {
	w.loop.trace.say("redis fails over once more")
	w.lent.Failover(w.loss())
	w.book.lost(true, false)
}

// loss is how much of the last second a server has lost.
func (w *world) loss() lent.Loss {
	l := lent.Loss{Gates: w.random.IntN(2) == 0}
	if w.random.IntN(3) > 0 {
		l.Writes = w.random.IntN(min(w.lent.Writes(), 12) + 1)
	}
	w.loop.trace.say("the last %d writes are lost", l.Writes)
	return l
}

// pin leaves some processes with the server that will be the former primary.
func (w *world) pin() {
	for _, p := range slices.Clone(w.alive) {
		if w.random.IntN(2) == 0 {
			continue
		}
		w.loop.trace.say("%s stays with the former primary", p.name)
		p.client.Pin()
		w.heal(6*time.Second, p.client.Follow)
	}
}

func (w *world) strikeBroker(k kind) {
	shard := w.random.IntN(w.plan.shards)
	switch k {
	case reconnect:
		w.broker.Restart()
	case brokerDown:
		w.broker.Down(true)
		w.heal(5*time.Second, func() { w.broker.Down(false) })
	case brokerWipe:
		w.broker.Wipe()
		w.book.lost(false, true)
	case blocked:
		w.broker.Block(true)
		w.heal(4*time.Second, func() { w.broker.Block(false) })
	case leaderless:
		w.broker.Leaderless(shard, true)
		w.heal(4*time.Second, func() { w.broker.Leaderless(shard, false) })
	default:
	}
}

// straggle may have what was just published come twice, or late.
func (w *world) straggle(shard int) {
	ready, _ := w.broker.Offers(shard)
	if w.faults.healed || ready == 0 {
		return
	}
	if w.plan.faults[duplicates] && w.random.IntN(6) == 0 {
		w.faults.count[duplicates]++
		w.broker.Duplicate(shard, ready-1)
	}
	if w.plan.faults[delays] && (w.random.IntN(6) == 0 || w.plan.lateMost && w.random.IntN(2) == 0) {
		w.faults.count[delays]++
		w.loop.trace.say("a message is delayed")
		w.broker.Delay(shard, ready-1)
		w.loop.after(w.late(), nil, func() { w.arrive(shard) })
	}
}

// late is how late a message comes that nobody sees: most of them before an uncounted drain is believed, or soon after.
func (w *world) late() time.Duration {
	switch {
	case w.plan.lateMost && w.random.IntN(3) > 0:
		return between2(w.random, seckill.DrainQuiet+seckill.LoadStall, 2*seckill.DrainQuiet)
	case w.plan.lateMost:
		return between2(w.random, 50*time.Millisecond, 2*time.Second)
	case w.random.IntN(8) == 0:
		return between2(w.random, seckill.DrainQuiet/2, 2*seckill.DrainQuiet)
	}
	return between2(w.random, 50*time.Millisecond, 10*time.Second)
}

// arrive lets a held message arrive.
func (w *world) arrive(shard int) {
	if held := w.broker.Held(shard); held > 0 {
		w.broker.Arrive(shard, w.random.IntN(held))
	}
}

// arriveSome has some of the held messages arrive.
func (w *world) arriveSome() {
	for shard := range w.plan.shards {
		for nth := w.broker.Held(shard) - 1; nth >= 0; nth-- {
			if w.random.IntN(2) == 0 {
				w.broker.Arrive(shard, nth)
			}
		}
	}
}

// healAll ends every fault.
func (w *world) healAll() {
	w.faults.healed, w.ending = true, true
	w.loop.trace.say("everything is well again")
	w.lent.Down(false)
	w.broker.Down(false)
	w.broker.Block(false)
	w.bank.Down(false)
	w.bank.Refuse(false)
	w.bank.Pending(false)
	w.shopAway = false
	for shard := range w.plan.shards {
		w.ledger.SetAway(shard, false)
		w.broker.Leaderless(shard, false)
		for range w.broker.Held(shard) {
			w.loop.after(w.late(), nil, func() { w.arrive(shard) })
		}
	}
	for _, p := range w.alive {
		p.client.Follow()
		p.idless, p.echo = 0, echo{}
		p.stopped, p.cutOff = 0, [shopStore + 1]time.Duration{}
	}
}
