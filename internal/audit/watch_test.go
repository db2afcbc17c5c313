package audit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// watchTurns is more than a small shop needs for a way through everything.
const watchTurns = 4

// watched is a watch with what it has told.
type watched struct {
	*audit.Watch
	t     *testing.T
	log   strings.Builder
	known map[string]int
}

// watch is that of the item's shard.
func (s *shop) watch(change ...func(*audit.WatchPorts)) *watched {
	s.t.Helper()
	w := &watched{t: s.t, known: make(map[string]int)}
	ports := audit.WatchPorts{
		Ports: audit.Ports{
			Catalog: sqlstore.Catalog{Store: s.store}, Books: sqlstore.Books{Store: s.store},
			Claims: sqlstore.Claims{Store: s.store}, Lent: s.lent, Shards: s.store.Shards(), Clock: atOnce{},
			Log: slog.New(slog.NewTextHandler(&w.log, nil)),
		},
		Stocks: s.stocks(),
		Violations: func(rule string, by int) {
			if w.known[rule] += by; w.known[rule] == 0 {
				delete(w.known, rule)
			}
		},
	}
	for _, do := range change {
		do(&ports)
	}
	w.Watch = audit.NewWatch(ports, s.home())
	return w
}

// goRound takes turns until everything was looked at.
func (w *watched) goRound() {
	w.t.Helper()
	for range watchTurns {
		must(w.t, w.RunOnce(w.t.Context()))
	}
}

// knows fails the test unless these are all the rules that something breaks.
func (w *watched) knows(rules ...string) {
	w.t.Helper()
	var known []string
	for rule := range w.known {
		known = append(known, rule)
		if !slices.Contains(audit.Rules(), rule) {
			w.t.Errorf("%s is not among the rules", rule)
		}
	}
	slices.Sort(known)
	slices.Sort(rules)
	if !slices.Equal(known, rules) {
		w.t.Errorf("knows of %v, want %v\n%s", known, rules, &w.log)
	}
}

func (w *watched) errors(about string) (lines int) {
	for line := range strings.Lines(w.log.String()) {
		if strings.Contains(line, "level=ERROR") && strings.Contains(line, about) {
			lines++
		}
	}
	return lines
}

func TestWatch(t *testing.T) {
	t.Parallel()
	t.Run("finds nothing in a sale that had one of everything, and keeps its gate", watchFindsNothing)
	t.Run("finds nothing at any step of an item's life", watchFindsNothingAtAnyStep)
	t.Run("says once what is wrong, closes the gate, and forgets it when it is right again", watchClosesAndForgets)
	t.Run("leaves a gate open that was opened again, and closes it for what is new", watchLeavesReopened)
	t.Run("only tells when it shall not close gates", watchOnlyTells)
	t.Run("closes the gate once its shard answers again", watchClosesLater)
}

func watchFindsNothing(t *testing.T) {
	t.Parallel()
	s := busyShop(t)
	s.redisIs(liveState(s, 2))
	w := s.watch()
	w.goRound()
	w.knows()
	if s.stock().Halted != "" || w.log.Len() > 0 {
		t.Errorf("%+v\n%s", s.stock(), &w.log)
	}
}

func watchFindsNothingAtAnyStep(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	w := s.watch()
	step := func() { t.Helper(); w.goRound(); w.knows() }
	step()
	s.open()
	step()
	held := s.claim(s.message(s.reserved("ada", 1, "")))
	step()
	s.order(held)
	step()
	s.seal(false)
	step()
	s.rebuild(1)
	step()
	s.rebuild(0)
	step()
	s.seal(true)
	step()
	s.rebuild(0)
	step()
}

func watchClosesAndForgets(t *testing.T) {
	t.Parallel()
	s := busyShop(t)
	w := s.watch()
	w.goRound()
	s.exec(s.home(), "UPDATE claims SET quantity = quantity + 1 WHERE item = ? AND user_id = 'dan'", s.item.ID)
	w.goRound()
	w.goRound()
	w.knows("claimed", "accounted", "order_quantity", "halted")
	if n := w.errors("rule=claimed"); n != 2 { // the finding, and the gate
		t.Errorf("%d lines\n%s", n, &w.log)
	}
	if reason := s.stock().Halted; !strings.HasPrefix(reason, "audit: claimed: claimed is 5, but the held claims add up to 6") {
		t.Errorf("halted: %q", reason)
	}
	s.exec(s.home(), "UPDATE claims SET quantity = quantity - 1 WHERE item = ? AND user_id = 'dan'", s.item.ID)
	w.goRound()
	w.knows("halted")
	s.exec(s.home(), "UPDATE stock SET halted = '' WHERE item = ?", s.item.ID)
	w.goRound()
	w.knows()
	if s.stock().Halted != "" {
		t.Error("the gate is closed again")
	}
}

func watchLeavesReopened(t *testing.T) {
	t.Parallel()
	s := busyShop(t)
	w := s.watch()
	s.exec(s.home(), "UPDATE stock SET allotted = allotted + 1, pool = pool + 1 WHERE item = ?", s.item.ID)
	w.goRound()
	w.knows("allotment", "halted")
	s.exec(s.home(), "UPDATE stock SET halted = '' WHERE item = ?", s.item.ID)
	w.goRound()
	w.knows("allotment")
	s.exec(s.home(), "UPDATE stock SET lent = lent - 1, pool = pool + 1 WHERE item = ?", s.item.ID)
	w.goRound()
	w.knows("allotment", "lent", "halted")
}

func watchOnlyTells(t *testing.T) {
	t.Parallel()
	s := busyShop(t)
	w := s.watch(func(p *audit.WatchPorts) { p.OnlyTells = true })
	s.exec(s.home(), "UPDATE stock SET lent = lent - 1, pool = pool + 1 WHERE item = ?", s.item.ID)
	w.goRound()
	w.knows("lent")
}

func watchClosesLater(t *testing.T) {
	t.Parallel()
	s := busyShop(t)
	broken := &brokenHalt{StockDesk: s.stocks()}
	w := s.watch(func(p *audit.WatchPorts) { p.Stocks = broken })
	s.exec(s.home(), "UPDATE stock SET lent = lent - 1, pool = pool + 1 WHERE item = ?", s.item.ID)
	if err := w.RunOnce(t.Context()); err == nil {
		t.Error("nothing is wrong with its shard")
	}
	broken.mended = true
	w.goRound()
	w.knows("lent", "halted")
}

// brokenHalt is a shard that takes no changes.
type brokenHalt struct {
	audit.StockDesk
	mended bool
}

func (b *brokenHalt) Halt(ctx context.Context, item seckill.ID, reason string) error {
	if !b.mended {
		return errors.New("read-only")
	}
	return b.StockDesk.Halt(ctx, item, reason)
}

// TestWatchFindsWhatAnAuditFinds changes every column of the stock row, and everything that a sale leaves behind.
func TestWatchFindsWhatAnAuditFinds(t *testing.T) {
	t.Parallel()
	changes := stockChanges()
	for set, rule := range changes {
		if rule == "stock_times" {
			delete(changes, set) // a clock that was set back looks the same
		}
	}
	shared := busyShop(t)
	for set, rule := range changes {
		t.Run("sees it when someone sets "+set, func(t *testing.T) {
			s := shared.untilEnd(t, shared.home(), "stock")
			w := s.watch()
			s.exec(s.home(), "UPDATE stock SET "+set+" WHERE item = ?", s.item.ID)
			w.goRound()
			if w.known[rule] != 1 {
				t.Errorf("knows of %v", w.known)
			}
		})
	}
	for change, rule := range map[string]string{
		"DELETE FROM claims WHERE user_id = 'ada' AND state = 'held'":                            "claimed",
		"UPDATE claims SET state = 'returned' WHERE user_id = 'ada' AND state = 'held'":          "returned_without_move",
		"UPDATE claims SET user_id = 'ada' WHERE user_id = 'bob' AND state = 'held'":             "over_limit",
		"UPDATE claims SET epoch = epoch + 1 WHERE user_id = 'dan'":                              "claim_epoch",
		"DELETE FROM stock_moves WHERE kind = 'doubt'":                                           "doubt",
		"UPDATE stock_moves SET units = units + 1 WHERE kind = 'adjust'":                         "allotment",
		"UPDATE stock_moves SET units = units - 1 WHERE kind = 'issue' AND epoch = 2":            "lent",
		"UPDATE stock_moves SET id = 'doubt:1:1' WHERE kind = 'doubt'":                           "move_id",
		"UPDATE stock_moves SET id = 'return:1', kind = 'return', issue = 0 WHERE kind = 'seal'": "return_claim",
	} {
		t.Run("sees it after "+change, func(t *testing.T) {
			s := shared.untilEnd(t, shared.home(), "stock", "claims", "stock_moves")
			w := s.watch()
			s.exec(s.home(), change)
			w.goRound()
			if w.known[rule] == 0 {
				t.Errorf("knows of %v", w.known)
			}
		})
	}
}

func TestWatchOrders(t *testing.T) {
	t.Parallel()
	s := busyShop(t)
	// A sale whose item and buyer are at home on one shard, because a watch goes through the orders of its own.
	claim := s.claimOf(s.userAtHome(), seckill.ClaimHeld)
	w := s.watch()
	s.exec(s.home(), "UPDATE "+orderTable(claim.ID)+" SET quantity = quantity + 1 WHERE id = ?", claim.ID)
	w.goRound()
	w.knows("order_quantity")
	if s.stock().Halted != "" {
		t.Error("the gate is closed for an order")
	}
}

// userAtHome has bought, and lives where the item does.
func (s *shop) userAtHome() seckill.UserID {
	s.t.Helper()
	for _, user := range []seckill.UserID{"ada", "bob", "eve", "dan"} {
		if seckill.UserShard(s.store.Shards(), user) == s.home() {
			return user
		}
	}
	s.t.Fatal("everybody lives on the other shard")
	return ""
}

func TestWatchRedis(t *testing.T) {
	t.Parallel()

	t.Run("closes the gate of an item of which Redis has more to sell than it was lent", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		state := liveState(s, 1)
		state.Available++
		s.redisIs(state)
		w := s.watch()
		w.goRound()
		w.knows("redis_units", "halted")
	})

	t.Run("compares nothing that may not be sold, or is not there", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		for _, spoil := range []func(*seckill.LentState){
			func(l *seckill.LentState) { l.Live = false }, func(l *seckill.LentState) { l.Known = false },
			func(l *seckill.LentState) { l.Epoch-- }, func(l *seckill.LentState) { l.Issue-- },
		} {
			state := liveState(s, 1)
			state.Available += 3
			spoil(&state)
			s.redisIs(state)
			w := s.watch()
			w.goRound()
			w.knows()
		}
		s.lent = redisSays{states: func() (seckill.LentState, error) { return seckill.LentState{}, errors.New("timeout") }}
		w := s.watch()
		w.goRound()
		w.knows()
	})
}

// TestWatchIsBounded counts what a turn reads of an item that many have bought.
func TestWatchIsBounded(t *testing.T) {
	t.Parallel()
	const claims = 1200
	s := newShop(t)
	s.open()
	s.manyClaims(claims)
	counted := &countedBooks{Books: sqlstore.Books{Store: s.store}}
	w := s.watch(func(p *audit.WatchPorts) { p.Books = counted })
	for range 3 {
		before := counted.rows
		must(t, w.RunOnce(t.Context()))
		if rows := counted.rows - before; rows > 1200 {
			t.Errorf("a turn reads %d rows", rows)
		}
	}
	w.knows()
	if counted.rows < claims {
		t.Errorf("%d claims were looked at", counted.rows)
	}
	s.exec(s.home(), "UPDATE claims SET quantity = 2 WHERE user_id = 'user-1199'")
	w.goRound()
	w.goRound()
	w.knows("claimed", "accounted", "halted")
}

type countedBooks struct {
	seckill.Books
	rows int
}

func (c *countedBooks) ClaimsOf(ctx context.Context, item seckill.ID, after seckill.ClaimPlace, limit int) ([]seckill.Claim, error) {
	page, err := c.Books.ClaimsOf(ctx, item, after, limit)
	c.rows += len(page)
	return page, err
}

// manyClaims gives the item units and claims past every port, as if so many had been sold.
func (s *shop) manyClaims(n int64) {
	s.t.Helper()
	now := time.Now().UnixMilli()
	for user := range n {
		name := seckill.UserID(fmt.Sprintf("user-%04d", user))
		id := s.id(name.Bucket())
		s.exec(s.home(), `INSERT INTO claims (id, item, user_id, quantity, key_hash, epoch, state, reason, first_id, ordered, created_at)
			VALUES (?, ?, ?, 1, ?, 1, 'held', '', 0, 0, ?)`, id, s.item.ID, name, id.String(), now)
	}
	s.exec(s.home(), `UPDATE stock SET allotted = allotted + ?, claimed = ?, accounted = ?, high = ?, claimed_at = since,
		version = version + 1 WHERE item = ?`, n, n, n, n, s.item.ID)
	s.exec(s.home(), "UPDATE stock_moves SET units = units + ? WHERE item = ?", n, s.item.ID)
	s.exec(0, "UPDATE items SET allotment = allotment + ? WHERE id = ?", n, s.item.ID)
}
