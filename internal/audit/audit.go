package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// pageSize bounds what is in memory of claims or orders.
	pageSize = 500
	// looksMax is how often something must be seen wrong, lookAgainAfter the pause between two looks.
	looksMax       = 3
	lookAgainAfter = 200 * time.Millisecond
)

// ClaimReader finds claims of one item by id; those that do not exist are left out. seckill.Claims is one, but can write.
type ClaimReader interface {
	Find(ctx context.Context, item seckill.ID, ids []seckill.ID) ([]seckill.Claim, error)
}

// Ports are what an audit reads.
type Ports struct {
	Catalog seckill.Catalog
	Books   seckill.Books
	Claims  ClaimReader
	// Lent is nil when the system does not run: then Redis has nothing to say.
	Lent seckill.Lent
	// Owing may be nil; its depth is only noted.
	Owing  seckill.Owing
	Shards seckill.Shards
	// Clock and Log may be nil.
	Clock seckill.Clock
	Log   *slog.Logger
}

// Service is the use case. Safe for concurrent use.
type Service struct{ ports Ports }

// New returns the use case.
func New(ports Ports) *Service {
	if ports.Clock == nil {
		ports.Clock = seckill.SystemClock{}
	}
	if ports.Log == nil {
		ports.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{ports}
}

// Report is what an audit looked at and what does not add up.
type Report struct {
	// Sale is nil for all sales.
	Sale    *seckill.ID
	OK      bool
	Checked Checked
	// Findings are at most findingsMax, the last of which then says how many more there are.
	Findings []Finding
	// Owed is how much is still to be done, which is no fault while it is worked off: refunds and events of these sales, and the
	// steps of every shard.
	Owed int64
	// Notes are no findings: what could not be compared, what is still owed.
	Notes []string
}

// Checked counts what was looked at.
type Checked struct {
	Items  int64
	Claims int64
	Orders int64
}

// Finding is one thing that does not add up. Item and Reservation are 0 where there is none.
type Finding struct {
	ID          string
	Item        seckill.ID
	Reservation seckill.ID
	Table       string
	Key         string
	// Detail names the two figures that differ.
	Detail string

	extent extent
}

// Run audits one sale, or all when sale is nil. A sale that does not exist is refused; an error means that something could
// not be read and nothing is said.
func (s *Service) Run(ctx context.Context, sale *seckill.ID) (Report, error) {
	sales, err := s.sales(ctx, sale)
	if err != nil {
		return Report{}, err
	}
	r := &run{ports: s.ports, sales: sales, entries: newEntries(sales), whole: sale == nil, most: findingsMax - 1}
	for _, step := range []func(context.Context) error{
		r.readSales, r.readItems, r.readStrays, r.readOrphans, r.readOrders, r.readPaid, r.readOutbox, r.readEvents, r.readOwed,
	} {
		if err := step(ctx); err != nil {
			return Report{}, fmt.Errorf("audit: %w", err)
		}
	}
	report := r.report(sale)
	s.ports.Log.Info("audit done", "ok", report.OK, "items", report.Checked.Items, "claims", report.Checked.Claims,
		"orders", report.Checked.Orders, "findings", len(report.Findings), "notes", len(report.Notes))
	return report, nil
}

// run is one audit under way.
type run struct {
	ports   Ports
	sales   []seckill.Sale
	entries entries
	whole   bool

	checked  Checked
	refunds  int64 // owed
	owed     int64 // of everything
	findings []Finding
	most     int   // findings, that are kept
	more     int64 // findings, that are not
	notes    []string
}

// readItems goes through the catalog: stock, Redis and claims of every item.
func (r *run) readItems(ctx context.Context) error {
	for _, e := range r.entries.sorted() {
		if err := r.readItem(ctx, e); err != nil {
			return fmt.Errorf("item %s: %w", e.item.ID, err)
		}
	}
	return nil
}

func (r *run) readItem(ctx context.Context, e entry) error {
	r.checked.Items++
	facts, err := r.readStock(ctx, e)
	if errors.Is(err, seckill.ErrNotFound) {
		return r.readMissingStock(ctx, e)
	}
	if err != nil {
		return err
	}
	if err := r.readRedis(ctx, e, facts.Stock); err != nil {
		return err
	}
	return r.readClaims(ctx, e, facts.Stock)
}

// Contradictions are what is wrong with an item's units in SQL, in words: one snapshot, of that item alone.
func (s *Service) Contradictions(ctx context.Context, item seckill.ID) ([]string, error) {
	facts, err := s.ports.Books.Facts(ctx, item)
	if err != nil {
		return nil, fmt.Errorf("read the books of item %s: %w", item, err)
	}
	var words []string
	for _, f := range Conserved(facts) {
		words = append(words, f.ID+": "+f.Detail)
	}
	return words, nil
}

// readStrays looks for stock rows that the catalog does not know, or that no router would find.
func (r *run) readStrays(ctx context.Context) error {
	if !r.whole {
		return nil
	}
	for shard := range r.ports.Shards.Count() {
		items, err := r.ports.Books.StockItems(ctx, shard)
		if err != nil {
			return fmt.Errorf("list stock: %w", err)
		}
		for _, item := range items {
			if err := r.readStray(ctx, shard, item); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) readStray(ctx context.Context, shard int, item seckill.ID) error {
	if home := seckill.HomeShard(r.ports.Shards, item); home != shard {
		r.add(stockFinding("stock_misplaced", item, fmt.Sprintf("the row is on shard %d, the item lives on %d", shard, home)))
		return nil
	}
	e, err := r.entry(ctx, item)
	if err != nil || r.entries.has(item) {
		return err
	}
	if !e.known {
		r.add(stockFinding("stock_unknown_item", item, "the catalog has no such item"))
	}
	return r.readItem(ctx, e)
}

// readOwed notes what is still owed: a depth is no fault while a job works it off.
func (r *run) readOwed(ctx context.Context) error {
	r.owed += r.refunds
	if r.refunds > 0 {
		r.note("%d refunds are still owed", r.refunds)
	}
	if r.ports.Owing == nil {
		return nil
	}
	for shard := range r.ports.Shards.Count() {
		for _, kind := range []seckill.OwedKind{seckill.OwedBuyer, seckill.OwedReturn, seckill.OwedNotify} {
			depth, err := r.ports.Owing.Depth(ctx, shard, kind)
			if err != nil {
				return fmt.Errorf("count owed steps: %w", err)
			}
			r.owed += depth
			if depth > 0 {
				r.note("shard %d still owes %d steps of kind %s", shard, depth, kind)
			}
		}
	}
	return nil
}
