package audit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// moveChanges says which rule of the stock row tells of which change of the moves.
func moveChanges() map[string]string {
	return map[string]string{
		"units = units + 1 WHERE kind = 'adjust'":              "allotment",
		"units = units + 1 WHERE kind = 'issue' AND epoch = 2": "lent",
		"kind = 'return' WHERE kind = 'seal'":                  "returned",
		"issue = issue + 5 WHERE kind = 'issue' AND epoch = 2": "issue",
		"item = 7 WHERE kind = 'adjust'":                       "allotment",
		"epoch = epoch + 1 WHERE kind = 'issue' AND epoch = 2": "issue_epoch",
		"item = 7 WHERE kind = 'issue' AND epoch = 1":          "issue_missing",
	}
}

func TestChangedMove(t *testing.T) {
	t.Parallel()
	shared := busyShop(t)
	for set, rule := range moveChanges() {
		t.Run("is found from the moves when someone sets "+set, func(t *testing.T) {
			s := shared.untilEnd(t, shared.home(), "stock_moves")
			s.exec(s.home(), "UPDATE stock_moves SET "+set)
			s.finds(rule, "stock", s.item.ID.String())
		})
	}
}

// moveRowChanges say which rule of the moves themselves tells; %d stands for the item. Each changes one row.
func moveRowChanges() map[string]string {
	return map[string]string{
		"id = 'issue:7:1' WHERE id = 'issue:%d:1'":               "move_id",
		"id = 'adjust:%d:gift' WHERE id = 'adjust:%d:allotment'": "move_missing",
		"id = 'adjust:%d:a b' WHERE id = 'adjust:%d:allotment'":  "move_id",
		"kind = 'gift' WHERE id = 'doubt:%d:1'":                  "move_kind",
		"kind = 'settle' WHERE id = 'doubt:%d:1'":                "move_id",
		"units = 0 WHERE id = 'doubt:%d:1'":                      "move_units",
		"units = -units WHERE id = 'seal:%d:1'":                  "move_units",
		"units = units + 9 WHERE id = 'seal:%d:1'":               "move_units",
		"units = -1 WHERE id = 'issue:%d:2'":                     "move_units",
		"units = -20 WHERE kind = 'adjust' AND item = %d":        "move_units",
		"epoch = 0 WHERE id = 'issue:%d:1'":                      "move_epoch",
		"epoch = 9 WHERE id = 'issue:%d:2'":                      "move_epoch",
		"epoch = 2 WHERE id = 'seal:%d:1'":                       "move_epoch",
		"issue = 1 WHERE id = 'seal:%d:1'":                       "move_epoch",
		"issue = 0 WHERE id = 'issue:%d:2'":                      "move_epoch",
		"at = 0 WHERE id = 'issue:%d:1'":                         "move_at",
		"at = at + 3600000 WHERE id = 'issue:%d:1'":              "move_at",
		"at = at + 1 WHERE id = 'seal:%d:1'":                     "move_at",
		"at = at - 1 WHERE id = 'doubt:%d:1'":                    "move_at",
	}
}

func TestChangedMoveRow(t *testing.T) {
	t.Parallel()
	shared := busyShop(t)
	for set, rule := range moveRowChanges() {
		t.Run("is found by "+rule+" when someone sets "+set, func(t *testing.T) {
			s := shared.untilEnd(t, shared.home(), "stock_moves")
			s.exec(s.home(), "UPDATE stock_moves SET "+s.named(set))
			s.findsRule(rule, "stock_moves")
		})
	}
}

// named puts the item in for every %d.
func (s *shop) named(text string) string {
	return strings.ReplaceAll(text, "%d", s.item.ID.String())
}

// extraMoves are rows that someone adds, and the rule that tells of each. The values are id, kind, epoch, issue, units; at is that
// of the item's last move.
func extraMoves() map[string]string {
	return map[string]string{
		"'adjust:%d:owed:2', 'adjust', 2, 0, -1": "allotment",
		"'adjust:%d:owed:2', 'adjust', 2, 0, 0":  "move_units",
		"'issue:%d:3', 'issue', 2, 3, 1":         "issue",
		"'issue:%d:9', 'issue', 2, 9, 0":         "issue",
		"'issue:%d:0', 'issue', 2, 0, 1":         "move_epoch",
		"'issue:%d:-1', 'issue', 1, -1, 1":       "move_epoch",
		"'seal:%d:2', 'seal', 2, 0, 1":           "move_epoch",
		"'doubt:%d:2', 'doubt', 2, 0, 1":         "move_epoch",
		"'doubt:%d:0', 'doubt', 0, 0, 1":         "move_epoch",
		"'settle:%d:1', 'settle', 1, 0, 1":       "move_epoch",
		"'settle:%d:2', 'settle', 2, 0, 2":       "doubt",
		"'settle:%d:2', 'settle', 2, 0, 0":       "move_units",
		"'return:12345', 'return', 2, 0, 1":      "returned",
		"'return:x', 'return', 2, 0, 1":          "move_id",
		"'gift:%d:2', 'gift', 2, 0, 1":           "move_kind",
	}
}

func TestExtraMove(t *testing.T) {
	t.Parallel()
	shared := busyShop(t)
	for row, rule := range extraMoves() {
		t.Run("is found when someone adds "+row, func(t *testing.T) {
			s := shared.untilEnd(t, shared.home(), "stock_moves")
			s.exec(s.home(), s.named("INSERT INTO stock_moves (id, kind, epoch, issue, units, item, at) SELECT "+row+
				", item, MAX(at) FROM stock_moves WHERE item = %d"))
			s.findsRule(rule, "")
		})
	}

	t.Run("is found when it would seal what a straggler could have taken", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.open()
		for n := range allotment {
			s.sell(s.reserved(fmt.Sprintf("user-%d", n), 1, ""))
		}
		s.seal(true)
		s.rebuild(s.sold)
		s.clean()
		s.exec(s.home(), s.named("INSERT INTO stock_moves (id, kind, epoch, issue, units, item, at) "+
			"SELECT 'seal:%d:1', 'seal', 1, 0, 1, item, MAX(at) FROM stock_moves"))
		s.finds("move_at", "stock_moves", s.named("seal:%d:1"))
	})
}

func TestOrphans(t *testing.T) {
	t.Parallel()
	shared := busyShop(t)
	for table, rule := range map[string]string{
		"claims": "claim_without_stock", "stock_moves": "move_without_stock", "outbox": "owed_without_stock",
	} {
		t.Run("are found when someone gives "+table+" another item", func(t *testing.T) {
			s := shared.untilEnd(t, shared.home(), table)
			stray := s.id(s.item.ID.Bucket())
			s.exec(s.home(), "UPDATE "+table+" SET item = ? WHERE id = (SELECT MIN(id) FROM "+table+")", stray)
			s.finds(rule, table, stray.String())
		})
	}

	t.Run("are found when someone deletes the stock row", func(t *testing.T) {
		s := shared.untilEnd(t, shared.home(), "stock")
		s.exec(s.home(), "DELETE FROM stock")
		for table, rule := range map[string]string{
			"claims": "claim_without_stock", "stock_moves": "move_without_stock", "outbox": "owed_without_stock",
		} {
			s.finds(rule, table, s.item.ID.String())
		}
	})
}

func owedChanges() map[string]string {
	return map[string]string{
		"kind = 'gift'":             "owed_kind",
		"claim = 5":                 "owed_claim",
		"user_id = 'zoe'":           "owed_claim",
		"epoch = 0":                 "owed_claim",
		"quantity = 7":              "owed_claim",
		"key_hash = 'another-hash'": "owed_claim",
	}
}

func TestChangedOwed(t *testing.T) {
	t.Parallel()
	shared := busyShop(t)
	// The one that eve, who came late, is owed.
	const row = " WHERE user_id = 'eve'"
	for set, rule := range owedChanges() {
		t.Run("is found when someone sets "+set, func(t *testing.T) {
			s := shared.untilEnd(t, shared.home(), "outbox")
			s.exec(s.home(), "UPDATE outbox SET "+set+row)
			s.findsRule(rule, "outbox")
		})
	}

	t.Run("is found when someone gives a held unit back", func(t *testing.T) {
		s := shared.untilEnd(t, shared.home(), "outbox")
		s.exec(s.home(), "UPDATE outbox SET quantity = 0"+row)
		s.findsRule("owed_claim", "outbox")
	})

	t.Run("is found when someone holds what was rejected", func(t *testing.T) {
		s := shared.untilEnd(t, shared.home(), "outbox")
		s.exec(s.home(), "UPDATE outbox SET quantity = 2 WHERE claim IN (SELECT id FROM claims WHERE state = ?)", seckill.ClaimRejected)
		s.findsRule("owed_claim", "outbox")
	})
}

// findsRule is finds for whichever row; table "" means any.
func (s *shop) findsRule(id, table string) {
	s.t.Helper()
	var all []string
	for _, f := range s.audit().Findings {
		if f.ID == id && (table == "" || f.Table == table) && f.Key != "" && f.Detail != "" {
			return
		}
		all = append(all, fmt.Sprintf("%s %s %s: %s", f.ID, f.Table, f.Key, f.Detail))
	}
	s.t.Errorf("nothing says %s of %s, but\n%s", id, table, strings.Join(all, "\n"))
}
