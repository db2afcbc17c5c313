package operate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Epochs begins epochs.
type Epochs interface {
	// Begin makes an item's stock row, if there is none, starts its first epoch and returns when it is open. An item that has
	// begun is left as it is.
	Begin(ctx context.Context, item seckill.Item) error
}

// Settings brings to Redis what operators decide.
type Settings interface {
	// Carry sends an item's pause, window and limit to Redis. No error means that Redis has them, or cannot sell the item
	// without hearing them first.
	Carry(ctx context.Context, item seckill.ID) error
}

// Auditor knows whether books add up.
type Auditor interface {
	// Contradictions are what is wrong with an item's units in SQL at this moment, in words.
	Contradictions(ctx context.Context, item seckill.ID) ([]string, error)
}

// Ports are what the use case works on.
type Ports struct {
	Catalog seckill.Catalog
	Stocks  seckill.Stocks
	Orders  seckill.Orders
	Lent    seckill.Lent
	Queue   seckill.QueueWatch
	// Adjustments, Payments and Letters are what operators change outside of the catalog.
	Adjustments seckill.Adjustments
	Halts       seckill.Halts
	Audit       Auditor
	Payments    seckill.Payments
	Letters     seckill.DeadLetterDesk
	Events      seckill.Events
	// Endpoints are the names of those that the configuration has told of events.
	Endpoints []string

	Epochs   Epochs
	Settings Settings
	Shards   seckill.Shards
	IDs      seckill.IDs
	Clock    seckill.Clock
	Log      *slog.Logger
	// Bucket picks the bucket of a new sale or item; nil means any, with equal chances, so that items spread over shards.
	Bucket func() int
}

const (
	// itemsParallel bounds how many items of a sale are worked on at once.
	itemsParallel = 8
	// pageMax bounds one page of sales.
	pageMax = 100
	// callTimeout bounds one step at one item that is tried again.
	callTimeout = 3 * time.Second
)

// Service is the operators' use case. Safe for concurrent use.
type Service struct{ ports Ports }

// New returns the use case.
func New(ports Ports) *Service {
	if ports.Bucket == nil {
		ports.Bucket = func() int { return rand.IntN(seckill.Buckets) }
	}
	return &Service{ports}
}

// SaleReport is a sale as operators see it.
type SaleReport struct {
	Sale seckill.Sale
	// Now is the database's clock.
	Now time.Time
	// Stocks are the stock rows by item; an item that was never preloaded has none.
	Stocks map[seckill.ID]seckill.Stock
	// Checks say, per item, how it took the act that this report answers.
	Checks []Check
}

// StockState is the state of an item's stock row; an item without a row is new.
func (r SaleReport) StockState(item seckill.ID) seckill.StockState {
	if stock, exists := r.Stocks[item]; exists {
		return stock.State
	}
	return seckill.StockNew
}

// Check says how one item took what the operator asked for.
type Check struct {
	Item   seckill.ID
	OK     bool
	Detail string
}

// Page is one page of sales, newest first.
type Page struct {
	Sales []SaleReport
	// Next is the After of the next page, 0 on the last one.
	Next seckill.ID
}

// Get returns one sale.
func (s *Service) Get(ctx context.Context, id seckill.ID) (SaleReport, error) {
	sale, now, err := s.read(ctx, id)
	if err != nil {
		return SaleReport{}, err
	}
	stocks, err := s.stocks(ctx, sale.Items)
	if err != nil {
		return SaleReport{}, err
	}
	return SaleReport{Sale: sale, Now: now, Stocks: stocks}, nil
}

// cut makes a page of rows of which one more was read than fits, which tells whether there is another page: next is then the
// id that it begins after, else 0.
func cut[T any](rows []T, size int, id func(T) seckill.ID) (page []T, next seckill.ID) {
	if len(rows) <= size {
		return rows, 0
	}
	return rows[:size], id(rows[size-1])
}

// List returns a page of sales.
func (s *Service) List(ctx context.Context, query seckill.SaleQuery) (Page, error) {
	size := min(max(query.Limit, 1), pageMax)
	query.Limit = size + 1 // see cut
	sales, err := s.ports.Catalog.Sales(ctx, query)
	if err != nil {
		return Page{}, fmt.Errorf("list sales: %w", err)
	}
	now, err := s.now(ctx)
	if err != nil {
		return Page{}, err
	}
	var page Page
	sales, page.Next = cut(sales, size, func(sale seckill.Sale) seckill.ID { return sale.ID })
	for _, sale := range sales {
		report := SaleReport{Sale: sale, Now: now}
		if sale.State != seckill.SaleDraft {
			if report.Stocks, err = s.stocks(ctx, sale.Items); err != nil {
				return Page{}, err
			}
		}
		page.Sales = append(page.Sales, report)
	}
	return page, nil
}

// report is what an act answers: the sale as it is now. A stock row that cannot be read is left out, since the act itself
// is done and its check says what is wrong.
func (s *Service) report(ctx context.Context, id seckill.ID, checks []Check) (SaleReport, error) {
	sale, now, err := s.read(ctx, id)
	if err != nil {
		return SaleReport{}, err
	}
	stocks, err := s.stocks(ctx, sale.Items)
	if err != nil {
		s.ports.Log.Warn("stock of a sale not read", "sale", id, "error", err)
	}
	return SaleReport{Sale: sale, Now: now, Stocks: stocks, Checks: checks}, nil
}

func (s *Service) read(ctx context.Context, id seckill.ID) (seckill.Sale, time.Time, error) {
	sale, err := s.ports.Catalog.Sale(ctx, id)
	if isNotFound(err) {
		return seckill.Sale{}, time.Time{}, seckill.Refuse(seckill.NotFound, fmt.Sprintf("there is no sale %s", id))
	}
	if err != nil {
		return seckill.Sale{}, time.Time{}, fmt.Errorf("read sale %s: %w", id, err)
	}
	now, err := s.now(ctx)
	return sale, now, err
}

func (s *Service) now(ctx context.Context) (time.Time, error) {
	now, err := s.ports.Catalog.Now(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("read the database's clock: %w", err)
	}
	return now, nil
}

// stocks reads the rows of these items. With an error the map holds those that could be read.
func (s *Service) stocks(ctx context.Context, items []seckill.Item) (map[seckill.ID]seckill.Stock, error) {
	type row struct {
		stock seckill.Stock
		err   error
	}
	rows := each(items, func(item seckill.Item) row {
		stock, err := s.ports.Stocks.Get(ctx, item.ID)
		return row{stock, err}
	})
	stocks := make(map[seckill.ID]seckill.Stock, len(items))
	var failure error
	for i, row := range rows {
		switch {
		case row.err == nil:
			stocks[items[i].ID] = row.stock
		case !isNotFound(row.err):
			failure = fmt.Errorf("read stock of item %s: %w", items[i].ID, row.err)
		}
	}
	return stocks, failure
}

func isNotFound(err error) bool { return errors.Is(err, seckill.ErrNotFound) }

// each runs do for every item, a bounded number at once, and returns the results in the items' order.
func each[T any](items []seckill.Item, do func(seckill.Item) T) []T {
	results := make([]T, len(items))
	var group errgroup.Group
	group.SetLimit(itemsParallel)
	for i, item := range items {
		group.Go(func() error {
			results[i] = do(item)
			return nil
		})
	}
	_ = group.Wait()
	return results
}
