package checkout_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/checkout"
	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	ada = seckill.UserID("ada")
	bob = seckill.UserID("bob")
	mug = seckill.ID(4711)
)

func noon() time.Time { return time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC) }

var errDown = fmt.Errorf("test cut the line: %w", seckill.ErrUnavailable)

// world is the use case on fakes.
type world struct {
	*checkout.Service
	till     *till
	catalog  *catalog
	provider *provider
	options  checkout.Options
	clock    *handclock.Clock
	log      *strings.Builder
	recorded []seckill.RefundReason
	unknown  int
	failed   int
	hit      []checkout.Bound
}

// newWorld has one order of ada's, two mugs, unpaid; change may replace parts first.
func newWorld(t *testing.T, change ...func(*checkout.Options)) *world {
	t.Helper()
	w := &world{
		till: newTill(), catalog: &catalog{}, log: &strings.Builder{}, clock: handclock.New(),
		provider: &provider{name: "till", charges: map[seckill.ID][]seckill.Charge{}, opened: map[seckill.ID]string{}, over: map[seckill.ID]bool{}},
	}
	w.options = checkout.Options{
		Orders: orders{till: w.till}, Payments: w.till, Catalog: w.catalog, IDs: w.till, Clock: w.clock,
		Providers: []seckill.Provider{w.provider}, Log: slog.New(slog.NewTextHandler(w.log, nil)),
		Metrics: checkout.Metrics{
			Recorded: func(_ string, refund seckill.RefundReason) { w.recorded = append(w.recorded, refund) },
			Unknown:  func(string) { w.unknown++ },
			Failed:   func(string) { w.failed++ },
			Hit:      func(bound checkout.Bound) { w.hit = append(w.hit, bound) },
		},
	}
	for _, apply := range change {
		apply(&w.options)
	}
	w.clock.Advance(noon().Sub(w.clock.Now()))
	var err error
	if w.Service, err = checkout.New(w.options); err != nil {
		t.Fatal(err)
	}
	return w
}

// order places one.
func (w *world) order(user seckill.UserID, change ...func(*seckill.Order)) seckill.Order {
	id, _ := w.till.Next(user.Bucket())
	order := seckill.Order{
		ID: id, Item: mug, User: user, Quantity: 2, PriceMinor: 1290, Currency: "EUR", State: seckill.OrderUnpaid,
		CreatedAt: noon(), PayBy: noon().Add(15 * time.Minute), Version: 1,
	}
	for _, apply := range change {
		apply(&order)
	}
	w.till.orders = append(w.till.orders, order)
	return order
}

func in(state seckill.OrderState) func(*seckill.Order) {
	return func(o *seckill.Order) { o.State, o.Version = state, 2 }
}

// pay pays an order by a notice of what the fake provider was paid.
func (w *world) tell(t *testing.T, payment seckill.ID, txn string, amount int64) {
	t.Helper()
	w.provider.told = []seckill.Charge{{Txn: txn, Payment: payment, AmountMinor: amount, Currency: "EUR"}}
	if err := w.Receive(t.Context(), "till", seckill.Notice{Body: []byte("genuine")}); err != nil {
		t.Fatal(err)
	}
}

// expectReason wants a refusal, and the order it shows: 0 for none.
func expectReason(t *testing.T, err error, reason seckill.Reason, state seckill.OrderState) *seckill.Refusal {
	t.Helper()
	refusal, isRefusal := err.(*seckill.Refusal) //nolint:errorlint // a use case returns its refusals bare
	if !isRefusal || refusal.Reason != reason {
		t.Fatalf("error is %v, want %s", err, reason)
	}
	if shown := refusal.Order; (shown == nil) != (state == "") || shown != nil && shown.State != state {
		t.Fatalf("shows the order %+v, want it %q", shown, state)
	}
	return refusal
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// catalog knows one item.
type catalog struct {
	reads int
	err   error
}

func (c *catalog) Item(_ context.Context, id seckill.ID) (seckill.Item, error) {
	c.reads++
	return seckill.Item{ID: id, Title: "Enamel mug"}, c.err
}

// provider opens what it is asked to, once per payment, and reads what it is told to.
type provider struct {
	name    string
	mu      sync.Mutex
	titles  []string
	opened  map[seckill.ID]string
	charges map[seckill.ID][]seckill.Charge
	told    []seckill.Charge
	err     error
	lives   time.Duration
	// over cannot be opened any more; closed has the payments that were closed, in that order.
	over   map[seckill.ID]bool
	closed []seckill.ID
	// meanwhile happens while the provider is being asked.
	meanwhile func(ctx context.Context)
}

func (p *provider) Name() string { return p.name }

func (p *provider) Lives() time.Duration { return p.lives }

func (p *provider) Open(ctx context.Context, payment seckill.Payment, title string) (session, url string, err error) {
	if p.meanwhile != nil {
		p.meanwhile(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.titles = append(p.titles, title)
	if p.err != nil {
		return "", "", p.err
	}
	if err := ctx.Err(); err != nil {
		return "", "", err
	}
	if p.over[payment.ID] {
		return "", "", fmt.Errorf("open: %w", seckill.ErrOver)
	}
	if p.opened[payment.ID] == "" {
		p.opened[payment.ID] = fmt.Sprintf("session-%d", len(p.opened)+1)
	}
	return p.opened[payment.ID], "https://till.example/" + p.opened[payment.ID], nil
}

func (p *provider) Close(_ context.Context, payment seckill.Payment) ([]seckill.Charge, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return nil, p.err
	}
	p.closed = append(p.closed, payment.ID)
	return p.charges[payment.ID], nil
}

func (p *provider) Refund(context.Context, seckill.Refund) error { return p.err }

func (p *provider) Read(notice seckill.Notice) ([]seckill.Charge, error) {
	switch string(notice.Body) {
	case "genuine":
		return slices.Clone(p.told), nil
	case "garbage":
		return nil, fmt.Errorf("parse: %w", seckill.ErrUnreadable)
	case "broken":
		return nil, errDown
	default:
		return nil, fmt.Errorf("stale: %w", seckill.ErrForged)
	}
}
