package keeper

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	closeRetryLeast = 500 * time.Millisecond
	closeRetryMost  = 5 * time.Second
	// closeTriesAlarm is how often closing one payment fails before somebody is called: a call that came too late, or a
	// provider that starts again, is asked once more in a moment.
	closeTriesAlarm = 3
)

// Close sees to it, at the providers, that nothing more is paid on cancelled orders. Return waits for that: a unit is not
// for sale again while somebody may still pay it.
type Close struct {
	ports Ports

	mu sync.Mutex
	// refused are the payments that could not be closed. A job that forgets them only asks earlier.
	refused map[seckill.ID]setback
	// until is when a shard is looked at again.
	until map[int]time.Time
}

// setback is how often something has failed.
type setback struct {
	shard  int
	order  seckill.ID
	times  int
	nextAt time.Time
	err    error
}

// NewClose returns the job.
func NewClose(ports Ports) *Close {
	if ports.Held == nil {
		ports.Held = NewHeld(ports.Clock, ports.Log, ports.Metrics)
	}
	return &Close{ports: ports, refused: make(map[seckill.ID]setback), until: make(map[int]time.Time)}
}

// RunOnce closes the open payments of orders that owe a return. One that cannot be closed is no failure of the job, which
// goes on asking: Held calls somebody.
func (c *Close) RunOnce(ctx context.Context) error {
	var failures []error
	for _, shard := range c.ports.shards() {
		if c.ports.Clock.Now().Before(c.until[shard]) {
			continue
		}
		calls := errands[seckill.ID, seckill.Payment]{
			clock: c.ports.Clock,
			find:  func(ctx context.Context) ([]seckill.Payment, error) { return c.due(ctx, shard) },
			key:   func(payment seckill.Payment) seckill.ID { return payment.ID },
			do:    func(ctx context.Context, payment seckill.Payment) { c.note(shard, payment, c.close(ctx, payment)) },
		}
		failures = append(failures, calls.run(ctx))
		held := c.held(shard)
		c.ports.Held.note(heldBy{c, shard}, held)
		// A shard of which many could not be closed is left alone for a moment.
		c.until[shard] = c.ports.Clock.Now().Add(restAfter(held.payments))
	}
	return errors.Join(failures...)
}

// held counts what keeps units of a shard from being for sale again.
func (c *Close) held(shard int) unclosed {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found unclosed
	orders := make(map[seckill.ID]bool)
	for _, refused := range c.refused {
		if refused.shard != shard {
			continue
		}
		orders[refused.order] = true
		found.payments++
		if refused.times >= closeTriesAlarm || found.cause == nil {
			found.cause = refused.err
		}
		found.lasts = found.lasts || refused.times >= closeTriesAlarm
	}
	found.orders = len(orders)
	return found
}

// due are the open payments of cancelled orders, but for those that failed a moment ago.
func (c *Close) due(ctx context.Context, shard int) ([]seckill.Payment, error) {
	var open []seckill.Payment
	err := c.ports.eachReturn(ctx, shard, func(ctx context.Context, rows []seckill.Owed) error {
		page, err := c.ports.openPayments(ctx, shard, rows)
		open = append(open, page...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("payments to be closed on shard %d: %w", shard, err)
	}
	return c.ready(shard, open), nil
}

// ready leaves out what has failed too recently, and forgets what is not open any more.
func (c *Close) ready(shard int, open []seckill.Payment) []seckill.Payment {
	c.mu.Lock()
	defer c.mu.Unlock()
	still := make(map[seckill.ID]bool, len(open))
	ready, now := open[:0], c.ports.Clock.Now()
	for _, payment := range open {
		still[payment.ID] = true
		if !now.Before(c.refused[payment.ID].nextAt) {
			ready = append(ready, payment)
		}
	}
	for id, refused := range c.refused {
		if refused.shard == shard && !still[id] {
			delete(c.refused, id)
		}
	}
	return ready
}

func (c *Close) close(ctx context.Context, payment seckill.Payment) error {
	provider, err := c.ports.provider(payment.Provider)
	if err != nil {
		return err
	}
	charges, err := provider.Close(ctx, payment)
	if err != nil {
		return fmt.Errorf("%s: %w", payment.Provider, err)
	}
	// The order is cancelled, so what has arrived goes back; recorded before the payment counts as closed, or a crash in
	// between would forget it.
	for _, charge := range charges {
		charge.Payment = payment.ID
		if _, _, err := c.ports.Payments.Record(ctx, charge); err != nil {
			return fmt.Errorf("record a charge on payment %s: %w", payment.ID, err)
		}
	}
	if err := c.ports.Payments.Closed(ctx, payment.ID); err != nil {
		return fmt.Errorf("note payment %s as closed: %w", payment.ID, err)
	}
	return nil
}

func (c *Close) note(shard int, payment seckill.Payment, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		delete(c.refused, payment.ID)
		return
	}
	times := c.refused[payment.ID].times + 1
	wait := backoff(closeRetryLeast, closeRetryMost, times)
	c.refused[payment.ID] = setback{
		shard: shard, order: payment.Order, times: times, nextAt: c.ports.Clock.Now().Add(wait), err: err,
	}
}

// provider finds the one that a payment was begun at.
func (p Ports) provider(name string) (seckill.Provider, error) {
	provider, known := p.Providers[name]
	if !known {
		return nil, fmt.Errorf("payment provider %q is not configured here", name)
	}
	return provider, nil
}

// backoff doubles from least with each failure, up to most.
func backoff(least, most time.Duration, failures int) time.Duration {
	wait := least
	for n := 1; n < failures && wait < most; n++ {
		wait *= 2
	}
	return min(wait, most)
}
