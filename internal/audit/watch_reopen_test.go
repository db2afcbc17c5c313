package audit_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

func TestWatchReopened(t *testing.T) {
	t.Parallel()
	for rule, wrong := range map[string]string{
		"allotment": "UPDATE stock_moves SET units = units + 1 WHERE kind = 'adjust'",
		"claimed":   "UPDATE claims SET quantity = quantity + 1 WHERE user_id = 'dan'",
		"doubt":     "UPDATE stock_moves SET units = units - 2 WHERE kind = 'doubt'",
		"returned":  "UPDATE claims SET state = 'returned' WHERE id = (SELECT min(id) FROM claims WHERE state = 'held')",
	} {
		t.Run("leaves a gate open in spite of "+rule+", as it was opened again, until there is more of it", func(t *testing.T) {
			t.Parallel()
			watchHaltsForMore(t, rule, wrong)
		})
	}
	t.Run("closes a gate for the opposite", watchHaltsForOpposite)
	t.Run("closes a gate for as much in another epoch", watchHaltsInNextEpoch)
	t.Run("forgets what is right again while units move", watchForgetsWhileBusy)
}

func watchHaltsForMore(t *testing.T, rule, wrong string) {
	t.Helper()
	s := busyShop(t)
	w, selling := s.watchSelling()
	s.exec(s.home(), wrong)
	w.goRound()
	w.halts(s, rule)
	s.reopen()
	for n, sells := range []bool{false, true, false, true} {
		s.sell(s.reserved(fmt.Sprintf("user-%d", n), 1, ""))
		selling.sells = sells
		w.goRound()
		if s.stock().Halted != "" || w.known[rule] != 1 {
			t.Fatalf("halted: %q, knows of %v\n%s", s.stock().Halted, w.known, &w.log)
		}
	}
	lines := w.errors("rule=" + rule)
	s.exec(s.home(), wrong)
	w.goRound()
	w.halts(s, rule)
	if n := w.errors("rule=" + rule); n <= lines {
		t.Errorf("says nothing of it\n%s", &w.log)
	}
}

func watchHaltsForOpposite(t *testing.T) {
	t.Parallel()
	s := busyShop(t)
	w := s.watch()
	s.exec(s.home(), "UPDATE stock_moves SET units = units + 1 WHERE kind = 'adjust'")
	w.goRound()
	w.halts(s, "allotment")
	s.reopen()
	s.exec(s.home(), "UPDATE stock_moves SET units = units - 2 WHERE kind = 'adjust'")
	w.goRound()
	w.halts(s, "allotment")
}

func watchHaltsInNextEpoch(t *testing.T) {
	t.Parallel()
	s := busyShop(t)
	w := s.watch()
	wrong := "UPDATE stock SET lent = lent - 1, pool = pool + 1"
	s.exec(s.home(), wrong)
	w.goRound()
	w.halts(s, "lent")
	s.exec(s.home(), "UPDATE stock SET lent = lent + 1, pool = pool - 1")
	s.reopen()
	s.exec(s.home(), wrong)
	w.goRound()
	w.halts(s, "lent")
}

func watchForgetsWhileBusy(t *testing.T) {
	t.Parallel()
	s := busyShop(t)
	w, selling := s.watchSelling()
	s.exec(s.home(), "UPDATE stock_moves SET units = units + 1 WHERE kind = 'adjust'")
	w.goRound()
	w.halts(s, "allotment")
	s.reopen()
	s.exec(s.home(), "UPDATE stock_moves SET units = units - 1 WHERE kind = 'adjust'")
	selling.sells = true
	w.goRound()
	w.knows()
}

// watchSelling is a watch that never sees an item as a whole, when the books are told to sell.
func (s *shop) watchSelling() (*watched, *sellingBooks) {
	s.t.Helper()
	selling := &sellingBooks{Books: sqlstore.Books{Store: s.store}, sell: func() {
		s.exec(s.home(), "UPDATE stock SET version = version + 1")
	}}
	return s.watch(func(p *audit.WatchPorts) { p.Books = selling }), selling
}

// sellingBooks move a unit whenever somebody reads claims.
type sellingBooks struct {
	seckill.Books
	sell  func()
	sells bool
}

func (b *sellingBooks) ClaimsOf(ctx context.Context, item seckill.ID, after seckill.ClaimPlace, limit int) ([]seckill.Claim, error) {
	page, err := b.Books.ClaimsOf(ctx, item, after, limit)
	if b.sells {
		b.sell()
	}
	return page, err
}

// reopen lets an operator have looked, and the item sell again.
func (s *shop) reopen() {
	s.t.Helper()
	_, why, err := s.stocks().Reopen(s.t.Context(), s.item.ID)
	mustBe(s.t, why != "", err)
	s.open()
}

// halts fails the test unless the gate is closed, and the rule among those that something breaks.
func (w *watched) halts(s *shop, rule string) {
	w.t.Helper()
	if s.stock().Halted == "" || w.known[rule] != 1 {
		w.t.Fatalf("halted: %q, knows of %v\n%s", s.stock().Halted, w.known, &w.log)
	}
}
