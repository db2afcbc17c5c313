package sim

import (
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/settle"
)

func (p *process) settlePorts() settle.Ports {
	redis := p.redisPort()
	return settle.Ports{
		Consumer: p.queuePort(), Claims: p.claimsPort(), Orders: p.ordersPort(), Catalog: p.catalogPort(), Lent: redis,
		Announcements: redis, Shards: p.ledger.Shards(), Clock: p.clock, Log: p.logger(),
	}
}

func (w *world) startWorker() {
	p := w.newProcess(workerRole)
	go func() {
		_ = settle.NewWorker(p.settlePorts()).Run(p.life)
		p.finished()
	}()
	p.onDeath = append(p.onDeath, func() { w.again(w.startWorker) })
}

// subscribed has the broker notice, late, that a consumer has died, or never heard that it is one.
func (p *process) subscribed(s seckill.Subscription, by *call) {
	gone := func() { p.loop.after(p.late(), nil, func() { p.broker.Cut(s) }) }
	if by == nil || by.fate != done || p.dead.Load() {
		p.loop.arrive(&event{at: p.loop.now(), do: gone})
		return
	}
	p.onDeath = append(p.onDeath, gone)
}

// deliver lets the queues hand on what they have.
func (w *world) deliver() {
	for shard := range w.delivering {
		if w.delivering[shard] {
			continue
		}
		if messages, consumers := w.broker.Offers(shard); messages == 0 || consumers == 0 {
			continue
		}
		w.delivering[shard] = true
		most := 4 * time.Millisecond
		if w.plan.faults[reorders] {
			most = 150 * time.Millisecond
		}
		w.loop.after(between2(w.random, 0, most)+callLeast, nil, func() { w.hand(shard) })
	}
}

func (w *world) hand(shard int) {
	w.delivering[shard] = false
	messages, consumers := w.broker.Offers(shard)
	if messages == 0 || consumers == 0 {
		return
	}
	nth := 0
	if !w.faults.healed && w.plan.faults[reorders] {
		nth = w.random.IntN(messages)
		if nth > 0 {
			w.faults.count[reorders]++
		}
	}
	name := w.broker.Deliver(shard, nth, w.random.IntN(consumers))
	w.loop.trace.note("queue %d hands on %s", shard, name)
}
