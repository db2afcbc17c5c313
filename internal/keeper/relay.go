package keeper

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	keysLiveFor = time.Hour

	// unsentFor leaves the api process its time to publish; unsettledFor applies while the queue shows nothing ready, so
	// that a backlog is not flooded with copies; unsettledAnyway applies whatever the queue shows.
	unsentFor       = 2 * time.Second
	unsettledFor    = 10 * time.Second
	unsettledAnyway = time.Minute
	relayTriesMax   = 20
	relaySlowFor    = time.Minute
	relayBatch      = 64
	relayRoundsMax  = 64
)

// Relay publishes what Redis still owes the queue: batches whose api process died before the publish, and batches that a
// broker lost.
type Relay struct{ ports Ports }

// NewRelay returns the job.
func NewRelay(ports Ports) *Relay { return &Relay{ports} }

// RunOnce relays what is due for every item whose outbox may hold something.
func (r *Relay) RunOnce(ctx context.Context) error {
	return r.ports.eachShard(ctx, "outboxes", r.relayShard)
}

func (r *Relay) relayShard(ctx context.Context, shard int) error {
	items, listing := r.owingItems(ctx, shard)
	if len(items) == 0 {
		return listing
	}
	query, err := r.query(ctx, shard)
	if err != nil {
		return errors.Join(listing, err)
	}
	failures := []error{listing}
	for _, item := range items {
		if err := r.relayItem(ctx, item, query); err != nil {
			failures = append(failures, fmt.Errorf("relay item %s: %w", item, err))
		}
	}
	return errors.Join(failures...)
}

// owingItems are the shard's items with a batch in the outbox. Closed items keep theirs for a while after the sale. With an
// error they are those of the servers that did answer.
func (r *Relay) owingItems(ctx context.Context, shard int) ([]seckill.ID, error) {
	stocks, err := r.ports.Stocks.List(ctx, shard,
		seckill.StockOpen, seckill.StockLoading, seckill.StockSealing, seckill.StockClosed)
	if err != nil {
		return nil, fmt.Errorf("list stock of shard %d: %w", shard, err)
	}
	var items []seckill.ID
	for _, stock := range stocks {
		if stock.State != seckill.StockClosed || stock.ReadAt.Before(stock.Since.Add(endedFor)) {
			items = append(items, stock.Item)
		}
	}
	states, err := r.outboxes(ctx, items)
	owing := items[:0]
	for _, state := range states {
		if state.Unsent+state.Unsettled > 0 {
			owing = append(owing, state.Item)
		}
	}
	if err != nil {
		return owing, fmt.Errorf("read items in redis: %w", err)
	}
	return owing, nil
}

func (r *Relay) query(ctx context.Context, shard int) (seckill.DueQuery, error) {
	queue, err := r.ports.Queue.Look(ctx, shard)
	if err != nil {
		return seckill.DueQuery{}, fmt.Errorf("look at the queue of shard %d: %w", shard, err)
	}
	query := seckill.DueQuery{
		UnsentFor: unsentFor, UnsettledFor: unsettledAnyway,
		TriesMax: relayTriesMax, SlowFor: relaySlowFor, Max: relayBatch,
	}
	if queue.Ready == 0 {
		query.UnsettledFor = unsettledFor
	}
	return query, nil
}

func (r *Relay) relayItem(ctx context.Context, item seckill.ID, query seckill.DueQuery) error {
	for range relayRoundsMax {
		entries, err := r.ports.Lent.Due(ctx, item, query)
		if err != nil {
			return fmt.Errorf("read what is due: %w", err)
		}
		if err := r.ports.publish(ctx, item, entries); err != nil {
			return err
		}
		r.report(item, entries)
		if len(entries) < query.Max {
			return nil
		}
	}
	return nil
}

func (r *Relay) report(item seckill.ID, entries []seckill.DueEntry) {
	for _, entry := range entries {
		if entry.Tries > relayTriesMax {
			r.ports.Log.Error("a batch does not settle, however often it is published",
				"item", item, "batch", entry.Batch, "tries", entry.Tries)
		}
	}
	if len(entries) > 0 {
		r.ports.Log.Info("relayed", "item", item, "batches", len(entries))
	}
}

// publish puts outbox entries on the queue and notes them as sent. It stops at the first that is not confirmed.
func (p Ports) publish(ctx context.Context, item seckill.ID, entries []seckill.DueEntry) error {
	shard := seckill.HomeShard(p.Shards, item)
	var sent []seckill.ID
	var failure error
	for _, entry := range entries {
		message, err := seckill.DecodeMessage(entry.Bytes)
		if err != nil {
			// The consumer buries it with its bytes; here only the epoch is needed, and 0 matches none.
			p.Log.Error("outbox entry cannot be decoded", "item", item, "batch", entry.Batch, "error", err)
		}
		outgoing := seckill.Outgoing{Shard: shard, Batch: entry.Batch, Item: item, Epoch: message.Epoch, Body: entry.Bytes}
		if failure = p.Publisher.Publish(ctx, outgoing); failure != nil {
			failure = fmt.Errorf("publish batch %s: %w", entry.Batch, failure)
			break
		}
		if entry.Unsent {
			sent = append(sent, entry.Batch)
		}
	}
	if len(sent) > 0 {
		if err := p.Lent.Sent(ctx, item, sent); err != nil {
			failure = errors.Join(failure, fmt.Errorf("note batches as sent: %w", err))
		}
	}
	return failure
}

// outboxes shows how much the items owe. Of open ones somebody knows it already: nothing is due that is not older.
func (r *Relay) outboxes(ctx context.Context, items []seckill.ID) ([]seckill.LentState, error) {
	seen := r.ports.Survey.latest()
	if r.ports.Clock.Now().Sub(seen.begun) > unsentFor/2 {
		return r.ports.Lent.States(ctx, items)
	}
	var known []seckill.LentState
	var others []seckill.ID
	for _, item := range items {
		if state, ok := seen.states[item]; ok {
			known = append(known, state)
		} else {
			others = append(others, item)
		}
	}
	if len(others) == 0 {
		return known, nil
	}
	states, err := r.ports.Lent.States(ctx, others)
	return append(known, states...), err
}
