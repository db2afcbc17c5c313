package app_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv"
)

// patience bounds every wait of these tests; nothing is expected to take that long. On a starved machine RabbitMQ has needed
// a minute to come back.
const patience = 2 * time.Minute

// shop is one system in this process with one sale of one item, and a ledger of what shoppers were told. It is embedded,
// except in TestOnServers.
type shop struct {
	t      *testing.T
	redis  *testenv.Redis // nil in an embedded shop
	config app.Config
	logs   *fleetLogs
	plan   app.Plan
	system *app.System
	stop   func()
	item   seckill.Item
	// payWithin is how long orders may stay unpaid.
	payWithin time.Duration
	watching  sync.Once
	// tampers says that the test changes the books by hand.
	tampers bool

	mu     sync.Mutex
	ledger map[seckill.ID]told
}

// told is what a shopper was told of a reservation.
type told struct {
	user     seckill.UserID
	key      string
	quantity int64
}

func testConfig(t *testing.T) app.Config {
	t.Helper()
	config := app.Defaults()
	config.Data, config.Listen, config.AdminListen = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	config.Limits.PerUserPerSecond, config.Limits.PerUserBurst = 1000, 1000
	config.Audit.Every = auditEvery
	return withBank(config)
}

// newShop is a shop that has not been opened.
func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{t: t, config: testConfig(t), logs: &fleetLogs{t: t}, plan: app.Everything(), payWithin: time.Hour, ledger: map[seckill.ID]told{}}
	t.Cleanup(s.neverAlarmed)
	if strings.HasPrefix(t.Name(), onServers+"/") {
		s.config, s.redis = serversConfig(t, s.config)
		if err := app.Migrate(t.Context(), s.config, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// emptyRedis makes Redis lose everything at once.
func (s *shop) emptyRedis() {
	s.t.Helper()
	if s.redis != nil {
		s.redis.Wipe(s.t)
		return
	}
	s.system.Backend.EmptyRedis()
}

// openShop starts a system without a sale.
func openShop(t *testing.T, options ...app.Option) *shop {
	t.Helper()
	s := newShop(t)
	s.start(options...)
	return s
}

// openSale starts a system that sells units of one item now.
func openSale(t *testing.T, units, limit int64, options ...app.Option) *shop {
	t.Helper()
	s := openShop(t, options...)
	s.preload(units, limit, -time.Second, time.Hour)
	s.awaitLive()
	return s
}

func (s *shop) start(options ...app.Option) {
	s.t.Helper()
	log := slog.New(slog.NewTextHandler(s.logs.writer("shop"), &slog.HandlerOptions{Level: slog.LevelWarn}))
	system, err := app.Open(s.t.Context(), s.config, s.plan, log, options...)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.t.Context()))
	stopped := make(chan error, 1)
	go func() { stopped <- system.Run(ctx) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-stopped, system.Close()); err != nil {
			s.t.Errorf("stop: %v", err)
		}
	})
	s.t.Cleanup(func() { s.stop() })
	s.system = system
	ready, done := context.WithTimeout(s.t.Context(), patience)
	defer done()
	if err := system.Ready(ready); err != nil {
		s.t.Fatal(err)
	}
	s.watching.Do(func() { watch(s.t, s.config) })
}

// restart ends the process as far as its stores can tell, and starts it again on the same data.
func (s *shop) restart(options ...app.Option) {
	s.t.Helper()
	s.stop()
	s.start(options...)
}

// preload makes a sale that opens and closes relative to now.
func (s *shop) preload(units, limit int64, opens, lasts time.Duration) seckill.Sale {
	s.t.Helper()
	starts := time.Now().Add(opens)
	sale, err := s.system.Operate.Create(s.t.Context(), "test", operate.Draft{
		Name: "sale", StartsAt: starts, EndsAt: starts.Add(lasts), PayWithin: s.payWithin,
		Items: []operate.DraftItem{{SKU: "A", Title: "A", PriceMinor: 100, Currency: "EUR", Allotment: units, LimitPerUser: limit}},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.item = sale.Items[0]
	return s.preloaded(sale.ID)
}

// preloaded asks until every item is preloaded, as an operator does when a busy machine answers too late.
func (s *shop) preloaded(sale seckill.ID) seckill.Sale {
	s.t.Helper()
	var report operate.SaleReport
	var err error
	s.await("it is preloaded", func() bool {
		report, err = s.system.Operate.Preload(s.t.Context(), "test", sale, false)
		failed := slices.ContainsFunc(report.Checks, func(c operate.Check) bool { return !c.OK })
		if failed {
			s.t.Logf("preload: %+v", report.Checks)
		}
		return !failed && seckill.ReasonOf(err) != seckill.Busy
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return report.Sale
}

// turn is an operator's pause, resume or end.
func (s *shop) turn(act func(context.Context, string, seckill.ID) (operate.SaleReport, error), sale seckill.Sale) {
	s.t.Helper()
	if _, err := act(s.t.Context(), "test", sale.ID); err != nil {
		s.t.Fatal(err)
	}
}

// await polls until ok says yes; the clock is real because the stores are.
func (s *shop) await(what string, ok func() bool) {
	s.t.Helper()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			s.t.Fatalf("never happened: %s", what)
		}
	}
}

// awaitLive waits until the api answers from an open epoch.
func (s *shop) awaitLive() {
	s.t.Helper()
	s.await("item is live", func() bool {
		view, ok := s.system.Buying.View(s.item.ID)
		return ok && view.Known
	})
}

// buy asks once and notes what was promised.
func (s *shop) buy(user seckill.UserID, quantity int64, key string) (purchase.Receipt, error) {
	receipt, err := s.system.Buying.Buy(s.t.Context(), purchase.Request{Item: s.item.ID, User: user, Quantity: quantity, Key: key})
	if err == nil && receipt.Reservation.State == seckill.ReservationQueued {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ledger[receipt.Reservation.ID] = told{user, key, receipt.Reservation.Quantity}
	}
	return receipt, err
}

// askInVain asks until there is an answer and notes nothing: for shoppers who are rejected later.
func (s *shop) askInVain(user seckill.UserID, quantity int64, key string) (purchase.Receipt, error) {
	return s.patiently(func() (purchase.Receipt, error) {
		return s.system.Buying.Buy(s.t.Context(), purchaseOf(s, user, quantity, key))
	})
}

// insist asks as a patient shopper does: busy and unknown outcomes are repeated with the same key until there is an answer.
// Who has no key may be refused for what an earlier try took.
func (s *shop) insist(user seckill.UserID, quantity int64, key string) (purchase.Receipt, error) {
	return s.patiently(func() (purchase.Receipt, error) { return s.buy(user, quantity, key) })
}

// buyUnlessBusy asks until the request was taken up; busy says that it was not.
func (s *shop) buyUnlessBusy(user seckill.UserID, quantity int64, key string) (purchase.Receipt, error) {
	return askWhile(func() (purchase.Receipt, error) { return s.buy(user, quantity, key) }, seckill.Busy)
}

// patiently asks until there is an answer that stays.
func (s *shop) patiently(ask func() (purchase.Receipt, error)) (purchase.Receipt, error) {
	return askWhile(ask, seckill.Busy, seckill.UnknownOutcome, seckill.RateLimited)
}

// askWhile asks again while the answer is one of these passing refusals.
func askWhile(ask func() (purchase.Receipt, error), passing ...seckill.Reason) (purchase.Receipt, error) {
	deadline := time.Now().Add(patience)
	for {
		receipt, err := ask()
		if !slices.Contains(passing, seckill.ReasonOf(err)) {
			return receipt, err
		}
		if time.Now().After(deadline) {
			return receipt, fmt.Errorf("still %w", err)
		}
		time.Sleep(time.Duration(5+rand.IntN(20)) * time.Millisecond) //nolint:forbidigo // a shopper's pause, not a wait for a state
	}
}

// mustInsist is insist for Ann, who must get it.
func (s *shop) mustInsist(quantity int64, key string) purchase.Receipt {
	s.t.Helper()
	receipt, err := s.insist("ann", quantity, key)
	if err != nil {
		s.t.Fatal(err)
	}
	return receipt
}

// crowd runs one shopper per index, a bounded number at a time.
func (s *shop) crowd(shoppers int, shop func(n int)) {
	s.t.Helper()
	var all sync.WaitGroup
	places := make(chan struct{}, 256)
	for n := range shoppers {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			shop(n)
		})
	}
	all.Wait()
}

func user(n int) seckill.UserID { return seckill.UserID(fmt.Sprintf("user-%d", n)) }

func key(n int) string { return fmt.Sprintf("purchase-%d", n) }

// settled waits until everything that was promised is decided, and fails for what did not become an order.
func (s *shop) settled() {
	s.t.Helper()
	for id, told := range s.promises() {
		var state seckill.Reservation
		s.await("reservation "+id.String()+" is decided", func() bool {
			var err error
			state, err = s.system.Buying.Status(s.t.Context(), told.user, s.item.ID, id, time.Second)
			return err == nil && state.State != seckill.ReservationQueued
		})
		if state.State != seckill.ReservationOrdered {
			s.t.Fatalf("reservation %s of %s was promised and is %s (%s)", id, told.user, state.State, state.Reason)
		}
		order, err := s.system.Backend.Orders.Find(s.t.Context(), id)
		if err != nil || order.User != told.user || order.Quantity != told.quantity {
			s.t.Fatalf("order of reservation %s: %+v, %v", id, order, err)
		}
	}
}

func (s *shop) promises() map[seckill.ID]told {
	s.mu.Lock()
	defer s.mu.Unlock()
	copied := make(map[seckill.ID]told, len(s.ledger))
	for id, told := range s.ledger {
		copied[id] = told
	}
	return copied
}

func (s *shop) promised() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ledger)
}

// sellsAnew says whether the second epoch is open.
func (s *shop) sellsAnew() bool {
	stock := s.stock()
	return stock.Epoch == 2 && stock.State == seckill.StockOpen
}

// stock reads the row.
func (s *shop) stock() seckill.Stock {
	s.t.Helper()
	stock, err := s.system.Backend.Stocks.Get(s.t.Context(), s.item.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	return stock
}

// orders counts the item's orders over all states.
func (s *shop) orders() int64 {
	s.t.Helper()
	var sum int64
	for shard := range s.system.Backend.Shards.Count() {
		counts, err := s.system.Backend.Orders.Count(s.t.Context(), shard, s.item.ID)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, count := range counts {
			sum += count.Orders
		}
	}
	return sum
}

// wantOrders holds the number of orders against what was sold.
func (s *shop) wantOrders(want int64) {
	s.t.Helper()
	if got := s.orders(); got != want {
		s.t.Fatalf("%d orders, want %d", got, want)
	}
}

// adds up: everything promised is an order, the audit finds nothing.
func (s *shop) addsUp() {
	s.t.Helper()
	s.settled()
	s.auditFindsNothing()
}

func (s *shop) auditFindsNothing() {
	s.t.Helper()
	report, err := s.system.Audit.Run(s.t.Context(), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, finding := range report.Findings {
		s.t.Errorf("audit: %+v", finding)
	}
}

// soldOut: every unit is claimed, and nothing is left anywhere.
func (s *shop) soldOut() {
	s.t.Helper()
	s.await("every unit is claimed", func() bool {
		stock := s.stock()
		return stock.Claimed == stock.Allotted
	})
	// What an api process knows of an item may be a moment old.
	s.await("a latecomer hears sold_out", func() bool {
		_, err := s.insist("latecomer", 1, "")
		if err == nil {
			s.t.Fatal("a unit was sold after the last one")
		}
		return seckill.ReasonOf(err) == seckill.SoldOut
	})
}

func TestMain(m *testing.M) {
	if cut := os.Getenv(cutVariable); cut != "" {
		os.Exit(runDoomed(cut))
	}
	app.LogLibraries(slog.New(slog.DiscardHandler)) // the tests break connections by the hundred
	// dbresolver makes a store of prepared statements for each pool, used or not, with a cleaner that nobody can end.
	os.Exit(servers.Main(m, goleak.IgnoreTopFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1")))
}

func wantReason(t *testing.T, err error, want ...seckill.Reason) {
	t.Helper()
	if got := seckill.ReasonOf(err); !slices.Contains(want, got) {
		t.Fatalf("got %v, want one of %v", err, want)
	}
}
