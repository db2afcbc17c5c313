package audit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// saleChanges and itemChanges say which rule tells of which change.
func saleChanges() map[string]string {
	return map[string]string{
		"state = 'asleep'":         "sale_state",
		"ends_at = starts_at":      "sale_window",
		"starts_at = ends_at + 1":  "sale_window",
		"pay_within = 0":           "sale_pay_within",
		"pay_within = -pay_within": "sale_pay_within",
	}
}

func itemChanges() map[string]string {
	return map[string]string{
		"limit_per_user = 0":    "item_limit",
		"limit_per_user = 1001": "item_limit",
		"allotment = -1":        "item_allotment",
		"price_minor = -1":      "item_price",
		"currency = 'eur'":      "item_currency",
		"currency = 'EURO'":     "item_currency",
		"currency = ''":         "item_currency",
	}
}

func TestChangedSale(t *testing.T) {
	t.Parallel()
	shared := busyShop(t)
	for set, rule := range saleChanges() {
		t.Run("is found when someone sets "+set, func(t *testing.T) {
			s := shared.untilEnd(t, 0, "sales")
			s.exec(0, "UPDATE sales SET "+set)
			s.finds(rule, "sales", s.sale.ID.String())
		})
	}
	for set, rule := range itemChanges() {
		t.Run("is found when someone sets an item's "+set, func(t *testing.T) {
			s := shared.untilEnd(t, 0, "items")
			s.exec(0, "UPDATE items SET "+set)
			s.finds(rule, "items", s.item.ID.String())
		})
	}
	t.Run("is found from its stock when someone makes it a draft again", func(t *testing.T) {
		s := shared.untilEnd(t, 0, "sales")
		s.exec(0, "UPDATE sales SET state = 'draft'")
		s.finds("stock_of_draft", "stock", s.item.ID.String())
	})
	t.Run("is found from its stock when someone revives it", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.open()
		s.seal(true)
		s.clean()
		s.exec(0, "UPDATE sales SET state = 'live'")
		s.finds("sealed_early", "stock", s.item.ID.String())
	})
	t.Run("is found when an item's allotment is changed", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		s.exec(0, "UPDATE items SET allotment = allotment + 1")
		s.finds("allotment_catalog", "stock", s.item.ID.String())
	})
}

// limitTo is an operator's edit.
func (s *shop) limitTo(limit int64) {
	s.t.Helper()
	catalog := sqlstore.Catalog{Store: s.store}
	sale, err := catalog.Sale(s.t.Context(), s.sale.ID)
	must(s.t, err)
	side := func(limit int64) string {
		return fmt.Sprintf(`{"items":[{"id":"%s","limit_per_user":%d}]}`, s.item.ID, limit)
	}
	act := seckill.Act{
		Actor: "operator:test", Action: "sale.update", Target: sale.ID, Before: side(sale.Items[0].LimitPerUser), After: side(limit),
	}
	sale.Items[0].LimitPerUser = limit
	done, err := catalog.Update(s.t.Context(), sale, act)
	mustBe(s.t, done, err)
}

func TestCeiling(t *testing.T) {
	t.Parallel()

	t.Run("may lag behind a limit that an operator has raised, until a keeper lifts it", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		s.limitTo(limit + 1)
		s.clean()
		if notes := fmt.Sprint(s.audit().Notes); !strings.Contains(notes, "ceiling is 2") {
			t.Errorf("notes are %s", notes)
		}
		must(t, s.stocks().RaiseCeiling(t.Context(), s.item.ID, limit+1))
		s.clean()
	})

	t.Run("stays when an operator lowers the limit", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		s.limitTo(limit - 1)
		s.clean()
	})

	t.Run("is found when it is a limit that never was, though an operator has changed the limit", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		s.limitTo(limit + 2)
		for _, ceiling := range []int64{limit - 1, limit + 3} {
			s.exec(s.home(), "UPDATE stock SET ceiling = ?", ceiling)
			s.finds("ceiling", "stock", s.item.ID.String())
		}
	})

	t.Run("is found when someone changes the limit past the operators' log", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		s.exec(0, "UPDATE items SET limit_per_user = limit_per_user + 1")
		s.finds("ceiling", "stock", s.item.ID.String())
	})
}
