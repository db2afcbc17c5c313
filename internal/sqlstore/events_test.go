package sqlstore_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

func TestEventsContract(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, open func(t *testing.T) *sqlstore.Store) {
		t.Helper()
		contract.Events(t, func(t *testing.T) contract.EventsFixture {
			t.Helper()
			return eventsFixture(open(t))
		})
	})
}

func eventsFixture(store *sqlstore.Store) contract.EventsFixture {
	return contract.EventsFixture{
		Events: sqlstore.Events{Store: store}, Books: sqlstore.Books{Store: store}, Shards: store.Shards(),
		Tell: func(t *testing.T, shard int, events ...seckill.Event) {
			t.Helper()
			for chunk := range slices.Chunk(events, 500) {
				tellRows(t, store, shard, chunk)
			}
		},
		Elapse: func(t *testing.T, shard int, passed time.Duration) {
			t.Helper()
			tamper(t, store, shard, "UPDATE dispatches SET next_at = next_at - ?, since = since - ?", passed.Milliseconds(), passed.Milliseconds())
		},
		Left: func(t *testing.T, shard int) (events, dispatches int) {
			t.Helper()
			return rowsIn(t, store, shard, "events"), rowsIn(t, store, shard, "dispatches")
		},
	}
}

func tellRows(t *testing.T, store *sqlstore.Store, shard int, events []seckill.Event) {
	t.Helper()
	const row = "(?, ?, ?, ?, ?, ?, 0)"
	var args []any
	for _, e := range events {
		args = append(args, e.ID, e.Type, e.Subject, e.Version, string(e.Data), e.At.UnixMilli())
	}
	tamper(t, store, shard, "INSERT INTO events (id, type, subject, version, data, at, spread) VALUES "+
		row+strings.Repeat(", "+row, len(events)-1), args...)
}

func rowsIn(t *testing.T, store *sqlstore.Store, shard int, table string) (count int) {
	t.Helper()
	write, _, err := store.SQL(shard)
	if err == nil {
		err = write.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&count)
	}
	if err != nil {
		t.Fatal(err)
	}
	return count
}

// heardOf are the events that the first shard has written, in the order of their subjects' versions.
func heardOf(t *testing.T, store *sqlstore.Store) []seckill.Event {
	t.Helper()
	events := sqlstore.Events{Store: store}
	if _, err := events.Spread(t.Context(), 0, []string{"shop"}, 100); err != nil {
		t.Fatal(err)
	}
	var told []seckill.Event
	for {
		due, err := events.Due(t.Context(), 0, "shop", 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(due) == 0 {
			return told
		}
		for _, dispatch := range due {
			told = append(told, dispatch.Event)
			if err := events.Told(t.Context(), 0, "shop", []seckill.ID{dispatch.ID}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestSaleEvents(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, e engine) {
		t.Helper()
		t.Run("are one for each transition, with the sale as it then was", func(t *testing.T) {
			t.Parallel()
			store := telling(t, e)
			turnSale(t, store)
			told := heardOf(t, store)
			types := []seckill.EventType{
				seckill.EventSaleScheduled, seckill.EventSalePaused, seckill.EventSaleResumed, seckill.EventSaleStarted,
				seckill.EventSalePaused, seckill.EventSaleResumed, seckill.EventSaleEnded,
			}
			if len(told) != len(types) {
				t.Fatalf("got %+v", told)
			}
			for i, event := range told {
				if event.Type != types[i] || event.Version != int64(i+2) || event.Subject != 7 {
					t.Errorf("event %d is %+v", i, event)
				}
			}
			const first = `{"id":"7","name":"Drop","state":"scheduled","starts_at":"2026-03-20T10:00:00Z","ends_at":"2096-03-20T10:00:00Z","version":2,` +
				`"items":[{"id":"8","sku":"MUG","title":"Mug","price_minor":1290,"currency":"EUR","allotment":5}]}`
			if string(told[0].Data) != first {
				t.Errorf("tells %s", told[0].Data)
			}
		})
		t.Run("are not written when nobody is told", func(t *testing.T) {
			t.Parallel()
			store := e.open(t, 1)
			turnSale(t, store)
			if n := rowsIn(t, store, 0, "events"); n != 0 {
				t.Fatalf("%d events", n)
			}
		})
	})
}

// turnSale takes a sale through its life; the clock starts it.
func turnSale(t *testing.T, store *sqlstore.Store) {
	t.Helper()
	catalog := sqlstore.Catalog{Store: store}
	starts := time.Date(2026, 3, 20, 10, 0, 0, 0, time.UTC)
	err := catalog.Create(t.Context(), seckill.Sale{
		ID: 7, Name: "Drop", StartsAt: starts, EndsAt: starts.AddDate(70, 0, 0), PayWithin: time.Minute,
		Items: []seckill.Item{{ID: 8, SKU: "MUG", Title: "Mug", PriceMinor: 1290, Currency: "EUR", Allotment: 5, LimitPerUser: 1}},
	}, seckill.Act{Actor: "operator:ann", Action: "sale.create", Target: 7})
	if err != nil {
		t.Fatal(err)
	}
	turn := func(from, to seckill.SaleState) {
		t.Helper()
		changed, err := catalog.Change(t.Context(), seckill.SaleChange{Sale: 7, From: []seckill.SaleState{from}, To: to})
		if err != nil || !changed {
			t.Fatalf("%s to %s: %t, %v", from, to, changed, err)
		}
	}
	turn(seckill.SaleDraft, seckill.SaleScheduled)
	turn(seckill.SaleScheduled, seckill.SalePaused)
	turn(seckill.SalePaused, seckill.SaleScheduled)
	if moved, err := catalog.Advance(t.Context()); err != nil || len(moved) != 1 {
		t.Fatalf("moved %v, %v", moved, err)
	}
	turn(seckill.SaleLive, seckill.SalePaused)
	turn(seckill.SalePaused, seckill.SaleLive)
	turn(seckill.SaleLive, seckill.SaleEnded)
}

func TestSoldOutEvent(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, e engine) {
		t.Helper()
		t.Run("is told when the last unit is claimed, and again after some came back", func(t *testing.T) {
			t.Parallel()
			store := telling(t, e)
			b := newBench(t, store, 3, 10)
			settle := func(units int) []seckill.Event {
				t.Helper()
				if _, err := b.Claims.Settle(t.Context(), 0, []seckill.Message{b.message(t, units)}, nil); err != nil {
					t.Fatal(err)
				}
				return heardOf(t, store)
			}
			if told := settle(2); len(told) > 0 {
				t.Fatalf("one is left, and told is %+v", told)
			}
			first := settle(1)
			if len(first) != 1 || first[0].Type != seckill.EventItemSoldOut || first[0].Subject != b.item {
				t.Fatalf("got %+v", first)
			}
			if told := settle(1); len(told) > 0 {
				t.Fatalf("nothing was left before, and told is %+v", told)
			}
			tamper(t, store, 0, "UPDATE stock SET claimed = claimed - 1, pool = pool + 1 WHERE item = ?", b.item)
			if again := settle(1); len(again) != 1 || again[0].Version <= first[0].Version {
				t.Fatalf("got %+v", again)
			}
		})
		t.Run("is told when an operator takes the rest, at once or with the next epoch, and once", func(t *testing.T) {
			t.Parallel()
			soldOutByOperator(t, telling(t, e))
		})
	})
}

func soldOutByOperator(t *testing.T, store *sqlstore.Store) {
	t.Helper()
	b := newBench(t, store, 3, 10)
	adjust := func(op string, delta int64) []seckill.Event {
		t.Helper()
		_, err := b.Adjustments.Adjust(t.Context(), seckill.Adjustment{Item: b.item, Op: op, Delta: delta})
		if err != nil {
			t.Fatal(err)
		}
		return heardOf(t, store)
	}
	held, err := b.Claims.Settle(t.Context(), 0, []seckill.Message{b.message(t, 1)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if told := adjust("lent", -2); len(told) > 0 {
		t.Fatalf("two are still lent, and told is %+v", told)
	}
	b.rebuild(t)
	first := heardOf(t, store)
	if len(first) != 1 || first[0].Type != seckill.EventItemSoldOut || first[0].Subject != b.item {
		t.Fatalf("got %+v", first)
	}
	if told := append(adjust("lent", -2), adjust("more", 1)...); len(told) > 0 {
		t.Fatalf("told is %+v", told)
	}
	if again := adjust("pool", -1); len(again) != 1 || again[0].Version <= first[0].Version {
		t.Fatalf("got %+v", again)
	}
	if told := adjust("pool", -1); len(told) > 0 {
		t.Fatalf("the op is repeated, and told is %+v", told)
	}
	claim := held.Held[0]
	returned := []seckill.Return{{Claim: claim.ID, User: claim.User, Quantity: claim.Quantity}}
	if _, err := b.Returns.Return(t.Context(), b.item, returned); err != nil {
		t.Fatal(err)
	}
	if again := adjust("returned", -1); len(again) != 1 {
		t.Fatalf("got %+v", again)
	}
}

// rebuild ends the bench's epoch, in which everything promised was settled.
func (b *bench) rebuild(t *testing.T) {
	t.Helper()
	stock, err := b.Stocks.Get(t.Context(), b.item)
	if err != nil {
		t.Fatal(err)
	}
	_, done, err := b.Stocks.Rebuild(t.Context(), seckill.Rebuild{
		Item: b.item, Epoch: stock.Epoch, From: stock.State, Attempt: stock.Attempt, NextAttempt: b.id(t, 0), Target: stock.Accounted,
	})
	if err != nil || !done {
		t.Fatal(done, err)
	}
}
