package checkout_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/checkout"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

const shoppers = 24

// shop is the use case on real tables of two shards. Half of the store's answers are lost after the deed.
type shop struct {
	*checkout.Service
	t        *testing.T
	payments sqlstore.Payments
	orders   sqlstore.Orders
	provider *honest
	placed   []seckill.Order
}

func openShop(t *testing.T) *shop {
	t.Helper()
	taker := &honest{}
	s := openShopOf(t, taker)
	s.provider = taker
	return s
}

func openShopOf(t *testing.T, taker seckill.Provider) *shop {
	t.Helper()
	folder, log := t.TempDir(), slog.New(slog.DiscardHandler)
	store, err := sqlstore.Open(t.Context(), sqlstore.Config{
		Shards: []sqlstore.ShardConfig{{Path: filepath.Join(folder, "0.db")}, {Path: filepath.Join(folder, "1.db")}},
		Clock:  seckill.SystemClock{}, Log: log, Alone: true,
	})
	must(t, err)
	t.Cleanup(func() { _ = store.Close() })
	must(t, store.Migrate(t.Context()))
	must(t, store.IDs().Acquire(t.Context()))
	s := &shop{t: t, payments: sqlstore.Payments{Store: store}, orders: sqlstore.Orders{Store: store}}
	for i := range shoppers {
		s.place(store, seckill.UserID(fmt.Sprintf("shopper-%d", i)), int64(i%4)*500)
	}
	s.Service, err = checkout.New(checkout.Options{
		Orders: s.orders, Payments: forgetful{s.payments}, Catalog: &catalog{}, IDs: store.IDs(), Clock: seckill.SystemClock{},
		Providers: []seckill.Provider{taker}, Log: log, PaymentsMax: 4 * shoppers, NoticesMax: 4 * shoppers,
	})
	must(t, err)
	return s
}

// place places an order; one in four costs nothing.
func (s *shop) place(store *sqlstore.Store, user seckill.UserID, price int64) {
	s.t.Helper()
	id, err := store.IDs().Next(user.Bucket())
	must(s.t, err)
	must(s.t, s.orders.Place(s.t.Context(), seckill.UserShard(store.Shards(), user), []seckill.NewOrder{{
		ID: id, Item: mug, User: user, Quantity: 1, PriceMinor: price, Currency: "EUR", PayWithin: time.Hour,
	}}))
	order, err := s.orders.Find(s.t.Context(), id)
	must(s.t, err)
	s.placed = append(s.placed, order)
}

// insist repeats a call as clients do, until there is an answer.
func insist[T any](ctx context.Context, call func(ctx context.Context) (T, error)) (T, error) {
	for {
		answer, err := call(ctx)
		if err == nil || !errors.Is(err, seckill.ErrUnavailable) && !errors.Is(err, seckill.ErrTransient) {
			return answer, err
		}
	}
}

func TestCrowd(t *testing.T) {
	t.Parallel()
	t.Run("who pays, pays twice and cancels at once pays once or gets all back, whatever answer is lost", func(t *testing.T) {
		t.Parallel()
		s := openShop(t)
		var wait sync.WaitGroup
		for i, order := range s.placed {
			wait.Go(func() { s.pay(order, 2) })
			wait.Go(func() { s.pay(order, 1) })
			if i%2 == 0 {
				wait.Go(func() { s.cancel(order) })
			}
		}
		wait.Wait()
		var paid int
		for _, order := range s.placed {
			if s.judge(order) == seckill.OrderPaid {
				paid++
			}
		}
		t.Logf("%d of %d were paid", paid, shoppers)
	})
}

// pay pays an order so many times, each payment told twice.
func (s *shop) pay(order seckill.Order, times int) {
	receipt, err := insist(s.t.Context(), func(ctx context.Context) (checkout.Receipt, error) {
		return s.Pay(ctx, order.User, order.ID, 0)
	})
	if err != nil {
		if seckill.ReasonOf(err) != seckill.Conflict {
			s.t.Errorf("pay order %s: %v", order.ID, err)
		}
		return
	}
	if order.AmountMinor() == 0 {
		return
	}
	for range times {
		charge := told{s.provider.txn(), receipt.Payment.ID, order.AmountMinor(), order.Currency}
		for range 2 {
			if err := s.tell(charge); err != nil {
				s.t.Errorf("tell of %s: %v", charge.Txn, err)
			}
		}
	}
}

// told is a charge as a notice tells of it.
type told struct {
	Txn         string
	Payment     seckill.ID
	AmountMinor int64
	Currency    string
}

func (s *shop) tell(charge told) error {
	body, err := json.Marshal(charge)
	if err != nil {
		return err
	}
	_, err = insist(s.t.Context(), func(ctx context.Context) (struct{}, error) {
		return struct{}{}, s.Receive(ctx, "honest", seckill.Notice{Body: body})
	})
	return err
}

func (s *shop) cancel(order seckill.Order) {
	_, err := insist(s.t.Context(), func(ctx context.Context) (seckill.Order, error) {
		return s.Cancel(ctx, order.User, order.ID, order.Version)
	})
	if err != nil && seckill.ReasonOf(err) != seckill.Conflict {
		s.t.Errorf("cancel order %s: %v", order.ID, err)
	}
}

// judge holds an order against its money.
func (s *shop) judge(order seckill.Order) seckill.OrderState {
	s.t.Helper()
	view, err := s.Order(s.t.Context(), order.User, order.ID)
	must(s.t, err)
	charges, err := s.payments.ChargesOf(s.t.Context(), order.ID)
	must(s.t, err)
	standing := 0
	for _, charge := range charges {
		if charge.Refund == "" {
			standing++
		}
	}
	want := map[seckill.OrderState]int{seckill.OrderPaid: 1, seckill.OrderCancelled: 0}
	if stand, decided := want[view.Order.State]; !decided || standing != stand || view.Order.Version != 2 {
		s.t.Errorf("order %s is %s at version %d with %d charges that stand", order.ID, view.Order.State, view.Order.Version, standing)
	}
	if len(view.Refunds) != len(charges)-standing {
		s.t.Errorf("order %s has %d charges, %d of them stand, and %d refunds", order.ID, len(charges), standing, len(view.Refunds))
	}
	if view.Order.State == seckill.OrderPaid && view.Payment.State != seckill.PaymentPaid {
		s.t.Errorf("order %s is paid and shows a payment that is %s", order.ID, view.Payment.State)
	}
	return view.Order.State
}

// forgetful does what it is asked to, and then loses half of the answers.
type forgetful struct{ seckill.Payments }

// lost is an error for half of the calls that went well.
func lost(err error) error {
	if err == nil && rand.IntN(2) == 0 {
		return errDown
	}
	return err
}

func (f forgetful) Begin(ctx context.Context, asked seckill.NewPayment) (seckill.Payment, seckill.Order, bool, error) {
	payment, order, begun, err := f.Payments.Begin(ctx, asked)
	return payment, order, begun, lost(err)
}

func (f forgetful) Opened(ctx context.Context, id seckill.ID, session, url string) (seckill.Payment, error) {
	payment, err := f.Payments.Opened(ctx, id, session, url)
	return payment, lost(err)
}

func (f forgetful) Cancel(ctx context.Context, asked seckill.Cancellation) (seckill.Order, bool, error) {
	order, done, err := f.Payments.Cancel(ctx, asked)
	return order, done, lost(err)
}

func (f forgetful) Record(ctx context.Context, charge seckill.Charge) (seckill.Charge, bool, error) {
	recorded, first, err := f.Payments.Record(ctx, charge)
	return recorded, first, lost(err)
}

// honest opens every payment and believes every notice, which is a charge in JSON.
type honest struct {
	seckill.Provider
	txns atomic.Int64
}

func (h *honest) Name() string { return "honest" }

func (h *honest) Lives() time.Duration { return 0 }

func (h *honest) txn() string { return fmt.Sprintf("txn-%d", h.txns.Add(1)) }

func (h *honest) Open(_ context.Context, payment seckill.Payment, _ string) (session, url string, err error) {
	return "s-" + payment.ID.String(), "https://honest.example/" + payment.ID.String(), nil
}

func (h *honest) Read(notice seckill.Notice) ([]seckill.Charge, error) {
	var charge told
	err := json.Unmarshal(notice.Body, &charge)
	return []seckill.Charge{{
		Txn: charge.Txn, Payment: charge.Payment, AmountMinor: charge.AmountMinor, Currency: charge.Currency,
	}}, err
}
