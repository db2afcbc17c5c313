package settle

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// lanesDefault is how many T1 one subscription has under way at once. They write orders beside each other, and wait for
	// each other at the stock row.
	lanesDefault = 4
	// placersMax is how many T2 are under way at once, placingsMax how many may wait before T1 waits for them.
	placersMax  = 4
	placingsMax = 1
)

// line is one subscription's way from delivery to order. It gathers, acknowledges and buries on one goroutine; T1 and T2
// have goroutines of their own, and so has what Redis is told.
type line struct {
	worker       *Worker
	shard        int
	subscription seckill.Subscription
	settled      bool

	next     gathering
	underWay []*lane // as they were begun
	over     chan *lane

	placings chan []seckill.Claim
	news     chan news
	after    sync.WaitGroup // T2 and what Redis is told
}

// lane is one batch on its way through T1.
type lane struct {
	parcels    []parcel
	settlement seckill.Settlement
	err        error
	over       bool
}

// newLine starts what comes after T1. It outlives ctx: what T1 has committed is placed although the worker is being
// stopped, each batch within the placer's own time.
func newLine(ctx context.Context, w *Worker, shard int, subscription seckill.Subscription) *line {
	ctx = context.WithoutCancel(ctx)
	l := &line{
		worker: w, shard: shard, subscription: subscription, next: gathering{clock: w.ports.Clock},
		over: make(chan *lane, w.ports.Lanes), placings: make(chan []seckill.Claim, placingsMax), news: make(chan news, newsMax),
	}
	for range placersMax {
		l.after.Go(func() {
			for held := range l.placings {
				w.placer.place(ctx, shard, held)
			}
		})
	}
	l.after.Go(func() { l.tell(ctx) })
	return l
}

// close lets T2 finish what T1 has left and gives back what was not settled.
func (l *line) close() {
	close(l.placings)
	close(l.news)
	l.after.Wait()
	if err := l.subscription.Close(); err != nil {
		l.worker.ports.Log.Warn("close subscription", "shard", l.shard, "error", err)
	}
}

// run settles what is delivered until nothing more comes, then finishes what it has.
func (l *line) run(ctx context.Context) error {
	err := l.work(ctx)
	for len(l.underWay) > 0 {
		err = errors.Join(err, l.conclude(ctx, <-l.over))
	}
	return err
}

// work returns an error when the subscription is of no use any more, nil when ctx ends.
func (l *line) work(ctx context.Context) error {
	for {
		for len(l.underWay) < l.worker.ports.Lanes && l.next.isDue(len(l.underWay)) {
			if err := l.begin(ctx, l.next.take()); err != nil {
				return err
			}
		}
		select {
		case delivery, more := <-l.intake():
			if !more {
				return errors.Join(errEnded, l.begin(ctx, l.next.take()))
			}
			l.next.add(delivery)
		case <-l.next.late:
			l.next.wait()
		case lane := <-l.over:
			if err := l.conclude(ctx, lane); err != nil {
				return err
			}
		case <-ctx.Done():
			return l.begin(ctx, l.next.take())
		}
	}
}

// intake is nil while a full batch waits for a lane.
func (l *line) intake() <-chan seckill.Delivery {
	if l.next.full() {
		return nil
	}
	return l.subscription.Deliveries()
}

// begin starts T1 of a batch.
func (l *line) begin(ctx context.Context, batch []parcel) error {
	parcels, err := l.setAside(ctx, batch)
	if err != nil || len(parcels) == 0 {
		return err
	}
	started := &lane{parcels: parcels}
	l.underWay = append(l.underWay, started)
	go func() {
		started.settlement, started.err = l.claim(ctx, parcels)
		l.over <- started
	}()
	return nil
}

// conclude hands a batch that is through T1 on: to be acknowledged, to T2, and to those who wait for it. It is in SQL now:
// shutting down must not keep it from any of that.
func (l *line) conclude(ctx context.Context, ended *lane) error {
	ctx = context.WithoutCancel(ctx)
	ended.over = true
	if ended.err == nil {
		ended.parcels, ended.err = l.bury(ctx, ended.parcels, ended.settlement)
	}
	settled, err := l.acknowledge(ctx)
	l.settled = l.settled || len(settled) > 0
	s := ended.settlement
	l.news <- news{settled: settled, decided: slices.Concat(s.Ordered, s.Rejected)}
	if len(s.Held) > 0 {
		l.placings <- s.Held
	}
	return err
}

// acknowledge acknowledges what is settled, up to the first batch that is still under way: in the order of the deliveries,
// so that one number stands for all of them.
func (l *line) acknowledge(ctx context.Context) (settled []parcel, err error) {
	for len(l.underWay) > 0 && l.underWay[0].over {
		first := l.underWay[0]
		l.underWay = l.underWay[1:]
		if err = errors.Join(err, first.err); first.err == nil {
			settled = append(settled, first.parcels...)
		}
	}
	if len(settled) == 0 {
		return nil, err
	}
	return settled, errors.Join(err, l.subscription.Ack(ctx, deliveriesOf(settled)))
}

func deliveriesOf(parcels []parcel) []seckill.Delivery {
	deliveries := make([]seckill.Delivery, len(parcels))
	for i, p := range parcels {
		deliveries[i] = p.delivery
	}
	return deliveries
}
