package sqlstore_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// told is what the shop is told of an order.
type told struct {
	Type    string
	Version int64
	Data    string
}

// toldOf reads what the shop is told of a subject, in its order.
func toldOf(t *testing.T, store *sqlstore.Store, subject seckill.ID) []told {
	t.Helper()
	_, read, err := store.SQL(0)
	must(t, err)
	rows, err := read.QueryContext(t.Context(), "SELECT type, version, data FROM events WHERE subject = ? ORDER BY version", subject)
	must(t, err)
	defer rows.Close()
	var all []told
	for rows.Next() {
		var one told
		must(t, rows.Scan(&one.Type, &one.Version, &one.Data))
		all = append(all, one)
	}
	must(t, rows.Err())
	return all
}

// telling opens a store that tells somebody.
func telling(t *testing.T, e engine) *sqlstore.Store {
	t.Helper()
	c := e.fresh(t, 1)
	c.Tells = true
	return leased(t, c)
}

func TestTheShopIsTold(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, e engine) {
		t.Helper()
		t.Run("of every step of an order but that its money is on its way back", func(t *testing.T) {
			t.Parallel()
			o := newPaidOrder(t, telling(t, e))
			o.recorded()
			must(t, o.refund())
			must(t, o.refunded())
			wantTold(t, o, "order.created 1", "order.paid 2", "order.refunded 4")
			o = newPaidOrder(t, o.store)
			must(t, o.cancel())
			must(t, o.cancel())
			wantTold(t, o, "order.created 1", "order.cancelled 2")
			o = newPaidOrder(t, o.store)
			o.late()
			must(t, o.timeout())
			wantTold(t, o, "order.created 1", "order.cancelled 2")
		})
		t.Run("of the order as it was then", func(t *testing.T) {
			t.Parallel()
			o := newPaidOrder(t, telling(t, e))
			o.recorded()
			order, err := o.orders.Find(t.Context(), o.order.ID)
			must(t, err)
			all := toldOf(t, o.store, order.ID)
			const words = `{"id":"%d","item_id":"7","user_id":"ada","quantity":1,"amount_minor":995,"currency":"EUR",` +
				`"status":"%s","version":%d,"pay_by":"%s","created_at":"%s"%s}`
			payBy, created := order.PayBy.Format(time.RFC3339Nano), order.CreatedAt.Format(time.RFC3339Nano)
			paid := fmt.Sprintf(`,"paid_at":"%s"`, order.PaidAt.Format(time.RFC3339Nano))
			for i, want := range []string{
				fmt.Sprintf(words, order.ID, "unpaid", 1, payBy, created, ""),
				fmt.Sprintf(words, order.ID, "paid", 2, payBy, created, paid),
			} {
				if all[i].Data != want || !json.Valid([]byte(want)) {
					t.Errorf("told %s\nwant %s", all[i].Data, want)
				}
			}
		})
		t.Run("once of an order, however often and with whatever else it is placed", func(t *testing.T) {
			t.Parallel()
			toldOncePerOrder(t, telling(t, e))
		})
		t.Run("nothing where nobody listens", func(t *testing.T) {
			t.Parallel()
			o := newPaidOrder(t, e.open(t, 1))
			o.recorded()
			wantTold(t, o)
		})
	})
}

func wantTold(t *testing.T, o *paidOrder, want ...string) {
	t.Helper()
	var got []string
	for _, one := range toldOf(t, o.store, o.order.ID) {
		got = append(got, fmt.Sprintf("%s %d", one.Type, one.Version))
	}
	if !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
}

// toldOncePerOrder places overlapping batches from several workers, some orders twice in one.
func toldOncePerOrder(t *testing.T, store *sqlstore.Store) {
	t.Helper()
	const count, size, workers = 700, 300, 4
	orders := make([]seckill.NewOrder, count)
	for i := range orders {
		user := seckill.UserID(fmt.Sprintf("user-%d", i))
		id, err := store.IDs().Next(user.Bucket())
		must(t, err)
		orders[i] = seckill.NewOrder{
			ID: id, Item: 7, User: user, Quantity: 1, PriceMinor: 995, Currency: "EUR", PayWithin: time.Hour,
		}
	}
	var placing sync.WaitGroup
	for worker := range workers {
		from := worker * (count - size) / (workers - 1)
		batch := append(slices.Clone(orders[from:from+size]), orders[from:from+10]...)
		placing.Go(func() {
			for range 2 {
				if err := until(t.Context(), func() error {
					return sqlstore.Orders{Store: store}.Place(t.Context(), 0, batch)
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	placing.Wait()
	if all := countRows(t, store, "events", "type = 'order.created' AND version = 1"); all != count {
		t.Errorf("%d events of %d orders", all, count)
	}
	for _, order := range orders[:50] {
		if all := toldOf(t, store, order.ID); len(all) != 1 {
			t.Errorf("told %+v", all)
		}
	}
}

func TestStepsNameWhatIsTold(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, e engine) {
		t.Helper()
		t.Run("until everybody has heard of it", func(t *testing.T) {
			t.Parallel()
			store := telling(t, e)
			o := newPaidOrder(t, store)
			o.recorded()
			named := func() (steps []seckill.OrderState) {
				t.Helper()
				page, err := sqlstore.Books{Store: store}.EventsAfter(t.Context(), 0, 0, 10)
				must(t, err)
				for _, event := range page {
					steps = append(steps, event.Step)
				}
				return steps
			}
			if got := named(); !slices.Equal(got, []seckill.OrderState{seckill.OrderUnpaid, seckill.OrderPaid}) {
				t.Fatalf("named are the steps to %v", got)
			}
			heardOf(t, store)
			if n := countRows(t, store, "order_events", "tells <> 0"); n != 0 {
				t.Fatalf("%d steps still name events", n)
			}
		})
		t.Run("and an audit sees the one whose event is gone", func(t *testing.T) {
			t.Parallel()
			store := telling(t, e)
			o := newPaidOrder(t, store)
			o.recorded()
			untold := func() []seckill.OrderEvent {
				t.Helper()
				money, err := sqlstore.Books{Store: store}.MoneyOf(t.Context(), 0, []seckill.ID{o.order.ID})
				must(t, err)
				return money.Untold
			}
			if got := untold(); len(got) > 0 {
				t.Fatalf("got %+v", got)
			}
			tamper(t, store, 0, "DELETE FROM events WHERE type = 'order.paid'")
			if got := untold(); len(got) != 1 || got[0].Version != 2 || got[0].State != seckill.OrderPaid || got[0].Tells == 0 {
				t.Fatalf("got %+v", got)
			}
		})
	})
}
