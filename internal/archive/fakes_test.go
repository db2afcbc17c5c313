package archive_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/archive"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	saleID  seckill.ID = 10
	itemID  seckill.ID = 11
	otherID seckill.ID = 12 // an item of another sale
)

// world is a sale that may be put away, until a test changes it. It is every port.
type world struct {
	seckill.Catalog
	seckill.Books

	sale     seckill.Sale
	stock    seckill.Stock
	redis    []seckill.LentState
	owed     []seckill.Owed
	untold   []seckill.Event
	letters  []seckill.DeadLetter
	claims   []seckill.Claim
	orders   []seckill.Order
	events   []seckill.OrderEvent
	money    seckill.Money
	findings []string

	summary *seckill.Summary
	// overtaken is what somebody else keeps while this one counts.
	overtaken *seckill.Summary
	acts      []seckill.Act
	expired   []seckill.ID
	forgotten []seckill.ID
	// failing is the step that cannot be done.
	failing string
}

var errAway = errors.New("the store is away")

// newWorld has an order that was paid and one that was cancelled, of which the second charge went back.
func newWorld() *world {
	now := time.Date(2026, 3, 20, 10, 0, 0, 0, time.UTC)
	order := func(id seckill.ID, state seckill.OrderState) seckill.Order {
		return seckill.Order{ID: id, Item: itemID, User: "ada", Quantity: 2, PriceMinor: 100, Currency: "EUR", State: state, CreatedAt: now, Version: 2}
	}
	return &world{
		sale: seckill.Sale{
			ID: saleID, Name: "drop", State: seckill.SaleEnded, StartsAt: now, EndsAt: now.Add(time.Hour),
			Items: []seckill.Item{{ID: itemID, Sale: saleID, SKU: "MUG", Title: "mug", PriceMinor: 100, Currency: "EUR"}},
		},
		stock: seckill.Stock{Item: itemID, State: seckill.StockClosed, Allotted: 9, Pool: 7, Claimed: 2},
		claims: []seckill.Claim{
			{ID: 21, Item: itemID, User: "ada", Quantity: 2, State: seckill.ClaimHeld, Ordered: true, CreatedAt: now},
			{ID: 22, Item: itemID, User: "bob", Quantity: 2, State: seckill.ClaimReturned, Ordered: true, CreatedAt: now},
		},
		orders: []seckill.Order{
			order(21, seckill.OrderPaid), order(22, seckill.OrderCancelled),
			{ID: 23, Item: otherID, State: seckill.OrderUnpaid, Quantity: 1},
		},
		events: []seckill.OrderEvent{{Order: 21, Version: 1, State: seckill.OrderUnpaid, Cause: seckill.CauseSettle, At: now}},
		money: seckill.Money{
			Payments: []seckill.Payment{{ID: 31, Order: 21, URL: "http://pay.example/31", State: seckill.PaymentPaid}},
			Charges:  []seckill.Charge{{Txn: "ch_1", Order: 21, AmountMinor: 200}, {Txn: "ch_2", Order: 22, AmountMinor: 200}},
			Refunds:  []seckill.Refund{{Txn: "ch_2", Order: 22, AmountMinor: 200, State: seckill.RefundDone}},
		},
	}
}

func (w *world) service() *archive.Service {
	return archive.New(archive.Ports{
		Catalog: w, Stocks: w, Books: w, Archives: w, Lent: w, DeadLetters: w, Shards: w,
		Audit: func(context.Context, seckill.ID) ([]string, error) { return w.findings, w.fail("audit") },
	})
}

func (w *world) fail(step string) error {
	if w.failing == step {
		return errAway
	}
	return nil
}

func (w *world) Sale(_ context.Context, id seckill.ID) (seckill.Sale, error) {
	if id != w.sale.ID {
		return seckill.Sale{}, seckill.ErrNotFound
	}
	return w.sale, w.fail("sale")
}

func (w *world) Get(_ context.Context, item seckill.ID) (seckill.Stock, error) {
	if item != w.stock.Item {
		return seckill.Stock{}, seckill.ErrNotFound
	}
	return w.stock, w.fail("stock")
}

func (w *world) States(context.Context, []seckill.ID) ([]seckill.LentState, error) {
	return w.redis, w.fail("redis")
}

func (w *world) Expire(_ context.Context, item seckill.ID, _ time.Duration) error {
	w.expired = append(w.expired, item)
	return w.fail("expire")
}

func (w *world) OwedAfter(_ context.Context, shard int, after seckill.ID, limit int) ([]seckill.Owed, error) {
	return page(shard, w.owed, after, limit, func(o seckill.Owed) seckill.ID { return o.ID }), w.fail("owed")
}

// ClaimsOf has the claims of one item, of which each is another user's.
func (w *world) ClaimsOf(_ context.Context, _ seckill.ID, after seckill.ClaimPlace, limit int) ([]seckill.Claim, error) {
	var rows []seckill.Claim
	for _, claim := range w.claims {
		if claim.User > after.User && len(rows) < limit {
			rows = append(rows, claim)
		}
	}
	return rows, w.fail("claims")
}

func (w *world) UntoldAfter(_ context.Context, shard int, after seckill.ID, limit int) ([]seckill.Event, error) {
	return page(shard, w.untold, after, limit, func(e seckill.Event) seckill.ID { return e.ID }), w.fail("untold")
}

func (w *world) EventsAfter(_ context.Context, shard int, after seckill.ID, limit int) ([]seckill.BookedEvent, error) {
	var booked []seckill.BookedEvent
	for _, event := range page(shard, w.untold, after, limit, func(e seckill.Event) seckill.ID { return e.ID }) {
		booked = append(booked, seckill.BookedEvent{Event: event, Dispatches: []seckill.BookedDispatch{{Endpoint: "shop"}}})
	}
	return booked, w.fail("untold")
}

func (w *world) List(_ context.Context, after seckill.ID, limit int) ([]seckill.DeadLetter, error) {
	return page(0, w.letters, after, limit, func(l seckill.DeadLetter) seckill.ID { return l.ID }), w.fail("letters")
}

// page is what follows an id; everything is on shard 0.
func page[T any](shard int, all []T, after seckill.ID, limit int, idOf func(T) seckill.ID) []T {
	var rows []T
	for _, row := range all {
		if shard == 0 && idOf(row) > after && len(rows) < limit {
			rows = append(rows, row)
		}
	}
	return rows
}

func (w *world) OrdersOf(_ context.Context, ids []seckill.ID) ([]seckill.Order, error) {
	return slices.DeleteFunc(slices.Clone(w.orders), func(o seckill.Order) bool { return !slices.Contains(ids, o.ID) }), nil
}

func (w *world) OrdersAfter(_ context.Context, shard int, _ []seckill.ID, cursor string, _ int) ([]seckill.BookedOrder, string, error) {
	if shard > 0 {
		return nil, "", nil
	}
	// Two pages: the last order is alone.
	last := len(w.orders) - 1
	rows, next := w.orders[:last], "last"
	if cursor == "last" {
		rows, next = w.orders[last:], ""
	}
	var booked []seckill.BookedOrder
	for _, order := range rows {
		booked = append(booked, seckill.BookedOrder{Order: order})
	}
	return booked, next, w.fail("orders")
}

func (w *world) EventsOf(context.Context, int, []seckill.ID) ([]seckill.OrderEvent, error) {
	return w.events, w.fail("events")
}

func (w *world) MoneyOf(context.Context, int, []seckill.ID) (seckill.Money, error) {
	return w.money, w.fail("money")
}

func (w *world) Keep(_ context.Context, sale seckill.ID, seen, body []byte, act seckill.Act) (seckill.Summary, bool, error) {
	if err := w.fail("keep"); err != nil {
		return seckill.Summary{}, false, err
	}
	if w.overtaken != nil {
		w.summary = w.overtaken
	}
	if there := w.summary; there != nil && (!bytes.Equal(there.Body, seen) || bytes.Equal(there.Body, body)) {
		return *there, false, nil
	}
	w.summary = &seckill.Summary{Sale: sale, Body: body, At: time.Date(2026, 3, 21, 0, 0, 0, 0, time.UTC)}
	w.acts = append(w.acts, act)
	return *w.summary, true, nil
}

func (w *world) Summary(context.Context, seckill.ID) (seckill.Summary, error) {
	if err := w.fail("summary"); err != nil {
		return seckill.Summary{}, err
	}
	if w.summary == nil {
		return seckill.Summary{}, seckill.ErrNotFound
	}
	return *w.summary, nil
}

func (w *world) Forget(_ context.Context, item seckill.ID) error {
	w.forgotten = append(w.forgotten, item)
	return w.fail("forget")
}

// refundPaid gives the order that was paid back, units and all.
func (w *world) refundPaid() {
	w.orders[0].State, w.claims[0].State = seckill.OrderRefunded, seckill.ClaimReturned
	w.stock.Pool, w.stock.Claimed = 9, 0
	w.money.Refunds = append(w.money.Refunds, seckill.Refund{Txn: "ch_1", Order: 21, AmountMinor: 200, State: seckill.RefundDone})
}

func (w *world) Count() int    { return 2 }
func (w *world) Shard(int) int { return 0 }

// file is an export in memory.
type file struct {
	bytes.Buffer
	committed bool
}

func (f *file) Commit() error {
	f.committed = true
	return nil
}

// tables are the lines of the file by table.
func (f *file) tables(t *testing.T) map[string]int {
	t.Helper()
	tables := make(map[string]int)
	for text := range strings.Lines(f.String()) {
		var line struct {
			Table string
			Row   map[string]any
		}
		if err := json.Unmarshal([]byte(text), &line); err != nil || len(line.Row) == 0 {
			t.Fatalf("%q: %v", text, err)
		}
		tables[line.Table]++
	}
	return tables
}
