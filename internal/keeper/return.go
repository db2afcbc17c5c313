package keeper

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	returnBatch    = 500
	returnParallel = 8
	// restPerRow is how long a shard is left alone for each row that nothing could be done about, restMostForRows for all of
	// them: while a provider is away thousands may wait, and every look reads them all. Few cost nothing.
	restPerRow      = time.Millisecond
	restMostForRows = time.Second
	fewRows         = 100
)

// restAfter is how long looking at so many rows again can wait.
func restAfter(left int) time.Duration {
	if left <= fewRows {
		return 0
	}
	return min(time.Duration(left)*restPerRow, restMostForRows)
}

// Return gives the units of cancelled orders back to their items, once nothing more can be paid on them. The job issue
// then lends them again, and owed lets the buyer buy again.
type Return struct {
	ports Ports
	// until is when a shard is looked at again.
	until map[int]time.Time
}

// NewReturn returns the job.
func NewReturn(ports Ports) *Return { return &Return{ports, make(map[int]time.Time)} }

// RunOnce works through what every shard owes.
func (r *Return) RunOnce(ctx context.Context) error {
	return r.ports.eachShard(ctx, "returns", r.returnShard)
}

// returnShard goes on with the next page when one fails: its items live on other shards than the next one's.
func (r *Return) returnShard(ctx context.Context, shard int) error {
	if r.ports.Clock.Now().Before(r.until[shard]) {
		return nil
	}
	left := 0
	var failures []error
	err := r.ports.eachReturn(ctx, shard, func(ctx context.Context, rows []seckill.Owed) error {
		done, err := r.returnRows(ctx, shard, rows)
		left += len(rows) - done
		failures = append(failures, err)
		return ctx.Err()
	})
	r.ports.Metrics.returns(shard, left)
	r.until[shard] = r.ports.Clock.Now().Add(restAfter(left))
	return errors.Join(append(failures, err)...)
}

// returnRows returns what may be returned, item by item, and tells how many rows are done. An item whose shard does not
// answer holds up no other.
func (r *Return) returnRows(ctx context.Context, shard int, rows []seckill.Owed) (int, error) {
	open, err := r.ports.openPayments(ctx, shard, rows)
	if err != nil {
		return 0, err
	}
	items := returnable(rows, open)
	failures := make([]error, len(items))
	var returning errgroup.Group
	returning.SetLimit(returnParallel)
	for i, rows := range items {
		returning.Go(func() error {
			failures[i] = r.returnItem(ctx, shard, rows)
			return nil
		})
	}
	_ = returning.Wait() // the others go on when one fails
	done := 0
	for i, rows := range items {
		if failures[i] == nil {
			done += len(rows)
		}
	}
	return done, errors.Join(failures...)
}

// returnable are the rows of each item, in the order of the items, without the orders on which something may still be paid.
func returnable(rows []seckill.Owed, open []seckill.Payment) [][]seckill.Owed {
	payable := make(map[seckill.ID]bool, len(open))
	for _, payment := range open {
		payable[payment.Order] = true
	}
	items := make(map[seckill.ID][]seckill.Owed)
	for _, row := range rows {
		if !payable[row.Entry.ID] {
			items[row.Item] = append(items[row.Item], row)
		}
	}
	sorted := make([][]seckill.Owed, 0, len(items))
	for _, item := range slices.Sorted(maps.Keys(items)) {
		sorted = append(sorted, items[item])
	}
	return sorted
}

// returnItem moves the units of one item in its home shard, then deletes the rows in the users'. A crash in between
// repeats the first, which then changes nothing.
func (r *Return) returnItem(ctx context.Context, shard int, rows []seckill.Owed) error {
	item := rows[0].Item
	returns, ids := make([]seckill.Return, len(rows)), make([]seckill.ID, len(rows))
	for i, row := range rows {
		returns[i] = seckill.Return{Claim: row.Entry.ID, User: row.User, Quantity: row.Entry.Quantity}
		ids[i] = row.ID
	}
	units, err := r.ports.Returns.Return(ctx, item, returns)
	if err != nil {
		return fmt.Errorf("return %d claims of item %s: %w", len(rows), item, err)
	}
	if units > 0 {
		r.ports.Log.Info("units came back", "item", item, "orders", len(rows), "units", units)
	}
	if err := r.ports.Owing.Done(ctx, shard, ids); err != nil {
		return fmt.Errorf("delete %d returned rows: %w", len(rows), err)
	}
	return nil
}

// eachReturn pages through the returns that a shard owes, until do fails.
func (p Ports) eachReturn(ctx context.Context, shard int, do func(context.Context, []seckill.Owed) error) error {
	var after seckill.ID
	for {
		rows, err := p.Owing.Owed(ctx, shard, seckill.OwedReturn, after, returnBatch)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		if len(rows) > 0 {
			if err := do(ctx, rows); err != nil {
				return err
			}
		}
		if len(rows) < returnBatch {
			return nil
		}
		after = rows[len(rows)-1].ID
	}
}

// openPayments are the payments of these rows' orders that may still be paid.
func (p Ports) openPayments(ctx context.Context, shard int, rows []seckill.Owed) ([]seckill.Payment, error) {
	orders := make([]seckill.ID, len(rows))
	for i, row := range rows {
		orders[i] = row.Entry.ID
	}
	open, err := p.Payments.OpenPayments(ctx, shard, orders)
	if err != nil {
		return nil, fmt.Errorf("read open payments: %w", err)
	}
	return open, nil
}
