package keeper

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

type oneShard struct{}

func (oneShard) Count() int    { return 1 }
func (oneShard) Shard(int) int { return 0 }

func discard() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// fakeMarks answers from fields.
type fakeMarks struct {
	seckill.Marks
	beats   []seckill.Heartbeat
	highest int64
}

func (m *fakeMarks) Heartbeats(_ context.Context, _ int, since time.Time) ([]seckill.Heartbeat, error) {
	var found []seckill.Heartbeat
	for _, beat := range m.beats {
		if beat.Begun.After(since) {
			found = append(found, beat)
		}
	}
	return found, nil
}

func (m *fakeMarks) Highest(context.Context, seckill.ID, int64) (int64, error) { return m.highest, nil }

// fakeQueue answers from a field.
type fakeQueue struct {
	state seckill.QueueState
	err   error
}

func (q *fakeQueue) Look(context.Context, int) (seckill.QueueState, error) { return q.state, q.err }

// fakeStocks holds one row and notes what was asked of it.
type fakeStocks struct {
	seckill.Stocks
	stock  seckill.Stock
	moves  []seckill.Move
	sealed []seckill.SealRequest
	// refuseOpen and openError are what Open answers.
	refuseOpen bool
	openError  error
	ceiling    int64
}

func (s *fakeStocks) RaiseCeiling(_ context.Context, _ seckill.ID, limit int64) error {
	s.ceiling = limit
	return nil
}

func (s *fakeStocks) Open(context.Context, seckill.ID, int64, seckill.ID) (bool, error) {
	return !s.refuseOpen, s.openError
}

func (s *fakeStocks) List(context.Context, int, ...seckill.StockState) ([]seckill.Stock, error) {
	return []seckill.Stock{s.stock}, nil
}

func (s *fakeStocks) Get(context.Context, seckill.ID) (seckill.Stock, error) { return s.stock, nil }

func (s *fakeStocks) Seal(_ context.Context, request seckill.SealRequest) (bool, error) {
	s.sealed = append(s.sealed, request)
	return true, nil
}

func (s *fakeStocks) Moves(_ context.Context, _ seckill.ID, _, after int64) ([]seckill.Move, error) {
	var later []seckill.Move
	for _, move := range s.moves {
		if move.Issue > after {
			later = append(later, move)
		}
	}
	return later, nil
}

// fakeLent answers one state and notes issues.
type fakeLent struct {
	seckill.Lent
	state  seckill.LentState
	err    error
	issued []int64
	known  bool // another keeper has sent what is issued
	onRead func()
	// due are handed out by Due, which notes how it was asked; sent and set note the rest.
	due     []seckill.DueEntry
	queries []seckill.DueQuery
	sent    []seckill.ID
	outcome seckill.BuyerOutcome
	set     []seckill.BuyerEntry
	lit     []seckill.Gate
	renewed []seckill.Renewal
}

func (l *fakeLent) Due(_ context.Context, _ seckill.ID, query seckill.DueQuery) ([]seckill.DueEntry, error) {
	l.queries = append(l.queries, query)
	due := l.due
	l.due = nil
	return due, nil
}

func (l *fakeLent) Sent(_ context.Context, _ seckill.ID, batches []seckill.ID) error {
	l.sent = append(l.sent, batches...)
	return nil
}

func (l *fakeLent) SetBuyer(
	_ context.Context, _ seckill.ID, _ int64, _ seckill.UserID, entry seckill.BuyerEntry,
) (seckill.BuyerOutcome, error) {
	l.set = append(l.set, entry)
	return l.outcome, nil
}

func (l *fakeLent) Server(context.Context, seckill.ID) (seckill.Server, error) {
	return l.state.Server, l.err
}

func (l *fakeLent) Load(context.Context, seckill.Load) error {
	if l.onRead != nil {
		l.onRead()
	}
	return nil
}

func (l *fakeLent) Open(_ context.Context, gate seckill.Gate) error {
	l.lit = append(l.lit, gate)
	return nil
}

// fakePublisher refuses batches by id.
type fakePublisher struct {
	published []seckill.ID
	refuse    seckill.ID
}

func (p *fakePublisher) Publish(_ context.Context, message seckill.Outgoing) error {
	if message.Batch == p.refuse {
		return seckill.ErrUnavailable
	}
	p.published = append(p.published, message.Batch)
	return nil
}

func (p *fakePublisher) Available(int) error { return nil }

// fakeOwing holds rows.
type fakeOwing struct {
	seckill.Owing
	rows []seckill.Owed

	mu   sync.Mutex
	done []seckill.ID
	fail error // what Done fails with
}

func (o *fakeOwing) Owed(context.Context, int, seckill.OwedKind, seckill.ID, int) ([]seckill.Owed, error) {
	return o.rows, nil
}

func (o *fakeOwing) Done(_ context.Context, _ int, ids []seckill.ID) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		return o.fail
	}
	o.done = append(o.done, ids...)
	return nil
}

// fakeCatalog knows one sale with one item; onRead is called after each reading. One that is away answers nobody who does
// not give up by himself.
type fakeCatalog struct {
	seckill.Catalog
	sale   seckill.Sale
	item   seckill.Item
	away   bool
	onRead func()
}

func (c *fakeCatalog) Now(ctx context.Context) (time.Time, error) {
	if c.away {
		<-ctx.Done()
		return time.Time{}, ctx.Err()
	}
	return time.UnixMilli(1), nil
}

func (c *fakeCatalog) Running(context.Context, time.Time) ([]seckill.Sale, error) {
	sale := c.sale
	sale.Items = []seckill.Item{c.item}
	return []seckill.Sale{sale}, nil
}

func (c *fakeCatalog) Item(context.Context, seckill.ID) (seckill.Item, error) { return c.item, nil }

func (c *fakeCatalog) Sale(context.Context, seckill.ID) (seckill.Sale, error) {
	sale := c.sale
	if c.onRead != nil {
		c.onRead()
	}
	return sale, nil
}

// fakeClaims knows no buyers.
type fakeClaims struct{ seckill.Claims }

func (fakeClaims) Buyers(context.Context, seckill.ID, seckill.UserID, int) ([]seckill.Buyer, error) {
	return nil, nil
}

func (l *fakeLent) States(context.Context, []seckill.ID) ([]seckill.LentState, error) {
	if l.onRead != nil {
		l.onRead()
	}
	if l.state.Item == 0 {
		return nil, l.err
	}
	return []seckill.LentState{l.state}, l.err // with an error: some other item's server is away
}

func (l *fakeLent) RenewAll(_ context.Context, renewals []seckill.Renewal) []error {
	l.renewed = append(l.renewed, renewals...)
	return make([]error, len(renewals))
}

func (l *fakeLent) Issue(_ context.Context, move seckill.Move) (bool, error) {
	l.issued = append(l.issued, move.Issue)
	return !l.known, nil
}
