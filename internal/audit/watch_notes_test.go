package audit_test

import "testing"

// notesPerRule is how many violations of one rule are remembered.
const notesPerRule = 1000

func TestWatchFlood(t *testing.T) {
	t.Parallel()
	t.Run("closes a gate, and hears of other rules, when it knows as much of one as it can hold", watchSeesThroughFlood)
	t.Run("judges the sums of an item whose last page of claims is all wrong", watchJudgesAfterWrongPage)
}

func watchSeesThroughFlood(t *testing.T) {
	t.Parallel()
	const claims = notesPerRule + 200
	s := newShop(t)
	s.open()
	s.manyClaims(claims)
	s.exec(s.home(), "UPDATE claims SET key_hash = user_id")
	w := s.watch()
	w.goRound()
	w.knows("claim_key_hash", "and_more")
	if w.known["claim_key_hash"] != notesPerRule || w.known["and_more"] != 1 {
		t.Errorf("knows of %v", w.known)
	}
	w.goRound()
	if n := w.errors("rule=and_more"); n != 1 {
		t.Errorf("%d lines", n)
	}
	s.exec(s.home(), "UPDATE claims SET reason = 'sold_out' WHERE user_id = 'user-1199'")
	s.exec(s.home(), "UPDATE stock SET lent = lent - 1 WHERE item = ?", s.item.ID)
	w.goRound()
	w.knows("claim_key_hash", "and_more", "claim_reason", "conservation", "lent", "halted")
	if s.stock().Halted == "" {
		t.Error("the gate is open")
	}
	s.exec(s.home(), "UPDATE claims SET key_hash = id")
	s.exec(s.home(), "UPDATE claims SET reason = ''")
	w.goRound()
	w.knows("conservation", "lent", "halted")
}

func watchJudgesAfterWrongPage(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.open()
	s.manyClaims(499)
	s.exec(s.home(), "UPDATE claims SET key_hash = user_id, reason = 'sold_out', first_id = id")
	s.exec(s.home(), "UPDATE stock SET claimed = claimed + 1, pool = pool - 1 WHERE item = ?", s.item.ID)
	w := s.watch()
	w.goRound()
	w.knows("claim_key_hash", "claim_reason", "claim_first", "claimed", "negative_units", "halted")
}
