package audit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// claimOf finds a user's first claim in a state.
func (s *shop) claimOf(user seckill.UserID, state seckill.ClaimState) seckill.Claim {
	s.t.Helper()
	claims, err := sqlstore.Claims{Store: s.store}.OfUser(s.t.Context(), s.item.ID, user)
	must(s.t, err)
	at := slices.IndexFunc(claims, func(c seckill.Claim) bool { return c.State == state })
	if at < 0 {
		s.t.Fatalf("%s has no %s claim", user, state)
	}
	return claims[at]
}

func orderTable(id seckill.ID) string { return fmt.Sprintf("orders_%02d", id.Bucket()%16) }

// orderShard is where a user's orders are.
func (s *shop) orderShard(id seckill.ID) int { return s.store.Shards().Shard(id.Bucket()) }

// finds fails the test unless one of the findings is this one; id "" means any rule.
func (s *shop) finds(id, table, key string) {
	s.t.Helper()
	report := s.audit()
	if report.OK {
		s.t.Fatal("everything adds up")
	}
	var all []string
	for _, f := range report.Findings {
		if (id == "" || f.ID == id) && f.Table == table && f.Key == key {
			if f.Detail == "" {
				s.t.Errorf("%s has no detail", f.ID)
			}
			return
		}
		all = append(all, fmt.Sprintf("%s %s %s: %s", f.ID, f.Table, f.Key, f.Detail))
	}
	s.t.Errorf("nothing says %s of %s %s, but\n%s", id, table, key, strings.Join(all, "\n"))
}

// stockChanges says which rule tells of which change of a stock row.
func stockChanges() map[string]string {
	return map[string]string{
		"allotted = allotted + 1":                    "allotment",
		"allotted = allotted + 1, pool = pool + 1":   "allotment",
		"pool = pool + 1":                            "conservation",
		"pool = -1, lent = lent + pool + 1":          "negative_units",
		"lent = lent + 1":                            "lent",
		"lent = lent - 1, pool = pool + 1":           "lent",
		"lent = lent - 1, claimed = claimed + 1":     "claimed",
		"doubt = doubt + 1":                          "conservation",
		"doubt = doubt + 1, lent = lent - 1":         "lent",
		"doubt = doubt + 1, claimed = claimed - 1":   "claimed",
		"claimed = claimed - 1":                      "claimed",
		"claimed = claimed - 1, pool = pool + 1":     "claimed",
		"epoch = epoch + 1":                          "issue_epoch",
		"epoch = epoch - 1":                          "issue_epoch",
		"state = 'closed'":                           "stock_state",
		"state = 'new'":                              "stock_state",
		"state = 'loading'":                          "stock_state",
		"state = 'asleep'":                           "stock_state",
		"issue = issue + 1":                          "issue",
		"issue = issue - 1":                          "issue",
		"high = 0":                                   "high",
		"accounted = accounted + 1":                  "accounted",
		"accounted = accounted + 1, lent = lent - 1": "accounted",
		"accounted = accounted + 100":                "lent_exceeded",
		"ceiling = 1":                                "ceiling",
		"ceiling = 3":                                "ceiling",
		"owed_decrease = -1":                         "negative_units",
		"owed_decrease = 1":                          "owed_decrease",
		"high = high + 100":                          "high_exceeded",
		"attempt = 0":                                "stock_state",
		"final = 1":                                  "sealed_early",
		"state = 'closed', final = 1, attempt = 0":   "sealed_early",
		"gate_ms = 0":                                "gate",
		"gate_ms = 999":                              "gate",
		"gate_ms = 5001":                             "gate",
		"halted = 'because'":                         "halted",
		"since = 0":                                  "stock_times",
		"since = since + 3600000":                    "stock_times",
		"progress = 0":                               "stock_times",
		"claimed_at = 0":                             "stock_times",
		"claimed_at = claimed_at + 3600000":          "stock_times",
		"sealed_at = 0":                              "stock_times",
		"sealed_at = sealed_at + 3600000":            "stock_times",
	}
}

func TestChangedStockFigure(t *testing.T) {
	t.Parallel()
	shared := busyShop(t)
	for set, rule := range stockChanges() {
		t.Run("is found when someone sets "+set, func(t *testing.T) {
			s := shared.untilEnd(t, shared.home(), "stock")
			s.exec(s.home(), "UPDATE stock SET "+set+" WHERE item = ?", s.item.ID)
			s.finds(rule, "stock", s.item.ID.String())
		})
	}

	t.Run("is found when someone deletes the row", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		s.exec(s.home(), "DELETE FROM stock WHERE item = ?", s.item.ID)
		s.finds("stock_missing", "stock", s.item.ID.String())
	})

	t.Run("is found when someone makes a row for an item that does not exist", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		stray := s.id(s.item.ID.Bucket())
		s.exec(s.home(), "UPDATE stock SET item = ? WHERE item = ?", stray, s.item.ID)
		s.finds("stock_unknown_item", "stock", stray.String())
	})

	t.Run("is found when someone moves the row to another shard's item", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		stray := s.id(0)
		s.exec(s.home(), "UPDATE stock SET item = ? WHERE item = ?", stray, s.item.ID)
		s.finds("stock_misplaced", "stock", stray.String())
	})
}

func TestChangedDoubt(t *testing.T) {
	t.Parallel()
	shared := newShop(t)
	shared.open()
	shared.sell(shared.reserved("ada", 1, ""))
	_ = shared.message(shared.reserved("mallory", 2, ""))
	shared.seal(true)
	shared.rebuild(shared.sold)
	shared.clean()
	// While nothing came late, doubt follows from the moves to the unit.
	for _, change := range []string{
		"UPDATE stock SET doubt = doubt + 1, pool = pool - 1",
		"UPDATE stock SET doubt = doubt - 1, pool = pool + 1",
		"UPDATE stock_moves SET units = units - 1 WHERE kind = 'doubt'",
		"UPDATE stock_moves SET units = units - 1 WHERE kind = 'seal'",
		"DELETE FROM stock_moves WHERE kind = 'seal'",
	} {
		t.Run("is found in doubt after "+change, func(t *testing.T) {
			s := shared.untilEnd(t, shared.home(), "stock", "stock_moves")
			s.exec(s.home(), change)
			s.finds("doubt", "stock", s.item.ID.String())
		})
	}
}

// claimChange is what someone does to a user's claim in a state, and the rule that tells.
type claimChange struct{ user, state, set, rule string }

func claimChanges() []claimChange {
	return []claimChange{
		{"bob", "held", "user_id = 'zoe'", "claim_bucket"},
		{"bob", "held", "quantity = 1", ""}, // the stock row and the order tell
		{"bob", "held", "quantity = 0", "claim_quantity"},
		{"bob", "held", "quantity = 5000", "claim_quantity"},
		{"bob", "held", "key_hash = 'short'", "claim_key_hash"},
		{"bob", "held", "key_hash = 'not/base64+of-anything'", "claim_key_hash"},
		{"ada", "held", "key_hash = '12345'", "claim_key_hash"},
		{"bob", "rejected", "key_hash = 'AAAAAAAAAAAAAAAAAAAAAA'", "claim_key_hash"},
		{"bob", "held", "epoch = 0", "claim_epoch"},
		{"bob", "held", "epoch = 9", "claim_epoch"},
		{"bob", "held", "created_at = 0", "claim_created"},
		{"bob", "held", "created_at = created_at + 3600000", "claim_created"},
		{"bob", "held", "state = 'lost'", "claim_state"},
		{"bob", "held", "state = 'rejected', reason = 'sold_out', ordered = 0", "rejected_with_order"},
		{"bob", "held", "state = 'rejected'", "claim_state"},
		{"bob", "held", "state = 'returned'", "returned_but_not_cancelled"},
		{"bob", "held", "state = 'returned', ordered = 0", "claim_state"},
		{"bob", "held", "reason = 'sold_out'", "claim_reason"},
		{"bob", "held", "reason = 'duplicate', first_id = id", "claim_reason"},
		{"ada", "rejected", "reason = ''", "claim_reason"},
		{"ada", "rejected", "reason = 'busy'", "claim_reason"},
		{"ada", "rejected", "ordered = 1", "claim_state"},
		{"ada", "rejected", "first_id = 5", "claim_first"},
		{"ada", "rejected", "reason = 'duplicate', key_hash = id", "claim_first"},
		{"bob", "rejected", "first_id = 0", "claim_first"},
		{"bob", "rejected", "first_id = 99", "claim_first"},
		{"bob", "rejected", "first_id = id", "claim_first"},
		{"bob", "rejected", "first_id = (SELECT id FROM claims WHERE user_id = 'dan')", "claim_first"},
	}
}

func TestChangedClaim(t *testing.T) {
	t.Parallel()
	shared := busyShop(t)
	for _, c := range claimChanges() {
		t.Run("is found when someone sets "+c.set+" of "+c.user+"'s "+c.state+" one", func(t *testing.T) {
			s := shared.untilEnd(t, shared.home(), "claims")
			claim := s.claimOf(seckill.UserID(c.user), seckill.ClaimState(c.state))
			s.exec(s.home(), "UPDATE claims SET "+c.set+" WHERE id = ?", claim.ID)
			if c.rule == "" {
				s.finds("claimed", "stock", s.item.ID.String())
				s.finds("order_quantity", orderTable(claim.ID), claim.ID.String())
				return
			}
			s.finds(c.rule, "claims", claim.ID.String())
		})
	}
}

func TestMissingClaim(t *testing.T) {
	t.Parallel()

	t.Run("is found when someone deletes it", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		claim := s.claimOf("bob", seckill.ClaimHeld)
		s.exec(s.home(), "DELETE FROM claims WHERE id = ?", claim.ID)
		s.finds("order_without_claim", orderTable(claim.ID), claim.ID.String())
		s.finds("claimed", "stock", s.item.ID.String())
	})

	t.Run("is found when a rejected one is deleted", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		s.exec(s.home(), "DELETE FROM claims WHERE state = 'rejected'")
		s.finds("doubt", "stock", s.item.ID.String())
	})

	t.Run("is found when someone moves it to another item", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		claim := s.claimOf("bob", seckill.ClaimHeld)
		s.exec(s.home(), "UPDATE claims SET item = 7 WHERE id = ?", claim.ID)
		s.finds("order_without_claim", orderTable(claim.ID), claim.ID.String())
	})

	t.Run("is found when someone gives it another id", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		claim := s.claimOf("bob", seckill.ClaimHeld)
		other := s.id(claim.ID.Bucket())
		s.exec(s.home(), "UPDATE claims SET id = ? WHERE id = ?", other, claim.ID)
		s.finds("claim_without_order", "claims", other.String())
		s.finds("order_without_claim", orderTable(claim.ID), claim.ID.String())
	})

	t.Run("is found when someone is given more than the limit", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		s.exec(s.home(), "UPDATE claims SET quantity = 3 WHERE user_id = 'bob' AND state = 'held'")
		s.finds("over_limit", "claims", "bob")
	})

	t.Run("is not found when it is only not marked ordered yet", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		s.exec(s.home(), "UPDATE claims SET ordered = 0 WHERE user_id = 'bob' AND state = 'held'")
		s.clean()
	})
}

// orderChanges says which rule tells of which change of an order; one that ends with AND has its own condition.
func orderChanges() map[string]string {
	return map[string]string{
		"item = 7":                      "order_unknown_item",
		"item = 7 WHERE 1 = 1 AND":      "order_without_claim",
		"user_id = 'zoe'":               "order_user",
		"user_id = 'zoe' WHERE 1=1 AND": "order_misplaced",
		"quantity = 1":                  "order_quantity",
		"price_minor = 1":               "order_price",
		"currency = 'USD'":              "order_currency",
		"state = 'paid'":                "order_state",
		"state = 'cancelled'":           "order_state",
		"state = 'paid' WHERE 1=1 AND":  "order_paid_at",
		"pay_by = pay_by + 1":           "order_pay_by",
		"created_at = created_at - 1":   "order_pay_by",
		"paid_at = 5":                   "order_paid_at",
		"version = 2":                   "order_version",
	}
}

func TestChangedOrder(t *testing.T) {
	t.Parallel()
	shared := busyShop(t)
	id := shared.claimOf("bob", seckill.ClaimHeld).ID
	for set, rule := range orderChanges() {
		t.Run("is found as "+rule+" when someone sets "+set, func(t *testing.T) {
			s := shared.untilEnd(t, shared.orderShard(id), orderTable(id))
			if !strings.HasSuffix(set, "AND") {
				set += " WHERE"
			}
			s.exec(s.orderShard(id), "UPDATE "+orderTable(id)+" SET "+set+" id = ?", id)
			s.finds(rule, orderTable(id), id.String())
		})
	}
}

func TestMissingOrder(t *testing.T) {
	t.Parallel()

	t.Run("is found when someone deletes it", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		id := s.claimOf("bob", seckill.ClaimHeld).ID
		s.exec(s.orderShard(id), "DELETE FROM "+orderTable(id)+" WHERE id = ?", id)
		s.finds("claim_without_order", "claims", id.String())
	})

	t.Run("is found when someone gives it another id", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		id := s.claimOf("bob", seckill.ClaimHeld).ID
		other := s.id(id.Bucket())
		s.exec(s.orderShard(id), "UPDATE "+orderTable(id)+" SET id = ? WHERE id = ?", other, id)
		s.finds("claim_without_order", "claims", id.String())
		s.finds("order_without_claim", orderTable(id), other.String())
	})

	t.Run("is found when it is there twice", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		id := s.claimOf("bob", seckill.ClaimHeld).ID
		other := orderTable(id + 1<<12)
		s.exec(s.orderShard(id), "INSERT INTO "+other+" SELECT * FROM "+orderTable(id)+" WHERE id = ?", id)
		s.finds("order_misplaced", other, id.String())
	})

	t.Run("is found when it is another item's of the catalog, also by an audit of the one sale", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		id := s.claimOf("bob", seckill.ClaimHeld).ID
		s.exec(s.orderShard(id), "UPDATE "+orderTable(id)+" SET item = 7 WHERE id = ?", id)
		report, err := s.service().Run(t.Context(), &s.sale.ID)
		must(t, err)
		if len(report.Findings) != 1 || report.Findings[0].ID != "order_item" || report.Findings[0].Reservation != id {
			t.Errorf("findings are %+v", report.Findings)
		}
	})
}

func TestChangedEvents(t *testing.T) {
	t.Parallel()

	t.Run("is found when its events are numbered otherwise", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		id := s.claimOf("bob", seckill.ClaimHeld).ID
		s.exec(s.orderShard(id), "UPDATE order_events SET version = 2 WHERE order_id = ?", id)
		s.finds("order_events", orderTable(id), id.String())
	})

	t.Run("is found when one of its events is gone", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		id := s.claimOf("bob", seckill.ClaimHeld).ID
		s.exec(s.orderShard(id), "DELETE FROM order_events WHERE order_id = ?", id)
		s.finds("order_version", orderTable(id), id.String())
	})
}
