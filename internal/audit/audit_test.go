package audit_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// busy is the shop that busyShop copies: its databases, closed.
var busy struct {
	once      sync.Once
	shop      shop
	databases [shards][]byte
}

// busyShop has had one of everything: buyers with and without a key, a duplicate, one over the limit, a sealed epoch with
// a straggler, units in doubt, and a sale going on.
func busyShop(t *testing.T) *shop {
	t.Helper()
	busy.once.Do(func() { makeBusy(t) })
	folder := t.TempDir()
	for shard, database := range busy.databases {
		must(t, os.WriteFile(databaseOf(folder, shard), database, 0o600))
	}
	s := openShop(t, folder, false)
	must(t, s.store.IDs().Acquire(t.Context()))
	s.sale, s.item, s.sold = busy.shop.sale, busy.shop.item, busy.shop.sold
	return s
}

func makeBusy(t *testing.T) {
	t.Helper()
	folder := t.TempDir()
	s := openShop(t, folder, false)
	must(t, s.store.Migrate(t.Context()))
	must(t, s.store.IDs().Acquire(t.Context()))
	s.draft()
	s.history()
	must(t, s.store.Close())
	for shard := range shards {
		database, err := os.ReadFile(databaseOf(folder, shard))
		must(t, err)
		busy.databases[shard] = database
	}
	busy.shop = *s
}

func (s *shop) history() {
	s.t.Helper()
	s.open()
	s.sell(s.reserved("ada", 1, ""), s.reserved("bob", 2, "key-of-bob"))
	s.sell(s.reserved("bob", 2, "key-of-bob"))
	s.sell(s.reserved("ada", 2, "too-much-1"))
	late := s.message(s.reserved("eve", 1, "key-of-eve"))
	_ = s.message(s.reserved("mallory", 1, "")) // promised, and never heard of again
	sold := s.sold
	s.seal(false)
	s.rebuild(sold)
	s.order(s.claim(late))
	opened, err := s.stocks().Open(s.t.Context(), s.item.ID, s.stock().Epoch, s.stock().Attempt)
	mustBe(s.t, opened, err)
	s.sell(s.reserved("dan", 1, "key-of-dan"))
}

func TestAudit(t *testing.T) {
	t.Parallel()

	t.Run("finds nothing in a sale that had one of everything", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		s.clean()
		if got, want := s.audit().Checked, (audit.Checked{Items: 1, Claims: 6, Orders: 4}); got != want {
			t.Errorf("checked %+v, want %+v", got, want)
		}
		stock := s.stock()
		if stock.Doubt != 1 || stock.Claimed != 5 {
			t.Fatalf("the shop is not the one this test is about: %+v", stock)
		}
	})

	t.Run("finds nothing at any step of an item's life", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.clean()
		s.open()
		s.clean()
		held := s.claim(s.message(s.reserved("ada", 1, "")))
		s.clean()
		s.place(held[0])
		s.clean()
		s.order(held)
		s.clean()
		s.seal(true)
		s.clean()
		s.rebuild(1)
		s.clean()
		if state := s.stock().State; state != seckill.StockClosed {
			t.Fatalf("state is %s", state)
		}
	})

	t.Run("finds nothing while an epoch is loaded, and again after the load was given up", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.open()
		s.seal(false)
		s.rebuild(0)
		s.clean()
		s.rebuild(0)
		s.clean()
	})
}

func TestReport(t *testing.T) {
	t.Parallel()

	t.Run("refuses a sale that does not exist", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		unknown := seckill.ID(7)
		if _, err := s.service().Run(t.Context(), &unknown); seckill.ReasonOf(err) != seckill.NotFound {
			t.Errorf("got %v", err)
		}
	})

	t.Run("keeps a bounded number of findings and says how many more there are", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		for range 30 {
			for shard := range shards {
				s.manyStrays(shard, 20)
			}
		}
		report := s.audit()
		last := report.Findings[len(report.Findings)-1]
		if len(report.Findings) != 1000 || last.ID != "and_more" || !strings.HasPrefix(last.Detail, "and ") {
			t.Errorf("%d findings, the last is %+v", len(report.Findings), last)
		}
	})

	t.Run("notes what is still owed without calling it a finding", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		if notes := fmt.Sprint(s.audit().Notes); !strings.Contains(notes, "still owes") {
			t.Errorf("notes are %s", notes)
		}
	})
}

// manyStrays inserts orders that nobody asked for.
func (s *shop) manyStrays(shard, count int) {
	s.t.Helper()
	for range count {
		s.exec(shard, `INSERT INTO orders_03 (id, item, user_id, quantity, price_minor, currency, state, pay_by, created_at,
			paid_at, version) VALUES (?, ?, 'nobody', 1, 1290, 'EUR', 'unpaid', 1, 1, 0, 1)`, s.id(3), s.item.ID)
	}
}

// doubtful gives a wrong answer now and then.
type doubtful struct {
	seckill.Books
	looks int
	wrong func(look int, facts *seckill.StockFacts)
}

func (d *doubtful) Facts(ctx context.Context, item seckill.ID) (seckill.StockFacts, error) {
	facts, err := d.Books.Facts(ctx, item)
	d.looks++
	d.wrong(d.looks, &facts)
	return facts, err
}

func TestLookingAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wrong func(look int, facts *seckill.StockFacts)
		ok    bool
	}{
		"believes nothing that is gone at the second look": {
			func(look int, f *seckill.StockFacts) { f.Stock.Claimed += int64(1 - min(look-1, 1)) }, true,
		},
		"believes nothing that is gone at the third look": {
			func(look int, f *seckill.StockFacts) { f.Stock.Claimed += int64(2 - min(look-1, 2)) }, true,
		},
		"believes what is there three times, whatever the figures are": {
			func(look int, f *seckill.StockFacts) { f.Stock.Claimed += int64(look) }, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := busyShop(t)
			service := audit.New(audit.Ports{
				Catalog: sqlstore.Catalog{Store: s.store}, Books: &doubtful{Books: sqlstore.Books{Store: s.store}, wrong: c.wrong},
				Claims: sqlstore.Claims{Store: s.store}, Shards: s.store.Shards(), Clock: atOnce{},
			})
			report, err := service.Run(t.Context(), &s.sale.ID)
			must(t, err)
			if report.OK != c.ok {
				t.Errorf("findings are %+v", report.Findings)
			}
		})
	}
}
