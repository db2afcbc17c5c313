package audit_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

const (
	shards    = 2
	allotment = 20
	limit     = 2
	payWithin = 10 * time.Minute
)

// atOnce is a clock whose waits are over at once, so that looking again costs no time.
type atOnce struct{ seckill.SystemClock }

func (atOnce) After(time.Duration) <-chan time.Time {
	now := make(chan time.Time, 1)
	now <- time.Now()
	return now
}

// shop is a store with one sale of one item, with which the port methods of the product were used to sell.
type shop struct {
	t     *testing.T
	store *sqlstore.Store
	sale  seckill.Sale
	item  seckill.Item
	sold  int64
	// lent is what Redis would say; nil audits offline.
	lent seckill.Lent
}

func newShop(t *testing.T) *shop {
	t.Helper()
	return openNewShop(t, false)
}

// openNewShop makes a shop that tells somebody what becomes of it, or nobody.
func openNewShop(t *testing.T, tells bool) *shop {
	t.Helper()
	s := openShop(t, t.TempDir(), tells)
	must(t, s.store.Migrate(t.Context()))
	must(t, s.store.IDs().Acquire(t.Context()))
	s.draft()
	return s
}

// openShop opens the databases of a folder.
func openShop(t *testing.T, folder string, tells bool) *shop {
	t.Helper()
	config := sqlstore.Config{Clock: seckill.SystemClock{}, Log: slog.New(slog.DiscardHandler), Alone: true, Tells: tells}
	for shard := range shards {
		config.Shards = append(config.Shards, sqlstore.ShardConfig{Path: databaseOf(folder, shard), Readers: 1})
	}
	store, err := sqlstore.Open(t.Context(), config)
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	s := &shop{t: t, store: store}
	for shard := range shards {
		// No test here pulls the plug, and a hundred shops would wait for the disk.
		s.run(shard, "PRAGMA synchronous = OFF")
	}
	return s
}

// run is one statement on the writer.
func (s *shop) run(shard int, statement string, args ...any) (changed int64) {
	s.t.Helper()
	write, _, err := s.store.SQL(shard)
	must(s.t, err)
	result, err := write.ExecContext(s.t.Context(), statement, args...)
	must(s.t, err)
	changed, err = result.RowsAffected()
	must(s.t, err)
	return changed
}

func databaseOf(folder string, shard int) string {
	return filepath.Join(folder, fmt.Sprintf("%d.db", shard))
}

// draft makes the sale.
func (s *shop) draft() {
	s.t.Helper()
	// The home shard is the second one, so that catalog and stock live apart.
	s.item = seckill.Item{
		ID: s.id(seckill.Buckets - 1), SKU: "MUG-1", Title: "mug", PriceMinor: 1290, Currency: "EUR",
		Allotment: allotment, LimitPerUser: limit,
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	s.sale = seckill.Sale{
		ID: s.id(0), Name: "drop", StartsAt: now.Add(-time.Minute), EndsAt: now.Add(time.Hour), PayWithin: payWithin,
	}
	s.item.Sale = s.sale.ID
	s.sale.Items = []seckill.Item{s.item}
	act := seckill.Act{Actor: "operator:test", Action: "sale.create", Target: s.sale.ID}
	must(s.t, sqlstore.Catalog{Store: s.store}.Create(s.t.Context(), s.sale, act))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustBe(t *testing.T, done bool, err error) {
	t.Helper()
	must(t, err)
	if !done {
		t.Fatal("nothing was changed")
	}
}

func (s *shop) id(bucket int) seckill.ID {
	s.t.Helper()
	id, err := s.store.IDs().Next(bucket)
	must(s.t, err)
	return id
}

func (s *shop) stocks() sqlstore.Stocks { return sqlstore.Stocks{Store: s.store} }

func (s *shop) stock() seckill.Stock {
	s.t.Helper()
	stock, err := s.stocks().Get(s.t.Context(), s.item.ID)
	must(s.t, err)
	return stock
}

// open preloads the item, or begins its next epoch after a seal.
func (s *shop) open() {
	s.t.Helper()
	ctx := s.t.Context()
	changed, err := sqlstore.Catalog{Store: s.store}.Change(ctx, seckill.SaleChange{
		Sale: s.sale.ID, From: []seckill.SaleState{seckill.SaleDraft}, To: seckill.SaleScheduled,
		Act: seckill.Act{Actor: "operator:test", Action: "sale.preload", Target: s.sale.ID},
	})
	must(s.t, err)
	if changed {
		must(s.t, s.stocks().Create(ctx, s.item, time.Second))
	}
	stock := s.rebuild(0)
	opened, err := s.stocks().Open(ctx, s.item.ID, stock.Epoch, stock.Attempt)
	mustBe(s.t, opened, err)
}

func (s *shop) rebuild(target int64) seckill.Stock {
	s.t.Helper()
	stock := s.stock()
	next, changed, err := s.stocks().Rebuild(s.t.Context(), seckill.Rebuild{
		Item: s.item.ID, Epoch: stock.Epoch, From: stock.State, Attempt: stock.Attempt,
		NextAttempt: s.id(s.item.ID.Bucket()), Target: target,
	})
	mustBe(s.t, changed, err)
	s.sold = 0
	return next
}

// seal ends the epoch; a final seal is that of a sale that has ended.
func (s *shop) seal(final bool) {
	s.t.Helper()
	if final {
		ended, err := sqlstore.Catalog{Store: s.store}.Change(s.t.Context(), seckill.SaleChange{
			Sale: s.sale.ID, From: []seckill.SaleState{seckill.SaleScheduled}, To: seckill.SaleEnded,
			Act: seckill.Act{Actor: "operator:test", Action: "sale.end", Target: s.sale.ID},
		})
		mustBe(s.t, ended, err)
	}
	_, err := s.stocks().Seal(s.t.Context(), seckill.SealRequest{Item: s.item.ID, Final: final, PastClose: true})
	must(s.t, err)
}

// reserved is a reservation as Redis would have made it.
func (s *shop) reserved(user string, quantity int64, key string) seckill.Reserved {
	s.t.Helper()
	id := s.id(seckill.UserID(user).Bucket())
	return seckill.Reserved{ID: id, User: seckill.UserID(user), Quantity: quantity, KeyHash: seckill.KeyHash(key, id)}
}

// message is a batch of the present epoch.
func (s *shop) message(reservations ...seckill.Reserved) seckill.Message {
	s.t.Helper()
	for _, r := range reservations {
		s.sold += r.Quantity
	}
	return seckill.Message{
		Batch: s.id(0), Item: s.item.ID, Epoch: s.stock().Epoch, At: time.Now().UnixMilli(), Sold: s.sold,
		Reservations: reservations,
	}
}

// claim is T1, order T2.
func (s *shop) claim(message seckill.Message) []seckill.Claim {
	s.t.Helper()
	home := seckill.HomeShard(s.store.Shards(), s.item.ID)
	settlement, err := sqlstore.Claims{Store: s.store}.Settle(s.t.Context(), home, []seckill.Message{message}, nil)
	must(s.t, err)
	return settlement.Held
}

func (s *shop) order(claims []seckill.Claim) {
	s.t.Helper()
	for _, c := range claims {
		s.place(c)
		home := seckill.HomeShard(s.store.Shards(), s.item.ID)
		must(s.t, sqlstore.Claims{Store: s.store}.MarkOrdered(s.t.Context(), home, []seckill.ID{c.ID}))
	}
}

func (s *shop) place(c seckill.Claim) {
	s.t.Helper()
	shard := seckill.UserShard(s.store.Shards(), c.User)
	must(s.t, sqlstore.Orders{Store: s.store}.Place(s.t.Context(), shard, []seckill.NewOrder{{
		ID: c.ID, Item: c.Item, User: c.User, Quantity: c.Quantity,
		PriceMinor: s.item.PriceMinor, Currency: s.item.Currency, PayWithin: payWithin,
	}}))
}

// sell is the whole way of some reservations.
func (s *shop) sell(reservations ...seckill.Reserved) {
	s.t.Helper()
	s.order(s.claim(s.message(reservations...)))
}

// untilEnd lends the shop to one test, after which some tables of a shard are what they were. Not for parallel tests.
func (s *shop) untilEnd(t *testing.T, shard int, tables ...string) *shop {
	t.Helper()
	lent := *s
	lent.t = t
	for _, table := range tables {
		s.run(shard, "CREATE TEMP TABLE kept_"+table+" AS SELECT * FROM "+table)
		t.Cleanup(func() {
			s.run(shard, "PRAGMA ignore_check_constraints = OFF")
			s.run(shard, "DELETE FROM "+table)
			s.run(shard, "INSERT INTO "+table+" SELECT * FROM kept_"+table)
			s.run(shard, "DROP TABLE kept_"+table)
		})
	}
	return &lent
}

// exec changes a row by hand, past every CHECK, as a person with a database shell would.
func (s *shop) exec(shard int, statement string, args ...any) {
	s.t.Helper()
	s.run(shard, "PRAGMA ignore_check_constraints = ON")
	defer s.run(shard, "PRAGMA ignore_check_constraints = OFF")
	if changed := s.run(shard, statement, args...); changed == 0 {
		s.t.Fatalf("%s changed nothing", statement)
	}
}

func (s *shop) home() int { return seckill.HomeShard(s.store.Shards(), s.item.ID) }

// service audits this shop.
func (s *shop) service() *audit.Service {
	return audit.New(audit.Ports{
		Catalog: sqlstore.Catalog{Store: s.store}, Books: sqlstore.Books{Store: s.store},
		Claims: sqlstore.Claims{Store: s.store}, Owing: sqlstore.Owing{Store: s.store},
		Lent: s.lent, Shards: s.store.Shards(), Clock: atOnce{},
	})
}

func (s *shop) audit() audit.Report {
	s.t.Helper()
	report, err := s.service().Run(s.t.Context(), nil)
	must(s.t, err)
	return report
}

// clean fails the test unless everything adds up, for this sale and for all.
func (s *shop) clean() {
	s.t.Helper()
	for _, sale := range []*seckill.ID{nil, &s.sale.ID} {
		report, err := s.service().Run(s.t.Context(), sale)
		must(s.t, err)
		if !report.OK || len(report.Findings) > 0 {
			s.t.Fatalf("does not add up: %+v", report.Findings)
		}
	}
}

// redisSays is a Lent that knows only what it is told.
type redisSays struct {
	seckill.Lent
	states func() (seckill.LentState, error)
}

func (r redisSays) States(context.Context, []seckill.ID) ([]seckill.LentState, error) {
	state, err := r.states()
	return []seckill.LentState{state}, err
}
