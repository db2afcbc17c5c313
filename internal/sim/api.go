package sim

import (
	"context"
	"time"

	"github.com/seckill-dev/seckill/internal/checkout"
	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
)

// api is a process that shoppers talk to.
type api struct {
	*process

	buying *purchase.Service
	paying *checkout.Service
}

// patience is how long a shopper's request lasts at most.
const patience = 12 * time.Second

func (w *world) startAPI() {
	p := w.newProcess(apiRole)
	redis := p.redisPort()
	buying, err := purchase.New(purchase.Ports{
		Lent: redis, Announcements: redis, Publisher: p.queuePort(), Queue: p.queuePort(), Claims: p.claimsPort(),
		Stocks: p.stocksPort(), Catalog: p.catalogPort(), Marks: p.marksPort(), Shards: w.ledger.Shards(), IDs: p.ids,
		Clock: p.clock, Log: p.logger(), Random: func() float64 { return 0.5 },
	}, purchase.Options{UserRate: -1, PublishesMax: 2})
	if err != nil {
		panic(err)
	}
	a := &api{process: p, buying: buying, paying: p.checkout()}
	w.apis = append(w.apis, a)
	go func() {
		_ = buying.Run(p.life)
		p.finished()
	}()
	p.onDeath = append(p.onDeath, func() {
		w.apis = without(w.apis, a)
		w.again(w.startAPI)
	})
}

// again starts a process in the place of one that died, after a while.
func (w *world) again(start func()) {
	if w.over {
		return
	}
	w.loop.after(between2(w.random, 50*time.Millisecond, 3*time.Second), nil, start)
}

// serve runs a shopper's request. heard is called on the loop with what it left, unless the process has died: then gone is.
func serve[T any](a *api, do func(ctx context.Context) T, heard func(T), gone func()) {
	number := a.loop.names()
	answered := false
	a.onDeath = append(a.onDeath, func() {
		if !answered {
			gone()
		}
	})
	a.loop.hands.carry(func() {
		ctx, cancel := a.loop.bounded(a.breath, number, patience)
		defer cancel()
		answer := do(ctx)
		a.loop.arrive(&event{at: a.loop.now(), owner: a.process, rank: "-2", name: number, do: func() {
			answered = true
			heard(answer)
		}})
	})
}

func (p *process) redisPort() redisPort {
	return redisPort{Lent: p.client, Announcements: p.client, p: p}
}
func (p *process) queuePort() queuePort   { return queuePort{p.broker, p} }
func (p *process) claimsPort() claimsPort { return claimsPort{ledger.Claims{Ledger: p.ledger}, p} }
func (p *process) stocksPort() stocksPort { return stocksPort{ledger.Stocks{Ledger: p.ledger}, p} }
func (p *process) ordersPort() ordersPort { return ordersPort{ledger.Orders{Ledger: p.ledger}, p} }
func (p *process) marksPort() marksPort   { return marksPort{ledger.Marks{Ledger: p.ledger}, p} }
func (p *process) owingPort() owingPort   { return owingPort{ledger.Owing{Ledger: p.ledger}, p} }
func (p *process) catalogPort() catalogPort {
	return catalogPort{ledger.Catalog{Ledger: p.ledger}, p}
}

var _ seckill.Lent = redisPort{}
