package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/seckill-dev/seckill/loadtest/bench/load"
	"github.com/seckill-dev/seckill/loadtest/bench/stage"
)

const (
	sideAcceptP99  = "accept_p99"
	sideOrderedP99 = "queued_to_ordered_p99"
	sideLagP99     = "generator_lag_p99"
	sideOpenLoop   = "accept, open loop"

	// One of everySample queued purchases is followed to its order, by as many connections as can wait for one.
	everySample = 64
	followers   = 64
	samplesRoom = 4096
	followWait  = 20 * time.Second
)

// latency sends purchases at half of the peak, with everything running.
func (b *bench) latency(ctx context.Context) error {
	if b.report.Median(sideAccept) == 0 {
		// Nothing else has measured it.
		if err := b.with(ctx, productName, accepting(), func(p *stage.Product) error { return b.accept(ctx, p) }); err != nil {
			return err
		}
	}
	rate := b.report.Median(sideAccept) / 2
	b.report.Setting("rate of the open loop", fmt.Sprintf("%.0f/s", rate))
	for range b.settings.rounds {
		err := b.with(ctx, productName, everything(), func(p *stage.Product) error { return b.roundOfLatency(ctx, p, rate) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) roundOfLatency(ctx context.Context, product *stage.Product, rate float64) error {
	sale, err := product.Sell(ctx, 1, units)
	if err != nil {
		return err
	}
	p := newPurchase(b.shoppers, sale.Item(), false)
	f := newFollowing(p, product.Addr(), sale.Item())
	f.start(ctx)
	result, err := b.send(ctx, load.Plan{
		Addr: product.Addr(), Connections: connections, Status: http.StatusAccepted, Rate: rate,
		Warm: b.settings.warm, Duration: b.settings.steady, Answered: f.answered,
	}, p)
	ordered, failure := f.end()
	if err = errors.Join(err, failure); err != nil {
		return err
	}
	b.report.Add(sideAcceptP99, "ms", millis(result.Latency.ValueAtQuantile(99)))
	b.report.Add(sideLagP99, "ms", millis(result.Lag.ValueAtQuantile(99)))
	b.report.Add(sideOrderedP99, "ms", millis(ordered.ValueAtQuantile(99)))
	b.report.Follow(seriesOf(sideOpenLoop, result))
	if _, err := product.AwaitOrders(ctx, sale, result.Answers(http.StatusAccepted)); err != nil {
		return err
	}
	return b.finish(ctx, product, sale)
}

// sample is a queued purchase.
type sample struct {
	shopper int64
	id      string
	at      time.Time
}

// following waits, as a shopper would, until samples are ordered.
type following struct {
	purchase *purchase
	addr     string
	item     string
	samples  chan sample
	all      sync.WaitGroup

	mu       sync.Mutex
	ordered  *hdrhistogram.Histogram
	failures []error
}

func newFollowing(p *purchase, addr, item string) *following {
	return &following{
		purchase: p, addr: addr, item: item, samples: make(chan sample, samplesRoom), ordered: load.NewHistogram(),
	}
}

// answered takes a sample. One for which there is no room is left out: the generator must not wait.
func (f *following) answered(n int64, body []byte, at time.Time) {
	if n%everySample != 0 {
		return
	}
	const begins = `{"id":"`
	rest, found := bytes.CutPrefix(body, []byte(begins))
	if length := bytes.IndexByte(rest, '"'); found && length > 0 {
		select {
		case f.samples <- sample{f.purchase.from + n, string(rest[:length]), at}:
		default:
		}
	}
}

func (f *following) start(ctx context.Context) {
	for range followers {
		f.all.Go(func() {
			if err := f.follow(ctx); err != nil {
				f.mu.Lock()
				defer f.mu.Unlock()
				f.failures = append(f.failures, err)
			}
		})
	}
}

// end returns when every sample is ordered.
func (f *following) end() (*hdrhistogram.Histogram, error) {
	close(f.samples)
	f.all.Wait()
	return f.ordered, errors.Join(f.failures...)
}

func (f *following) follow(ctx context.Context) error {
	conn, err := load.Dial(ctx, f.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	var request []byte
	for s := range f.samples {
		request = fmt.Appendf(request[:0], "GET /v1/items/%s/reservations/%s?wait=10s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n\r\n",
			f.item, s.id, f.purchase.shoppers.token(s.shopper))
		if err := conn.Within(followWait); err != nil {
			return err
		}
		status, body, err := conn.Exchange(request)
		if err != nil {
			return err
		}
		if status != http.StatusOK || !bytes.Contains(body, []byte(`"status":"ordered"`)) {
			return fmt.Errorf("reservation %s: %d %s", s.id, status, body)
		}
		f.mu.Lock()
		load.Record(f.ordered, time.Since(s.at))
		f.mu.Unlock()
	}
	return nil
}
