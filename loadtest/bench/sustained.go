package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/seckill-dev/seckill/loadtest/bench/load"
	"github.com/seckill-dev/seckill/loadtest/bench/stage"
)

const (
	// backlogMost is how long after the last answer the last order of a rate that is held may be written.
	backlogMost = 500 * time.Millisecond
	// lateMost is how long after the last purchase was due the last answer may come.
	lateMost = 500 * time.Millisecond
	paceUp   = 1.1
	paceDown = 0.9
	// paceLeast ends the search downwards.
	paceLeast = 100
)

// sustained looks for the highest rate of purchases that the whole pipeline persists without a growing backlog. A closed
// loop says where to begin: all that it got through, until the last order was written, over all that time.
func (b *bench) sustained(ctx context.Context, p *stage.Product) error {
	if err := p.Start(ctx, stage.Worker); err != nil {
		return err
	}
	sale, err := p.Sell(ctx, 1, units)
	if err != nil {
		return err
	}
	l := ladder{bench: b, product: p, sale: sale}
	if b.pace == 0 {
		err = b.profiled(ctx, sideSustained, p, stage.Worker, func() (err error) {
			b.pace, err = l.flood(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
	best, err := l.climb(ctx, b.pace)
	if err != nil {
		return err
	}
	b.pace = best
	b.report.Add(sideSustained, "orders/s", best)
	return b.finish(ctx, p, sale)
}

// ladder tries rates on one sale.
type ladder struct {
	*bench

	product *stage.Product
	sale    stage.Sale
	orders  int64 // that there must be
}

// flood is the rate of a closed loop, with the time for its backlog.
func (l *ladder) flood(ctx context.Context) (float64, error) {
	begun := time.Now()
	result, err := l.closed(ctx, "flood", l.product.Addr(), newPurchase(l.shoppers, l.sale.Item(), false), http.StatusAccepted)
	if err != nil {
		return 0, err
	}
	l.orders = result.Answers(http.StatusAccepted)
	if _, err := l.product.AwaitOrders(ctx, l.sale, l.orders); err != nil {
		return 0, err
	}
	return float64(l.orders) / time.Since(begun).Seconds(), nil
}

// climb tries higher rates until one is not held, or lower ones until one is, and returns the highest that was.
func (l *ladder) climb(ctx context.Context, rate float64) (best float64, err error) {
	for range l.settings.probes {
		held, got, err := l.hold(ctx, rate)
		switch {
		case err != nil:
			return 0, err
		case held:
			best, rate = max(best, got), rate*paceUp
		case best > 0:
			return best, nil
		default:
			rate *= paceDown
		}
	}
	for best == 0 && rate > paceLeast { // far from where it began: somebody else is at work on this machine
		held, got, err := l.hold(ctx, rate)
		if err != nil {
			return 0, err
		}
		if held {
			best = got
		}
		rate /= 2
	}
	if best == 0 {
		return 0, errors.New("no rate is held")
	}
	return best, nil
}

// hold says whether a rate is held: nobody is refused, answers keep up, and the orders are there soon after.
func (l *ladder) hold(ctx context.Context, rate float64) (held bool, perSecond float64, err error) {
	result, err := l.send(ctx, load.Plan{
		Addr: l.product.Addr(), Connections: connections, Status: http.StatusAccepted, Rate: rate, Duration: l.settings.probe,
	}, newPurchase(l.shoppers, l.sale.Item(), false))
	var refused *load.UnexpectedError
	if err != nil && !errors.As(err, &refused) {
		return false, 0, err
	}
	ended := time.Now()
	l.orders += result.Answers(http.StatusAccepted)
	if _, err := l.product.AwaitOrders(ctx, l.sale, l.orders); err != nil {
		return false, 0, err
	}
	backlog := time.Since(ended)
	took := max(result.Last, l.settings.probe)
	perSecond = float64(result.Answers(http.StatusAccepted)) / took.Seconds()
	held = refused == nil && backlog <= backlogMost && took-l.settings.probe <= lateMost
	l.say("  %.0f/s: %.0f/s answered, last order after %.1f s", rate, perSecond, backlog.Seconds())
	if held {
		l.report.Follow(seriesOf(sideSustained, result))
	}
	return held, perSecond, nil
}
