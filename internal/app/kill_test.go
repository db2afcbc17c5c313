package app_test

import (
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/crowd"
)

const (
	doomedUnits    = 150
	doomedShoppers = 300
	// killUnits and killSpread keep a sale going while it is killed, also on a busy machine: what is sold out passes no point.
	killUnits  = 300
	killSpread = 3 * time.Second
)

// TestKill kills the whole process in the middle of a sale, then at one named point of what follows, and lets it go on:
// whoever was told queued has an order, every unit is sold, the audit is clean.
func TestKill(t *testing.T) {
	t.Parallel()
	for _, point := range cutPoints() {
		t.Run("peers: loses no order and strands no unit when it dies "+point, func(t *testing.T) {
			t.Parallel()
			v := newVictim(t)
			v.start(never)
			watch(t, v.config)
			v.create(killUnits)
			if err := v.preload(); err != nil {
				t.Fatal(err)
			}
			done := v.crowd(doomedShoppers, func(c *crowd.Config) { c.Spread = killSpread })
			v.awaitSold(20)
			v.kill()
			v.start(point + "#1")
			v.awaitDeath()
			v.start(never)
			v.judge(<-done, killUnits)
		})
	}
}

// TestKillDuringPreload kills it half-way through a preload. Nobody repeats the call: the keepers finish it.
func TestKillDuringPreload(t *testing.T) {
	t.Parallel()
	for _, point := range []string{afterSchedule, afterStockCreate, afterRebuild, afterLoad, beforeOpen, afterOpen, afterGate} {
		t.Run("goes on after it died "+point, func(t *testing.T) {
			t.Parallel()
			v := newVictim(t)
			v.start(point + "#1")
			watch(t, v.config)
			v.create(doomedUnits)
			if err := v.preload(); err == nil {
				t.Fatal("it did not die")
			}
			v.awaitDeath()
			v.start(never)
			v.judge(<-v.crowd(doomedShoppers), doomedUnits)
		})
	}
}

func (v *victim) awaitDeath() {
	v.t.Helper()
	select {
	case <-v.exited:
	case <-time.After(patience):
		v.t.Fatal("it never passed the point")
	}
}

// awaitSold waits until some units are claimed.
func (v *victim) awaitSold(units int64) {
	v.t.Helper()
	deadline := time.After(patience)
	for v.sold() < units {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-deadline:
			v.t.Fatal("nothing is sold")
		}
	}
}

// judge holds what the crowd was told against the orders, and the sale against its allotment.
func (v *victim) judge(result crowdResult, units int64) {
	v.t.Helper()
	v.addsUp(result)
	if got := v.sold(); got != units {
		v.t.Errorf("%d of %d units are sold", got, units)
	}
}

// addsUp holds what the crowd was told against the books.
func (v *victim) addsUp(result crowdResult) {
	v.t.Helper()
	if result.err != nil {
		v.t.Fatal(result.err)
	}
	if err := result.report.Verdict(); err != nil {
		v.t.Errorf("%v\n%+v", err, result.report.Problems)
	}
	if result.report.Audit == nil {
		v.t.Error("nothing was audited")
	}
}
