package app_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/crowd"
)

// orders are files in the fleet's folder, each named after a point where the next process that comes by has to die.
type orders string

func ordersOf(configFile string) orders {
	return orders(filepath.Join(filepath.Dir(configFile), "deaths"))
}

// obey ends this process as kill -9 does, if there is an order for the point and nobody else took it.
func (o orders) obey(point string) {
	if os.Remove(filepath.Join(string(o), point)) == nil {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal is on its way; nothing more may happen here
	}
}

// give orders one death at each point.
func (o orders) give(points ...string) error {
	if err := os.MkdirAll(string(o), 0o700); err != nil {
		return err
	}
	for _, point := range points {
		if err := os.WriteFile(filepath.Join(string(o), point), nil, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// open are the points at which nobody has died yet.
func (o orders) open() []string {
	entries, _ := os.ReadDir(string(o)) // nothing to read is nothing open
	var points []string
	for _, entry := range entries {
		points = append(points, entry.Name())
	}
	return points
}

// die lets one process die at each point, whoever comes by, and waits until all have.
func (d *distributed) die(points ...string) {
	d.t.Helper()
	deaths := ordersOf(d.File())
	if err := deaths.give(points...); err != nil {
		d.t.Fatal(err)
	}
	deadline := time.After(2 * patience)
	for len(deaths.open()) > 0 {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-deadline:
			d.t.Fatalf("nobody died %v", deaths.open())
		}
	}
}

// TestFleetDeaths is the crash table of the design with real processes: in one sale, one of them dies right before or after
// each step of a purchase, of settling, and of seal and rebuild, for which Redis is emptied. Everybody who was told queued
// has an order, and everything adds up.
func TestFleetDeaths(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	const units = 3000
	f.create(units)
	if err := f.preload(); err != nil {
		t.Fatal(err)
	}
	done := f.crowd(units, func(c *crowd.Config) { c.Spread = 20 * time.Second })
	f.awaitSold(20)
	for _, point := range []string{beforeT1, afterT1, afterBoth, afterAck, beforeSettled, afterT2, afterMark} {
		f.die(point)
	}
	f.restart(f.Redis.RestartEmpty)
	f.die(afterSeal, afterRebuild, afterLoadBuyers, afterLoad, beforeOpen, afterOpen, afterGate)
	for _, point := range []string{afterReserve, beforePublish, afterPublish, afterSent} {
		f.die(point)
	}
	f.addsUp(<-done)
}
