package audit_test

import (
	"fmt"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// cancel ends an order as its shopper does, and brings its units back as a keeper does.
func (s *shop) cancel(user seckill.UserID) {
	s.t.Helper()
	claim := s.claimOf(user, seckill.ClaimHeld)
	_, cancelled, err := sqlstore.Payments{Store: s.store}.Cancel(s.t.Context(), seckill.Cancellation{
		Order: claim.ID, User: user, Cause: seckill.CauseUser,
	})
	mustBe(s.t, cancelled, err)
	units, err := s.stocks().Return(s.t.Context(), s.item.ID, []seckill.Return{{Claim: claim.ID, User: user, Quantity: claim.Quantity}})
	mustBe(s.t, units == claim.Quantity, err)
}

func (s *shop) adjust(op string, delta int64) {
	s.t.Helper()
	adjusted, err := s.stocks().Adjust(s.t.Context(), seckill.Adjustment{Item: s.item.ID, Op: op, Delta: delta})
	mustBe(s.t, !adjusted.Refused && !adjusted.Repeated, err)
}

func (s *shop) issue() {
	s.t.Helper()
	_, issued, err := s.stocks().Issue(s.t.Context(), s.item.ID)
	mustBe(s.t, issued, err)
}

// next seals the epoch, of which so many units may have been promised, and opens the one after it.
func (s *shop) next(target int64) {
	s.t.Helper()
	s.seal(false)
	stock := s.rebuild(target)
	opened, err := s.stocks().Open(s.t.Context(), s.item.ID, stock.Epoch, stock.Attempt)
	mustBe(s.t, opened, err)
}

// correctedShop has had two orders cancelled and its stock corrected in every way: the pool was enough for one decrease,
// two are owed and paid, one more than there is was forgotten, and one is owed now.
func correctedShop(t *testing.T) *shop {
	t.Helper()
	s := newShop(t)
	s.oneTry()
	s.open()
	s.sell(s.reserved("ada", 2, ""), s.reserved("bob", 1, "key-of-bob"), s.reserved("eve", 1, ""))
	s.cancel("ada") // 20 units: 2 in the pool, 16 lent, 2 claimed
	s.adjust("pool", -1)
	s.issue()
	s.adjust("more", 5)
	s.adjust("less", -8) // 5 at once
	s.adjust("least", -1)
	s.clean()
	s.cancel("bob")
	s.next(4) // 14 lent
	s.clean()
	s.adjust("promised", -3)
	s.rebuild(13)
	s.clean()
	s.adjust("loading", -1)
	s.clean()
	return s
}

// oneTry makes what is given back of the item stay counted.
func (s *shop) oneTry() {
	s.t.Helper()
	s.exec(0, "UPDATE items SET one_try = 1")
	s.item.OneTry = true
}

func TestCorrections(t *testing.T) {
	t.Parallel()
	t.Run("add up at every step", func(t *testing.T) {
		t.Parallel()
		s := correctedShop(t)
		stock := s.stock()
		if stock.OwedDecrease != 1 || stock.Allotted != 20-1+5-5-4-1 || stock.Doubt != 13 {
			t.Fatalf("the shop is not the one this test is about: %+v", stock)
		}
		s.rebuild(0)
		s.clean()
		if stock := s.stock(); stock.OwedDecrease != 0 {
			t.Fatalf("got %+v", stock)
		}
		s.seal(true)
		s.rebuild(0)
		s.clean()
	})
}

// correctionChanges say which rule tells of a change to a table of the corrected shop; %d stands for the item.
func correctionChanges() []struct{ change, rule, table string } {
	return []struct{ change, rule, table string }{
		{"UPDATE stock SET owed_decrease = 0", "owed_decrease", "stock"},
		{"UPDATE stock SET owed_decrease = 2", "owed_decrease", "stock"},
		{"UPDATE stock SET state = 'open'", "owed_decrease", "stock"},
		{"UPDATE stock SET one_try = 0", "one_try", "stock"},
		{"UPDATE stock SET pool = pool + 1, claimed = claimed - 1", "claimed", "stock"},

		{"DELETE FROM stock_moves WHERE id = 'adjust:%d:allotment'", "move_missing", "stock_moves"},
		{"DELETE FROM stock_moves WHERE id = 'adjust:%d:less'", "move_missing", "stock_moves"},
		{"DELETE FROM stock_moves WHERE id = 'adjust:%d:least'", "move_missing", "stock_moves"},
		{"DELETE FROM stock_moves WHERE id = 'owe:%d:least'", "move_units", "stock_moves"},
		{"DELETE FROM stock_moves WHERE id = 'owe:%d:owed:2'", "move_units", "stock_moves"},
		{"DELETE FROM stock_moves WHERE id = 'owe:%d:owed:2'", "move_owed", "stock_moves"},
		{"DELETE FROM stock_moves WHERE id = 'adjust:%d:owed:2'", "move_owed", "stock_moves"},
		{"DELETE FROM stock_moves WHERE id = 'adjust:%d:owed:2'", "allotment", "stock"},
		{"UPDATE stock_moves SET units = units - 1 WHERE id = 'owe:%d:less'", "move_owed", "stock_moves"},
		{"UPDATE stock_moves SET units = -units WHERE id = 'owe:%d:less'", "move_units", "stock_moves"},
		{"UPDATE stock_moves SET units = -units WHERE id = 'owe:%d:owed:2'", "move_units", "stock_moves"},
		{"UPDATE stock_moves SET units = units - 1 WHERE id = 'adjust:%d:owed:2'", "move_owed", "stock_moves"},
		{"UPDATE stock_moves SET units = 1 WHERE id = 'adjust:%d:less'", "move_units", "stock_moves"},
		{"UPDATE stock_moves SET units = 0 WHERE id = 'adjust:%d:more'", "move_units", "stock_moves"},
		{"UPDATE stock_moves SET epoch = 1 WHERE id = 'adjust:%d:owed:2'", "move_id", "stock_moves"},
		{"UPDATE stock_moves SET id = 'owe:%d:x y' WHERE id = 'owe:%d:less'", "move_id", "stock_moves"},
		{"UPDATE stock_moves SET id = 'owe:%d:allotment' WHERE id = 'owe:%d:less'", "move_id", "stock_moves"},
		{"UPDATE stock_moves SET epoch = 1 WHERE id = 'adjust:%d:allotment'", "move_epoch", "stock_moves"},
		{"UPDATE stock_moves SET epoch = 9 WHERE id = 'adjust:%d:more'", "move_epoch", "stock_moves"},
		{"UPDATE stock_moves SET epoch = 0 WHERE id = 'owe:%d:less'", "move_epoch", "stock_moves"},

		{"DELETE FROM stock_moves WHERE kind = 'return'", "returned", "stock"},
		{"DELETE FROM stock_moves WHERE kind = 'return'", "returned_without_move", "claims"},
		{"UPDATE stock_moves SET units = 3 - units WHERE kind = 'return'", "return_claim", "stock_moves"},
		{"UPDATE stock_moves SET id = 'return:77' WHERE kind = 'return' AND units = 1", "return_claim", "stock_moves"},
		{"UPDATE stock_moves SET id = 'return:77' WHERE kind = 'return' AND units = 1", "returned_without_move", "claims"},
		{"UPDATE stock_moves SET at = 1 WHERE kind = 'return'", "return_claim", "stock_moves"},
		{"UPDATE claims SET state = 'held' WHERE user_id = 'ada'", "return_claim", "stock_moves"},
		{"UPDATE claims SET state = 'held' WHERE user_id = 'ada'", "claimed", "stock"},
		{"UPDATE claims SET state = 'returned' WHERE user_id = 'eve'", "returned_without_move", "claims"},
		{"UPDATE claims SET ordered = 0 WHERE user_id = 'ada'", "claim_state", "claims"},
		{"UPDATE claims SET epoch = 2 WHERE user_id = 'ada'", "return_claim", "stock_moves"},
		{"UPDATE claims SET user_id = 'bob', quantity = 2 WHERE user_id = 'ada' OR user_id = 'bob'", "over_limit", "claims"},
	}
}

func TestChangedCorrections(t *testing.T) {
	t.Parallel()
	shared := correctedShop(t)
	for _, c := range correctionChanges() {
		t.Run(fmt.Sprintf("are found by %s of %s after %s", c.rule, c.table, c.change), func(t *testing.T) {
			s := shared.untilEnd(t, shared.home(), "stock", "stock_moves", "claims")
			s.exec(s.home(), s.named(c.change))
			s.findsRule(c.rule, c.table)
		})
	}

	t.Run("are found when someone lets a buyer try again", func(t *testing.T) {
		s := shared.untilEnd(t, shared.home(), "outbox")
		claim := s.claimOf("ada", seckill.ClaimReturned)
		s.exec(s.home(), "INSERT INTO outbox (id, kind, item, epoch, user_id, claim, quantity, key_hash, at) VALUES (?, ?, ?, 1, 'ada', ?, 0, ?, 1)",
			s.id(s.item.ID.Bucket()), seckill.OwedBuyer, s.item.ID, claim.ID, claim.KeyHash)
		s.findsRule("owed_claim", "outbox")
	})

	t.Run("are found when someone changes what an item began with", func(t *testing.T) {
		s := shared.untilEnd(t, 0, "items")
		s.exec(0, "UPDATE items SET allotment = allotment + 5")
		s.finds("allotment_catalog", "stock", s.item.ID.String())
	})
}

func TestReturnedWhileItMayBePaid(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.open()
	s.sell(s.reserved("ivy", 1, ""))
	s.begin("ivy")
	order, payment := s.orderOf("ivy"), s.paymentOf("ivy")
	must(t, s.payments().Closed(t.Context(), payment.ID))
	s.cancel("ivy")
	s.clean()
	s.exec(s.orderShard(order), "UPDATE payments SET state = 'open' WHERE id = ?", payment.ID)
	s.finds("payment_state", "payments", payment.ID.String())
}
