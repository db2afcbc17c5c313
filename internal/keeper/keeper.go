package keeper

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Job is one kind of background work.
type Job interface {
	// RunOnce does what is due now. An error is logged; the job runs again at its next turn.
	RunOnce(ctx context.Context) error
}

// Turn is a job with its rhythm. The pause is counted from the end of a run, so a slow job never overlaps itself.
type Turn struct {
	Name  string
	Every time.Duration
	// Within bounds one run; 0 means 30 s.
	Within time.Duration
	Job    Job
}

// Ports are what the jobs work on.
type Ports struct {
	Catalog   seckill.Catalog
	Stocks    seckill.Stocks
	Claims    seckill.Claims
	Owing     seckill.Owing
	Events    seckill.Events
	Marks     seckill.Marks
	Lent      seckill.Lent
	Publisher seckill.Publisher
	Queue     seckill.QueueWatch
	Drain     seckill.Drain
	Payments  seckill.Payments
	Returns   seckill.Returns
	// Providers are those of payments, by name.
	Providers map[string]seckill.Provider
	Shards    seckill.Shards
	IDs       seckill.IDs
	Clock     seckill.Clock
	Log       *slog.Logger
	Metrics   Metrics
	// Gate is what new stock rows are given; 0 means seckill.GateDefault.
	Gate time.Duration
	// Held is the same for all keepers of a process; nil: each has its own.
	Held *Held

	// Survey is the same for all jobs of a shard; nil: each looks for itself.
	Survey *Survey

	// only holds the shard that a job goes through, when it is not all of them.
	only []int
}

// On are the same ports for jobs that go through one shard alone, and share what they see of it in Redis. With a job for
// each, a shard that does not answer holds up nobody but its own items: gates lapse within a second.
func (p Ports) On(shard int) Ports {
	p.only, p.Survey = []int{shard}, NewSurvey()
	return p
}

// shards are those that a job goes through.
func (p Ports) shards() []int {
	if p.only != nil {
		return p.only
	}
	all := make([]int, p.Shards.Count())
	for shard := range all {
		all[shard] = shard
	}
	return all
}

// has says whether an item is on the job's shards.
func (p Ports) has(item seckill.ID) bool {
	return p.only == nil || slices.Contains(p.only, seckill.HomeShard(p.Shards, item))
}

const (
	runTimeout = 30 * time.Second
	// endedFor is how long after its end a sale is still looked after: longer than any doubt, backlog or outbox lives.
	endedFor = 24 * time.Hour
)

// Keeper runs jobs, each on its own goroutine.
type Keeper struct {
	turns []Turn
	clock seckill.Clock
	log   *slog.Logger
}

// New returns a keeper of these turns.
func New(clock seckill.Clock, log *slog.Logger, turns ...Turn) *Keeper {
	return &Keeper{turns: turns, clock: clock, log: log}
}

// Run runs every job in its rhythm until ctx ends and waits for those under way.
func (k *Keeper) Run(ctx context.Context) error {
	var jobs sync.WaitGroup
	for _, turn := range k.turns {
		jobs.Go(func() { k.repeat(ctx, turn) })
	}
	jobs.Wait()
	return nil
}

func (k *Keeper) repeat(ctx context.Context, turn Turn) {
	failures := 0
	for {
		err := runBounded(ctx, turn)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			if failures >= failuresWarned {
				k.log.Info("job works again", "job", turn.Name)
			}
			failures = 0
		} else {
			failures++
			k.log.Log(ctx, levelOf(failures), "job failed", "job", turn.Name, "times", failures, "error", err)
		}
		select {
		case <-k.clock.After(turn.Every):
		case <-ctx.Done():
			return
		}
	}
}

// failuresWarned is how often in a row a job fails before somebody is called: one call that a busy server answered too late
// is made again in a moment.
const failuresWarned = 2

// levelOf makes that one failure news; its repetitions every few hundred milliseconds are not.
func levelOf(failures int) slog.Level {
	switch {
	case failures < failuresWarned:
		return slog.LevelInfo
	case failures == failuresWarned:
		return slog.LevelWarn
	default:
		return slog.LevelDebug
	}
}

func runBounded(ctx context.Context, turn Turn) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(turn.Within, runTimeout))
	defer cancel()
	return turn.Job.RunOnce(ctx)
}

// eachShard runs do for each of the job's shards; what names in an error what was done there. A failing shard does not keep
// the others from their turn.
func (p Ports) eachShard(ctx context.Context, what string, do func(ctx context.Context, shard int) error) error {
	var failures []error
	for _, shard := range p.shards() {
		if err := do(ctx, shard); err != nil {
			failures = append(failures, fmt.Errorf("%s of shard %d: %w", what, shard, err))
		}
	}
	return errors.Join(failures...)
}

// eachStock runs do for every stock row of the job's shards in one of the states. A failing shard or item does not keep the
// others from their turn.
func (p Ports) eachStock(
	ctx context.Context, do func(context.Context, seckill.Stock) error, states ...seckill.StockState,
) error {
	var failures []error
	for _, shard := range p.shards() {
		stocks, err := p.Stocks.List(ctx, shard, states...)
		if err != nil {
			failures = append(failures, fmt.Errorf("list stock of shard %d: %w", shard, err))
			continue
		}
		for _, stock := range stocks {
			if err := do(ctx, stock); err != nil {
				failures = append(failures, fmt.Errorf("item %s: %w", stock.Item, err))
			}
		}
	}
	return errors.Join(failures...)
}

// openItems lists the items that are open on the job's shards.
func (p Ports) openItems(ctx context.Context) ([]seckill.ID, error) {
	var items []seckill.ID
	err := p.eachStock(ctx, func(_ context.Context, stock seckill.Stock) error {
		items = append(items, stock.Item)
		return nil
	}, seckill.StockOpen)
	return items, err
}

// statesOf reads items in Redis, many in a round trip. With an error it has those that did answer.
func (p Ports) statesOf(ctx context.Context, items []seckill.ID) (map[seckill.ID]seckill.LentState, error) {
	if len(items) == 0 {
		return nil, nil
	}
	states, err := p.Lent.States(ctx, items)
	known := make(map[seckill.ID]seckill.LentState, len(states))
	for _, state := range states {
		known[state.Item] = state
	}
	if err != nil {
		return known, fmt.Errorf("read items in redis: %w", err)
	}
	return known, nil
}

// running reads the sales that are scheduled, live or paused: no end is that late.
func (p Ports) running(ctx context.Context) ([]seckill.Sale, error) {
	sales, err := p.Catalog.Running(ctx, time.UnixMilli(math.MaxInt64))
	if err != nil {
		return nil, fmt.Errorf("read running sales: %w", err)
	}
	return sales, nil
}

// saleOf reads the sale that an item belongs to, and the item.
func (p Ports) saleOf(ctx context.Context, id seckill.ID) (seckill.Sale, seckill.Item, error) {
	item, err := p.Catalog.Item(ctx, id)
	if err != nil {
		return seckill.Sale{}, seckill.Item{}, fmt.Errorf("read item: %w", err)
	}
	sale, err := p.Catalog.Sale(ctx, item.Sale)
	if err != nil {
		return seckill.Sale{}, seckill.Item{}, fmt.Errorf("read sale %s: %w", item.Sale, err)
	}
	return sale, item, nil
}
