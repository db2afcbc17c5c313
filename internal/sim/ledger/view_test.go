package ledger_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
)

// shop is a ledger with an item that is for sale.
type shop struct {
	*testing.T
	*ledger.Ledger
	clock *handclock.Clock
	ids   *ledger.IDs
	item  seckill.ID
}

// shopUnits is what it has of the item.
const shopUnits = 3

func openShop(t *testing.T, lack ledger.Lack) shop {
	t.Helper()
	clock := handclock.New()
	s := shop{T: t, Ledger: ledger.New(ledger.Config{Clock: clock, Tells: true, Lack: lack}), clock: clock, ids: ledger.NewIDs(0, clock)}
	s.item = s.id(0)
	stocks := ledger.Stocks{Ledger: s.Ledger}
	s.must(stocks.Create(t.Context(), seckill.Item{ID: s.item, Allotment: shopUnits, LimitPerUser: shopUnits}, seckill.GateDefault))
	_, _, err := stocks.Rebuild(t.Context(), seckill.Rebuild{Item: s.item, From: seckill.StockNew, NextAttempt: 1})
	s.must(err)
	_, err = stocks.Open(t.Context(), s.item, 1, 1)
	s.must(err)
	return s
}

func (s shop) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s shop) id(bucket int) seckill.ID {
	s.Helper()
	id, err := s.ids.Next(bucket)
	s.must(err)
	return id
}

// settle has a user buy one unit, and an order placed for it.
func (s shop) settle(user seckill.UserID) (seckill.ID, error) {
	s.Helper()
	id := s.id(user.Bucket())
	m := seckill.Message{Batch: s.id(0), Item: s.item, Epoch: 1, At: 1, Sold: 1, Reservations: []seckill.Reserved{
		{ID: id, User: user, Quantity: 1, KeyHash: id.String()},
	}}
	terms := map[seckill.ID]seckill.Terms{s.item: {PriceMinor: 100, Currency: "EUR", PayWithin: time.Minute}}
	_, err := ledger.Claims{Ledger: s.Ledger}.Settle(s.Context(), 0, []seckill.Message{m}, terms)
	return id, err
}

func TestView(t *testing.T) {
	t.Parallel()
	t.Run("shows all rows, and which were touched since", func(t *testing.T) {
		t.Parallel()
		s := openShop(t, "")
		order, err := s.settle("ada")
		s.must(err)
		items, orders := s.Touched()
		if !slices.Equal(items, []seckill.ID{s.item}) || !slices.Equal(orders, []seckill.ID{order}) {
			t.Fatalf("touched were %v and %v", items, orders)
		}
		if items, orders := s.Touched(); len(items)+len(orders) > 0 {
			t.Fatalf("touched again were %v and %v", items, orders)
		}
		s.Look(func(v ledger.View) {
			stock, _ := v.Stock(s.item)
			claim, _ := v.Claim(s.item, order)
			placed, _ := v.Order(order)
			if stock.Claimed != 1 || !claim.Ordered || placed.User != "ada" || len(v.Steps(order)) != 1 || v.Unordered() != 0 {
				t.Fatalf("got %+v, %+v, %+v", stock, claim, placed)
			}
			if len(slices.Collect(v.Claims())) != 1 || len(slices.Collect(v.ClaimsOf(s.item))) != 1 || len(slices.Collect(v.Moves(s.item))) != 2 {
				t.Fatal("claims or moves are missing")
			}
		})
	})
}

func TestLedgerAway(t *testing.T) {
	t.Parallel()
	t.Run("does nothing, and all it had when it is back", func(t *testing.T) {
		t.Parallel()
		s := openShop(t, "")
		s.SetAway(0, true)
		if _, err := s.settle("ada"); !errors.Is(err, seckill.ErrTransient) || !errors.Is(err, seckill.ErrUnavailable) {
			t.Fatalf("got %v", err)
		}
		s.SetAway(0, false)
		_, err := s.settle("bob")
		s.must(err)
		s.Look(func(v ledger.View) {
			if claims := slices.Collect(v.Claims()); len(claims) != 1 || claims[0].User != "bob" {
				t.Fatalf("got %+v", claims)
			}
		})
	})
}

func TestLedgerBetween(t *testing.T) {
	t.Parallel()
	t.Run("lets others in where a call is several transactions", func(t *testing.T) {
		t.Parallel()
		s := openShop(t, "")
		if again := s.cancelTwice(); again {
			t.Fatal("cancelled twice")
		}
		if given := s.leaseTwice(); given != 1 {
			t.Fatalf("given to %d", given)
		}
	})
	t.Run("ends the call there when it is told to", func(t *testing.T) {
		t.Parallel()
		s := openShop(t, "")
		order, err := s.settle("ada")
		s.must(err)
		s.clock.Advance(time.Hour)
		crash := errors.New("crash")
		s.Between = func(string) error { return crash }
		if _, err := (ledger.Payments{Ledger: s.Ledger}).CancelOverdue(t.Context(), 0, 10); !errors.Is(err, crash) {
			t.Fatalf("got %v", err)
		}
		s.Look(func(v ledger.View) {
			if order, _ := v.Order(order); order.State != seckill.OrderUnpaid {
				t.Fatalf("got %+v", order)
			}
		})
	})
}

// cancelTwice has a shopper cancel an order while the keeper is about to, and tells whether that then did so too.
func (s shop) cancelTwice() bool {
	s.Helper()
	order, err := s.settle("ada")
	s.must(err)
	s.clock.Advance(time.Hour)
	payments := ledger.Payments{Ledger: s.Ledger}
	s.Between = func(string) error {
		_, cancelled, err := payments.Cancel(s.Context(), seckill.Cancellation{Order: order, User: "ada", Cause: seckill.CauseUser})
		if !cancelled {
			s.Error("somebody was quicker")
		}
		return err
	}
	cancelled, err := payments.CancelOverdue(s.Context(), 0, 10)
	s.must(err)
	return cancelled > 0
}

// leaseTwice has two ask at once what an endpoint is to be told, and tells how many were given something.
func (s shop) leaseTwice() (given int) {
	s.Helper()
	events := ledger.Events{Ledger: s.Ledger}
	_, err := s.settle("bob")
	s.must(err)
	s.Between = nil
	_, err = events.Spread(s.Context(), 0, []string{"books"}, 10)
	s.must(err)
	lease := func() error {
		due, err := events.Due(s.Context(), 0, "books", 10)
		if len(due) > 0 {
			given++
		}
		return err
	}
	s.Between = func(string) error {
		s.Between = nil
		return lease()
	}
	s.must(lease())
	return given
}

func TestLedgerShift(t *testing.T) {
	t.Parallel()
	t.Run("sets one shard's clock apart from the others'", func(t *testing.T) {
		t.Parallel()
		l := ledger.New(ledger.Config{Shards: 2, Clock: handclock.New()})
		l.Shift(1, time.Minute)
		marks := ledger.Marks{Ledger: l}
		one, first := marks.Now(t.Context(), 0)
		other, second := marks.Now(t.Context(), 1)
		if err := errors.Join(first, second); err != nil || other.Sub(one) != time.Minute {
			t.Fatalf("got %v and %v, %v", one, other, err)
		}
	})
}
