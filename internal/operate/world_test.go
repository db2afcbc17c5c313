package operate_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/keeper"
	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/redis"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlqueue"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

const (
	ada = "operator:ada"
	ben = "operator:ben"
)

var errDown = fmt.Errorf("test cut the line: %w", seckill.ErrUnavailable)

// world is the use case on real stores: two shards, Redis inside the process, the keeper's jobs. No job runs by itself.
type world struct {
	*operate.Service
	ports  operate.Ports
	store  *sqlstore.Store
	queue  *sqlqueue.Queue
	keeper keeper.Ports
	// Each stands between the use case and a store.
	catalog  *catalog
	stocks   *stocks
	lent     *lent
	settings *settings
	clock    *clock
}

func newWorld(t *testing.T) *world {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	store := openStore(t)
	embedded, err := redis.OpenEmbedded(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = embedded.Close() })
	queue, err := sqlqueue.Open(t.Context(), sqlqueue.Config{
		Path: filepath.Join(t.TempDir(), "queue.db"), Shards: 2, IDs: store.IDs(), Clock: seckill.SystemClock{}, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = queue.Close() })
	w := &world{
		store: store, queue: queue, clock: &clock{}, catalog: &catalog{Catalog: sqlstore.Catalog{Store: store}},
		stocks: &stocks{Stocks: sqlstore.Stocks{Store: store}}, lent: &lent{Lent: embedded.Lent},
	}
	w.keeper = keeper.Ports{
		Catalog: w.catalog, Stocks: w.stocks, Claims: sqlstore.Claims{Store: store}, Owing: sqlstore.Owing{Store: store},
		Marks: sqlstore.Marks{Store: store}, Lent: w.lent, Publisher: queue, Queue: queue, Drain: queue,
		Shards: store.Shards(), IDs: store.IDs(), Clock: seckill.SystemClock{}, Log: log,
	}
	w.settings = &settings{Settings: keeper.NewRenew(w.keeper)}
	w.ports = operate.Ports{
		Catalog: w.catalog, Stocks: w.stocks, Orders: sqlstore.Orders{Store: store}, Lent: w.lent, Queue: queue,
		Adjustments: &adjustments{Adjustments: sqlstore.Stocks{Store: store}}, Payments: sqlstore.Payments{Store: store}, Letters: queue,
		Halts: sqlstore.Stocks{Store: store}, Audit: audit.New(audit.Ports{Books: sqlstore.Books{Store: store}}),
		Events: sqlstore.Events{Store: store}, Epochs: keeper.NewRecover(w.keeper), Settings: w.settings, Shards: store.Shards(), IDs: store.IDs(),
		Clock: w.clock, Log: log,
	}
	w.Service = operate.New(w.ports)
	return w
}

// shardFiles are those of a store of two shards.
func shardFiles() []string { return []string{"0.db", "1.db"} }

// migrated are the files of a store that nobody has used: making them takes longer than most tests.
var migrated = sync.OnceValues(func() (map[string][]byte, error) {
	folder, err := os.MkdirTemp("", "operate-test-*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	store, err := storeIn(context.Background(), folder)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(store.Migrate(context.Background()), store.Close()); err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range shardFiles() {
		if files[name], err = os.ReadFile(filepath.Join(folder, name)); err != nil {
			return nil, err
		}
	}
	return files, nil
})

func storeIn(ctx context.Context, folder string) (*sqlstore.Store, error) {
	var shards []sqlstore.ShardConfig
	for _, name := range shardFiles() {
		shards = append(shards, sqlstore.ShardConfig{Path: filepath.Join(folder, name)})
	}
	return sqlstore.Open(ctx, sqlstore.Config{Shards: shards, Clock: seckill.SystemClock{}, Log: slog.New(slog.DiscardHandler), Alone: true})
}

func openStore(t *testing.T) *sqlstore.Store {
	t.Helper()
	files, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	store, err := storeIn(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := store.IDs().Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

// draft is a sale of one item that started a minute ago.
func draft(change ...func(*operate.Draft)) operate.Draft {
	now := time.Now().UTC().Truncate(time.Millisecond)
	d := operate.Draft{
		Name: "Spring drop", StartsAt: now.Add(-time.Minute), EndsAt: now.Add(time.Hour), PayWithin: 15 * time.Minute,
		Items: []operate.DraftItem{mug()},
	}
	for _, c := range change {
		c(&d)
	}
	return d
}

func mug() operate.DraftItem {
	return operate.DraftItem{SKU: "MUG-1", Title: "Enamel mug", PriceMinor: 1290, Currency: "EUR", Allotment: 1000, LimitPerUser: 2, OneTry: true}
}

func later(d *operate.Draft) { d.StartsAt = d.StartsAt.Add(30 * time.Minute) }

func items(n int) func(*operate.Draft) {
	return func(d *operate.Draft) {
		d.Items = nil
		for i := range n {
			item := mug()
			item.SKU = fmt.Sprintf("MUG-%d", i)
			d.Items = append(d.Items, item)
		}
	}
}

func (w *world) create(t *testing.T, change ...func(*operate.Draft)) seckill.Sale {
	t.Helper()
	sale, err := w.Create(t.Context(), ada, draft(change...))
	if err != nil {
		t.Fatal(err)
	}
	return sale
}

// scheduled is a preloaded sale.
func (w *world) scheduled(t *testing.T, change ...func(*operate.Draft)) seckill.Sale {
	t.Helper()
	sale := w.create(t, change...)
	report, err := w.Preload(t.Context(), ada, sale.ID, false)
	if err != nil {
		t.Fatal(err)
	}
	wantOK(t, report, len(sale.Items))
	return report.Sale
}

// live is a preloaded sale that has started.
func (w *world) live(t *testing.T, change ...func(*operate.Draft)) seckill.Sale {
	t.Helper()
	sale := w.scheduled(t, change...)
	if _, err := w.catalog.Advance(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w.get(t, sale.ID).Sale
}

func (w *world) get(t *testing.T, id seckill.ID) operate.SaleReport {
	t.Helper()
	report, err := w.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func (w *world) inRedis(t *testing.T, item seckill.ID) seckill.LentState {
	t.Helper()
	states, err := w.lent.Lent.States(t.Context(), []seckill.ID{item})
	if err != nil {
		t.Fatal(err)
	}
	return states[0]
}

func (w *world) actions(t *testing.T, id seckill.ID) []string {
	t.Helper()
	acts, err := w.catalog.Acts(t.Context(), id, 100)
	if err != nil {
		t.Fatal(err)
	}
	actions := make([]string, len(acts))
	for i, act := range acts {
		actions[len(acts)-1-i] = act.Actor + " " + act.Action
	}
	return actions
}

// wantTwoLines wants what was intended and what came of it in the log of a target: each a name, and texts that it has.
func (w *world) wantTwoLines(t *testing.T, target seckill.ID, intent, outcome line) {
	t.Helper()
	acts, err := w.catalog.Acts(t.Context(), target, 10)
	if err != nil || len(acts) != 2 {
		t.Fatalf("%+v, %v", acts, err)
	}
	for i, want := range []line{outcome, intent} {
		act := acts[i]
		if act.Action != want.action || !strings.Contains(act.Before, want.before) || !strings.Contains(act.After, want.after) {
			t.Errorf("the log says %+v, want %+v", act, want)
		}
	}
}

// line is one of the log: its action, and what its fields contain.
type line struct{ action, before, after string }

func wantOK(t *testing.T, report operate.SaleReport, n int) {
	t.Helper()
	if len(report.Checks) != n {
		t.Errorf("%d checks, want %d", len(report.Checks), n)
	}
	for _, check := range report.Checks {
		if !check.OK {
			t.Errorf("item %s: %s", check.Item, check.Detail)
		}
	}
}

func wantRefusal(t *testing.T, err error, reason seckill.Reason, field string) {
	t.Helper()
	var refusal *seckill.Refusal
	if !errors.As(err, &refusal) || refusal.Reason != reason || refusal.Field != field {
		t.Errorf("got %v, want %s of field %q", err, reason, field)
	}
}

// clock runs ahead instead of waiting.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	c.ahead += d
	c.mu.Unlock()
	done := make(chan time.Time, 1)
	done <- c.Now()
	return done
}

// catalog lets somebody else act between what the use case reads and what it writes.
type catalog struct {
	seckill.Catalog
	meanwhile func()
	log       cut
}

func (c *catalog) Log(ctx context.Context, act seckill.Act) error {
	if err := c.log.err(); err != nil {
		return err
	}
	return c.Catalog.Log(ctx, act)
}

func (c *catalog) between() {
	if act := c.meanwhile; act != nil {
		c.meanwhile = nil
		act()
	}
}

func (c *catalog) Update(ctx context.Context, sale seckill.Sale, act seckill.Act) (bool, error) {
	c.between()
	return c.Catalog.Update(ctx, sale, act)
}

func (c *catalog) Delete(ctx context.Context, id seckill.ID, version int64, act seckill.Act) (bool, error) {
	c.between()
	return c.Catalog.Delete(ctx, id, version, act)
}

func (c *catalog) Change(ctx context.Context, change seckill.SaleChange) (bool, error) {
	c.between()
	return c.Catalog.Change(ctx, change)
}

// cut is a line to a store that can be cut.
type cut struct {
	mu   sync.Mutex
	left int
}

// fails lets the next n calls fail; -1 means all.
func (c *cut) fails(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = n
}

func (c *cut) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 {
		return nil
	}
	c.left--
	return errDown
}

type stocks struct {
	seckill.Stocks
	create, get, seal cut
}

func (s *stocks) Create(ctx context.Context, item seckill.Item, gate time.Duration) error {
	if err := s.create.err(); err != nil {
		return err
	}
	return s.Stocks.Create(ctx, item, gate)
}

func (s *stocks) Get(ctx context.Context, item seckill.ID) (seckill.Stock, error) {
	if err := s.get.err(); err != nil {
		return seckill.Stock{}, err
	}
	return s.Stocks.Get(ctx, item)
}

func (s *stocks) Seal(ctx context.Context, request seckill.SealRequest) (bool, error) {
	if err := s.seal.err(); err != nil {
		return false, err
	}
	return s.Stocks.Seal(ctx, request)
}

type adjustments struct {
	seckill.Adjustments
	adjust cut
	// done runs after an adjustment, before whoever asked hears of it.
	done func()
}

func (a *adjustments) Adjust(ctx context.Context, adjustment seckill.Adjustment) (seckill.Adjusted, error) {
	if err := a.adjust.err(); err != nil {
		return seckill.Adjusted{}, err
	}
	adjusted, err := a.Adjustments.Adjust(ctx, adjustment)
	if a.done != nil {
		a.done()
	}
	return adjusted, err
}

type lent struct {
	seckill.Lent
	server, states, load cut
}

func (l *lent) Server(ctx context.Context, item seckill.ID) (seckill.Server, error) {
	if err := l.server.err(); err != nil {
		return seckill.Server{}, err
	}
	return l.Lent.Server(ctx, item)
}

func (l *lent) States(ctx context.Context, ids []seckill.ID) ([]seckill.LentState, error) {
	if err := l.states.err(); err != nil {
		return nil, err
	}
	return l.Lent.States(ctx, ids)
}

func (l *lent) Load(ctx context.Context, load seckill.Load) error {
	if err := l.load.err(); err != nil {
		return err
	}
	return l.Lent.Load(ctx, load)
}

type settings struct {
	operate.Settings
	carry cut
}

func (s *settings) Carry(ctx context.Context, item seckill.ID) error {
	if err := s.carry.err(); err != nil {
		return err
	}
	return s.Settings.Carry(ctx, item)
}
