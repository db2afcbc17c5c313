package app_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv/server"
)

const (
	// auditEvery is how often the systems of these tests audit themselves, auditOften how often they may.
	auditEvery = 500 * time.Millisecond
	auditOften = 100 * time.Millisecond
	// doNotAddUp is what the audit says of a violation.
	doNotAddUp = "the books do not add up"
)

// alarm is the output of a process whose books must add up at every moment, whatever a test does to it.
type alarm struct {
	t  *testing.T
	to io.Writer
}

func (a alarm) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(doNotAddUp)) {
		a.t.Errorf("a false alarm: %s", line)
	}
	return a.to.Write(line)
}

// neverAlarmed fails the test if the shop's audit has found something, unless the test wanted it to.
func (s *shop) neverAlarmed() {
	s.t.Helper()
	found := s.logs.lines(func(line string) bool { return strings.Contains(line, doNotAddUp) })
	if len(found) > 0 && !s.tampers {
		s.t.Errorf("a false alarm: %s", strings.Join(found, ""))
	}
}

// violations reads the gauge of a rule.
func (s *shop) violations(rule string) string {
	s.t.Helper()
	_, value, _ := strings.Cut(s.metrics(), fmt.Sprintf("seckill_invariant_violations{id=%q} ", rule))
	value, _, _ = strings.Cut(value, "\n")
	return value
}

// closedFor waits until nobody can buy because of a rule.
func (s *shop) closedFor(rule string) {
	s.t.Helper()
	s.await("the audit says "+rule, func() bool { return s.violations(rule) == "1" })
	s.await("the item is halted", func() bool { return strings.HasPrefix(s.stock().Halted, "audit: ") })
	s.await("shoppers hear busy", func() bool {
		_, err := s.buy("bob", 1, "bob-in-vain")
		return seckill.ReasonOf(err) == seckill.Busy
	})
	stats, err := s.system.Operate.Stats(s.t.Context(), s.item.Sale)
	if err != nil || !strings.HasPrefix(stats.Items[0].Stock.Halted, "audit: ") {
		s.t.Errorf("operators see %+v, %v", stats, err)
	}
}

// reopened lets an operator have looked, and expects the item to sell.
func (s *shop) reopened(rule string) {
	s.t.Helper()
	s.await("the audit says nothing of "+rule, func() bool { return s.violations(rule) == "0" })
	if _, err := s.system.Operate.ReopenStock(s.t.Context(), "test", s.item.ID, "looked"); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.insist("bob", 1, "bob-after-"+rule); err != nil {
		s.t.Error(err)
	}
	s.await("nothing is wrong any more", func() bool { return s.violations("halted") == "0" })
	s.addsUp()
}

// openTampered is a sale of which Ann has bought two units. Nobody else watches what its test does to it.
func openTampered(t *testing.T) *shop {
	t.Helper()
	s := newShop(t)
	s.tampers, s.config.Audit.Every = true, auditOften
	s.watching.Do(func() {})
	s.start()
	s.preload(20, 3, -time.Second, time.Hour)
	s.awaitLive()
	s.mustInsist(2, "ann-buys-two")
	s.settled()
	return s
}

func TestLiveAudit(t *testing.T) {
	t.Parallel()

	t.Run("closes the gate of an item with a unit too many in SQL, until an operator has looked", func(t *testing.T) {
		t.Parallel()
		s := openTampered(t)
		s.exec("UPDATE claims SET quantity = quantity + 1 WHERE item = ? AND user_id = 'ann'", s.item.ID)
		s.closedFor("claimed")
		_, err := s.system.Operate.ReopenStock(t.Context(), "test", s.item.ID, "in a hurry")
		wantReason(t, err, seckill.Conflict)
		s.exec("UPDATE claims SET quantity = quantity - 1 WHERE item = ? AND user_id = 'ann'", s.item.ID)
		s.reopened("claimed")
	})

	t.Run("closes the gate of an item with a unit too many in Redis, which the next epoch has not", func(t *testing.T) {
		t.Parallel()
		if !strings.HasPrefix(t.Name(), onServers+"/") {
			return // a Redis inside the process is nobody else's to change
		}
		s := openTampered(t)
		s.tamperRedis("avail", 1)
		s.closedFor("redis_units")
		epoch := s.stock().Epoch
		if _, err := s.system.Operate.ReopenStock(t.Context(), "test", s.item.ID, "looked"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.insist("bob", 1, "bob-buys"); err != nil {
			t.Error(err)
		}
		s.await("nothing is wrong any more", func() bool { return s.violations("redis_units") == "0" && s.violations("halted") == "0" })
		if stock := s.stock(); stock.Epoch != epoch+1 {
			t.Errorf("%+v", stock)
		}
		s.addsUp()
	})

	t.Run("says nothing while a crowd buys and Redis is lost", func(t *testing.T) {
		t.Parallel()
		s := openSale(t, 200, 1)
		s.crowd(100, func(n int) { _, _ = s.insist(user(n), 1, key(n)) })
		s.emptyRedis()
		s.crowd(150, func(n int) { _, _ = s.insist(user(100+n), 1, key(100+n)) })
		s.soldOut()
		s.addsUp()
	})
}

// tamperRedis changes the item's meta behind the system's back.
func (s *shop) tamperRedis(field string, by int64) {
	s.t.Helper()
	meta := fmt.Sprintf("seckill:{%s}:meta", s.item.ID)
	if _, err := server.Ask(s.t.Context(), s.redis.Addr(), "HINCRBY", meta, field, fmt.Sprint(by)); err != nil {
		s.t.Fatal(err)
	}
}
