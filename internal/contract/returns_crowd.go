package contract

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// ReturnsCrowd is the suite of everything that moves units, all of it at once.
func ReturnsCrowd(t *testing.T, open func(t *testing.T) Ledger) {
	t.Helper()
	runLedger(t, open, []ledgerCase{
		{"peers: stock neither grows nor shrinks while everybody returns, settles, lends, seals and adjusts", movesInACrowd},
	})
}

const (
	crowdUnits     = 300
	crowdBatches   = 24
	crowdBatch     = 10
	crowdReturners = 20
	crowdReturns   = 6
	crowdOps       = 12
)

// crowd is one item and everybody who works on it. Nothing in it stops the test but the goroutine that runs the test.
type crowd struct {
	ledgerTest
	item     seckill.ID
	messages []seckill.Message
	reserved []seckill.Reserved
	attempts []seckill.ID
	back     atomic.Int64
	adjusted atomic.Int64
}

func movesInACrowd(l ledgerTest) {
	c := newCrowd(l)
	var working sync.WaitGroup
	defer working.Wait()
	for worker := range 4 {
		working.Go(func() { c.settleEvery(worker) })
	}
	for range crowdReturners {
		working.Go(c.returnSome)
	}
	for range 3 {
		working.Go(c.adjustAll)
	}
	working.Go(c.sealAll)
	over := make(chan struct{})
	go func() { working.Wait(); close(over) }()
	for {
		select {
		case <-over:
			c.wantAll()
			return
		default:
			l.addsUp(c.item) // the sampling auditor
		}
	}
}

func newCrowd(l ledgerTest) *crowd {
	l.Helper()
	c := &crowd{ledgerTest: l, item: l.opened(crowdUnits, limitMany)}
	for batch := range crowdBatches {
		var reserved []seckill.Reserved
		for i := range crowdBatch {
			reserved = append(reserved, l.reserve(seckill.UserID(fmt.Sprintf("user-%d", i)), 1))
		}
		c.messages = append(c.messages, l.message(c.item, 1, int64(batch+1)*crowdBatch, reserved...))
		c.reserved = append(c.reserved, reserved...)
		c.attempts = append(c.attempts, l.id(0))
	}
	return c
}

// insist repeats passing failures and reports all others.
func (c *crowd) insist(do func() error) {
	err := do()
	for errors.Is(err, seckill.ErrTransient) {
		err = do()
	}
	if err != nil {
		c.Error(err)
	}
}

// settleEvery delivers a share of the messages, and some of the others' again.
func (c *crowd) settleEvery(worker int) {
	for i, m := range c.messages {
		if i%4 != worker && rand.IntN(4) > 0 {
			continue
		}
		c.insist(func() error {
			settlement, err := c.Claims.Settle(c.Context(), seckill.HomeShard(c.Shards, c.item), []seckill.Message{m}, nil)
			if len(settlement.Rejected)+len(settlement.Doubled)+len(settlement.Ahead) > 0 {
				c.Error("somebody with a promise was sent away:", settlement)
			}
			return err
		})
	}
}

// returnSome gives back any reservations: many that others give back, too, and some that are not claimed yet.
func (c *crowd) returnSome() {
	for range crowdReturns {
		from := rand.IntN(len(c.reserved))
		some := c.reserved[from:min(len(c.reserved), from+3*crowdBatch)]
		c.insist(func() error {
			units, err := c.Returns.Return(c.Context(), c.item, returnsOf(some))
			c.back.Add(units)
			return err
		})
		c.insist(func() error {
			_, _, err := c.Stocks.Issue(c.Context(), c.item)
			return err
		})
	}
}

// adjustAll does every op, as others do.
func (c *crowd) adjustAll() {
	for op := range crowdOps {
		delta := int64(2*(op%2)-1) * int64(3+op)
		got, err := c.adjustPatiently(seckill.Adjustment{Item: c.item, Op: fmt.Sprintf("op-%d", op), Delta: delta})
		if err != nil || got.Refused || got.Taken-got.Owed != delta {
			c.Error(op, delta, got, err)
		}
		if !got.Repeated {
			c.adjusted.Add(delta)
		}
	}
}

// sealAll ends one epoch after the other. All that was sold may have been promised, so nothing is taken from who comes late.
func (c *crowd) sealAll() {
	for _, attempt := range c.attempts {
		c.insist(func() error {
			_, err := c.Stocks.Seal(c.Context(), seckill.SealRequest{Item: c.item})
			return err
		})
		c.insist(func() error { return c.beginEpoch(attempt) })
	}
}

func (c *crowd) beginEpoch(attempt seckill.ID) error {
	stock, err := c.Stocks.Get(c.Context(), c.item)
	if err != nil {
		return err
	}
	next, _, err := c.Stocks.Rebuild(c.Context(), seckill.Rebuild{
		Item: c.item, Epoch: stock.Epoch, From: stock.State, Attempt: stock.Attempt, NextAttempt: attempt,
		Target: crowdBatches * crowdBatch,
	})
	if err == nil {
		_, err = c.Stocks.Open(c.Context(), c.item, next.Epoch, next.Attempt)
	}
	return err
}

// wantAll gives everything back that is still held: then each unit came back once, by whoever brought it, and what is
// allotted is what was adjusted but for what a Rebuild could not find.
func (c *crowd) wantAll() {
	c.Helper()
	c.insist(func() error {
		units, err := c.Returns.Return(c.Context(), c.item, returnsOf(c.reserved))
		c.back.Add(units)
		return err
	})
	c.addsUp(c.item)
	facts, err := c.Books.Facts(c.Context(), c.item)
	if err != nil {
		c.Fatal(err)
	}
	if all := int64(len(c.reserved)); c.back.Load() != all || facts.ReturnedUnits != all || facts.Stock.Claimed != 0 {
		c.Fatalf("%d of %d units came back: %+v", c.back.Load(), all, facts)
	}
	forgotten := facts.Stock.Allotted - facts.Stock.OwedDecrease - crowdUnits - c.adjusted.Load()
	if forgotten < 0 {
		c.Fatalf("%d units are missing: %+v", -forgotten, facts)
	}
}
