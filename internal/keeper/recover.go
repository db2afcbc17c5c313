package keeper

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	recoverParallel = 8
	// judgeWithin bounds the time between reading Redis and reading SQL: an older picture of Redis judges nothing.
	judgeWithin = time.Second
	// sealWithin bounds what a judgement may wait for SQL: what was missing when it was made may have come since.
	sealWithin = 3 * time.Second
	// pictureWithin is how old that picture may be when the judging begins; Renew takes one a little more often.
	pictureWithin = 500 * time.Millisecond
)

// Recover notices that an epoch was lost, seals it, drains it and loads the next one. It also closes items whose seal is
// final. Every step is a conditional update on the stock row, and the row says where to go on.
type Recover struct {
	ports Ports

	mu sync.Mutex
	// behind remembers when Redis was last sent the issues it lacks, flushed which sealing epochs have had their outbox
	// published by this keeper. Both only save work or time: another keeper without them does the same again.
	behind  map[seckill.ID]resent
	flushed map[seckill.ID]int64
}

type resent struct {
	epoch, issue int64
	at           time.Time
}

// NewRecover returns the job.
func NewRecover(ports Ports) *Recover {
	return &Recover{ports: ports, behind: make(map[seckill.ID]resent), flushed: make(map[seckill.ID]int64)}
}

// RunOnce takes every item one step further, as far as it goes now. When Redis does not answer, nothing is judged, and what
// is sealing or loading still goes on where it can.
func (r *Recover) RunOnce(ctx context.Context) error {
	redis, looking := r.ports.look(ctx, pictureWithin)
	return errors.Join(looking, r.stepAll(ctx, redis))
}

func (r *Recover) stepAll(ctx context.Context, redis picture) error {
	var mu sync.Mutex
	var failures []error
	var items errgroup.Group
	items.SetLimit(recoverParallel)
	err := r.ports.eachStock(ctx, func(_ context.Context, stock seckill.Stock) error {
		items.Go(func() error {
			if err := r.step(ctx, stock, redis); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failures = append(failures, fmt.Errorf("recover item %s (%s): %w", stock.Item, stock.State, err))
			}
			return nil
		})
		return nil
	}, seckill.StockNew, seckill.StockLoading, seckill.StockOpen, seckill.StockSealing)
	_ = items.Wait()
	return errors.Join(append(failures, err)...)
}

// Begin makes an item's row, if there is none, and starts its first epoch: preload. An item that has begun is left as it is.
// One that has begun as far as Redis knows, which is read first, is refused: SQL has lost it, and its orders stand elsewhere.
func (r *Recover) Begin(ctx context.Context, item seckill.Item) error {
	states, err := r.ports.statesOf(ctx, []seckill.ID{item.ID})
	if err != nil {
		return err
	}
	if err := r.ports.Stocks.Create(ctx, item, cmp.Or(r.ports.Gate, seckill.GateDefault)); err != nil {
		return fmt.Errorf("make the stock row: %w", err)
	}
	stock, err := r.ports.Stocks.Get(ctx, item.ID)
	if err != nil {
		return fmt.Errorf("read stock: %w", err)
	}
	if stock.State != seckill.StockNew {
		return nil
	}
	if redis := states[item.ID]; redis.Known {
		return fmt.Errorf("the database knows of no epoch, but redis has sold %d units of epoch %d: the database has lost"+
			" what it had, and selling everything again could sell it twice; restore the database, or end the sale", redis.Sold, redis.Epoch)
	}
	if err := r.rebuild(ctx, stock, 0); err != nil {
		return fmt.Errorf("lend the units: %w", err)
	}
	return nil
}

// SealAll seals every epoch that was open when the only process of an embedded system ended. Nothing can be on its way to
// a shopper any more, so close has passed already.
func (r *Recover) SealAll(ctx context.Context) error {
	return r.ports.eachStock(ctx, func(ctx context.Context, stock seckill.Stock) error {
		_, err := r.ports.Stocks.Seal(ctx, seckill.SealRequest{Item: stock.Item, Epoch: stock.Epoch, PastClose: true})
		return err
	}, seckill.StockOpen, seckill.StockSealing)
}

func (r *Recover) step(ctx context.Context, stock seckill.Stock, redis picture) error {
	if stock.Halted != "" {
		return nil
	}
	switch stock.State {
	case seckill.StockNew:
		if !stock.Final {
			return nil
		}
		return r.rebuild(ctx, stock, 0)
	case seckill.StockOpen:
		return r.judge(ctx, stock, redis)
	case seckill.StockSealing:
		return r.drain(ctx, stock)
	case seckill.StockLoading:
		return r.reload(ctx, stock)
	default:
		return nil
	}
}

// judge seals an open epoch that Redis has lost. Redis was read before SQL, so that an issue or an epoch that was committed
// in between is not taken for a loss; Redis not answering is an outage, not a loss.
func (r *Recover) judge(ctx context.Context, stock seckill.Stock, redis picture) (err error) {
	state, seen := redis.states[stock.Item]
	tooEarly := stock.ReadAt.Before(stock.Since.Add(seckill.JudgeAfter))
	if !seen || tooEarly || r.ports.Clock.Now().Sub(redis.begun) > judgeWithin {
		return nil
	}
	loss := lossOf(stock, state)
	if loss == "" {
		loss, err = r.judgeIssues(ctx, stock, state)
	}
	if loss == "" || err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sealWithin)
	defer cancel()
	sealed, err := r.ports.Stocks.Seal(ctx, seckill.SealRequest{Item: stock.Item, Epoch: stock.Epoch})
	if err != nil {
		return fmt.Errorf("seal after a loss: %w", err)
	}
	if sealed {
		r.ports.Log.Warn("redis has lost an epoch; sealed, will be rebuilt", "item", stock.Item, "epoch", stock.Epoch, "loss", loss)
	}
	return nil
}

// lossOf says what Redis has lost of an open epoch, "" when nothing.
func lossOf(stock seckill.Stock, redis seckill.LentState) string {
	switch {
	case !redis.Known:
		return "meta is missing"
	case redis.Epoch != stock.Epoch:
		return fmt.Sprintf("redis has epoch %d", redis.Epoch)
	case redis.GateEpoch == 0:
		return "gate is missing"
	case redis.GateRunID != redis.Server.RunID || redis.GateReplicationID != redis.Server.ReplicationID:
		return "gate belongs to another server"
	case redis.Issue > stock.Issue:
		return fmt.Sprintf("redis has issue %d, sql %d", redis.Issue, stock.Issue)
	default:
		return ""
	}
}

// judgeIssues sends Redis the issues it lacks; being still behind a while after that is a loss, lagging is not (trap 26).
func (r *Recover) judgeIssues(ctx context.Context, stock seckill.Stock, redis seckill.LentState) (string, error) {
	if redis.Issue == stock.Issue {
		r.forget(stock.Item)
		return "", nil
	}
	r.mu.Lock()
	last, known := r.behind[stock.Item]
	r.mu.Unlock()
	if known && last.epoch == stock.Epoch && redis.Issue < last.issue {
		if r.ports.Clock.Now().Sub(last.at) < seckill.JudgeAfter {
			return "", nil
		}
		return fmt.Sprintf("redis stays at issue %d of %d", redis.Issue, last.issue), nil
	}
	resales, err := r.ports.sendIssues(ctx, stock.Item, stock.Epoch, redis.Issue)
	r.ports.measure(ctx, resales...)
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.behind[stock.Item] = resent{stock.Epoch, stock.Issue, r.ports.Clock.Now()}
	return "", nil
}

func (r *Recover) forget(item seckill.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.behind, item)
}

// closeOf is the moment after which nothing of the sealing epoch can be promised: the gate has lapsed, and so has the
// accept window of the last call it let through.
func closeOf(stock seckill.Stock) time.Time {
	return stock.Since.Add(stock.Gate + seckill.AcceptWindow + seckill.CloseMargin)
}

// drain waits for close, publishes what this Redis still holds of the epoch, and starts the next epoch once everything
// that was promised is settled.
func (r *Recover) drain(ctx context.Context, stock seckill.Stock) error {
	if stock.ReadAt.Before(closeOf(stock)) {
		return nil
	}
	if err := r.flush(ctx, stock); err != nil {
		return err
	}
	stock, err := r.ports.Stocks.Get(ctx, stock.Item)
	if err != nil {
		return fmt.Errorf("read stock: %w", err)
	}
	if stock.State != seckill.StockSealing {
		return nil
	}
	drained, err := r.ports.Drain.Drained(ctx, stock)
	if err != nil {
		return fmt.Errorf("look whether the epoch is drained: %w", err)
	}
	if !drained.Done {
		return nil
	}
	return r.rebuild(ctx, stock, drained.Target)
}

// flush publishes every outbox entry of the sealing epoch that this Redis still has, once per keeper, and lifts high to
// what Redis sold. While publishing fails the item stays where it is.
func (r *Recover) flush(ctx context.Context, stock seckill.Stock) error {
	r.mu.Lock()
	done := r.flushed[stock.Item] == stock.Epoch
	r.mu.Unlock()
	if done {
		return nil
	}
	if err := r.publishOutbox(ctx, stock); err != nil {
		return err
	}
	states, err := r.ports.Lent.States(ctx, []seckill.ID{stock.Item})
	if err != nil {
		return fmt.Errorf("read item in redis: %w", err)
	}
	if states[0].Known && states[0].Epoch == stock.Epoch && states[0].Sold > 0 {
		if err := r.ports.Stocks.RaiseHigh(ctx, stock.Item, stock.Epoch, states[0].Sold); err != nil {
			return fmt.Errorf("raise high: %w", err)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flushed[stock.Item] = stock.Epoch
	return nil
}

// publishOutbox goes through the outbox until a whole pass brings nothing new: workers settle meanwhile, and what they
// take out shifts the pages.
func (r *Recover) publishOutbox(ctx context.Context, stock seckill.Stock) error {
	published := make(map[seckill.ID]bool)
	for {
		before := len(published)
		if err := r.publishPass(ctx, stock, published); err != nil {
			return err
		}
		if len(published) == before {
			return nil
		}
	}
}

func (r *Recover) publishPass(ctx context.Context, stock seckill.Stock, published map[seckill.ID]bool) error {
	for offset := 0; ; offset += relayBatch {
		entries, err := r.ports.Lent.Outbox(ctx, stock.Item, offset, relayBatch)
		if err != nil {
			return fmt.Errorf("read outbox: %w", err)
		}
		if len(entries) == 0 {
			return nil
		}
		fresh := ofEpoch(entries, stock.Epoch, published)
		if err := r.ports.publish(ctx, stock.Item, fresh); err != nil {
			return err
		}
		for _, entry := range fresh {
			published[entry.Batch] = true
		}
	}
}

// ofEpoch keeps the entries of one epoch that were not published yet. None of them is noted as sent, because that would
// move it behind the page; the relay does it later.
func ofEpoch(entries []seckill.DueEntry, epoch int64, published map[seckill.ID]bool) []seckill.DueEntry {
	kept := entries[:0]
	for _, entry := range entries {
		message, err := seckill.DecodeMessage(entry.Bytes)
		if published[entry.Batch] || (err == nil && message.Epoch != epoch) {
			continue
		}
		entry.Unsent = false
		kept = append(kept, entry)
	}
	return kept
}

// reload starts the next epoch when the load of this one stands still while Redis answers: its keeper is gone.
// An item that ends meanwhile is not loaded any further, nor is one of which an operator has taken what it lends.
func (r *Recover) reload(ctx context.Context, stock seckill.Stock) error {
	if stock.Final || stock.OwedDecrease > 0 {
		return r.rebuild(ctx, stock, 0)
	}
	if stock.ReadAt.Before(stock.Progress.Add(seckill.LoadStall)) {
		return nil
	}
	if _, err := r.ports.Lent.Server(ctx, stock.Item); err != nil {
		return fmt.Errorf("redis does not answer, the load waits: %w", err)
	}
	return r.rebuild(ctx, stock, 0)
}

// rebuild ends the epoch in SQL and, if this keeper is the one that did it, loads the next.
func (r *Recover) rebuild(ctx context.Context, stock seckill.Stock, target int64) error {
	attempt, err := r.ports.IDs.Next(stock.Item.Bucket())
	if err != nil {
		return fmt.Errorf("name the next load: %w", err)
	}
	next, changed, err := r.ports.Stocks.Rebuild(ctx, seckill.Rebuild{
		Item: stock.Item, Epoch: stock.Epoch, From: stock.State, Attempt: stock.Attempt, NextAttempt: attempt, Target: target,
		Version: stock.Version,
	})
	if err != nil || !changed {
		return err
	}
	r.ports.Log.Info("epoch ended", "item", stock.Item, "epoch", stock.Epoch, "accounted", stock.Accounted,
		"target", target, "doubt", next.Doubt, "state", next.State)
	r.tellFetched(ctx, stock, next)
	if next.State == seckill.StockClosed {
		return nil
	}
	return r.load(ctx, next)
}
