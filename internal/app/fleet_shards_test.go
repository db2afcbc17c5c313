package app_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv/fleet"
)

// freeze stops a shard for a while and holds everything that must be true meanwhile and afterwards.
func (d *distributed) freeze(t *testing.T, shard int, stalls [2]*stall, lasts time.Duration) {
	t.Helper()
	for _, s := range stalls {
		s.t = t
		s.awaitSales(time.Now(), manySales)
	}
	gone := time.Now()
	if err := d.Shards[shard].Stop(); err != nil {
		t.Fatal(err)
	}
	over := time.After(lasts)
	stalls[1-shard].awaitSales(gone.Add(gateWithin), manySales)
	stalls[1-shard].wantOrders(gone.Add(gateWithin), shard)
	<-over
	back := time.Now()
	if err := d.Shards[shard].Continue(); err != nil {
		t.Fatal(err)
	}
	stalls[shard].wantBusy(gone, back)
	stalls[1-shard].wantSold(gone, back)
	stalls[shard].wantSelling(back)
}

// killShard kills a shard, starts processes of each role anew while it is away, and brings it back.
func (d *distributed) killShard(t *testing.T, shard int, stalls [2]*stall) {
	t.Helper()
	for _, s := range stalls {
		s.t = t
		s.awaitSales(time.Now(), manySales)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	d.Shards[shard].Kill()
	began := time.Now()
	for _, role := range []string{fleet.Keeper, fleet.Worker} {
		if err := d.Nodes[role][1].Restart(ctx); err != nil {
			t.Fatalf("without shard %d no process starts: %v", shard, err)
		}
	}
	second := stalls[1-shard].through(d.Nodes[fleet.API][1])
	d.Nodes[fleet.API][1].Kill()
	if shard != 0 { // without the catalog an api knows of no sale
		second.awaitPurchase("second")
	}
	t.Logf("shard %d away: all roles were started in %v", shard, time.Since(began))
	stalls[1-shard].wantSold(began, time.Now())
	if err := d.Shards[shard].Restart(ctx); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	stalls[shard].wantSelling(back)
	stalls[shard].through(d.Nodes[fleet.API][1]).awaitPurchase(seckill.UserID(fmt.Sprintf("third-%d", shard)))
	t.Logf("shard %d: sold by an api that started without it %v after it answered", shard, time.Since(back))
}

// TestFleetShards takes each shard away in turn, and both play both parts: home of an item, and of users' orders.
func TestFleetShards(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	stalls := [2]*stall{f.openStall(0), f.openStall(1)}
	for shard, lasts := range []time.Duration{20 * time.Second, 8 * time.Second} {
		t.Run(fmt.Sprintf("is busy for the items of shard %d while it hangs, and for nobody else", shard), func(t *testing.T) {
			f.freeze(t, shard, stalls, lasts)
		})
		t.Run(fmt.Sprintf("sells again when shard %d was killed and is back, also who started without it", shard), func(t *testing.T) {
			f.killShard(t, shard, stalls)
		})
	}
	t.Run("trap 19: goes on when a worker is stopped while it holds the row of an item", func(t *testing.T) {
		f.stopWorker(t, stalls[0])
	})
	for _, s := range stalls {
		s.t = t
		s.addsUp()
	}
}

// stopWorker stops a worker again and again until it is caught in the middle of T1.
func (d *distributed) stopWorker(t *testing.T, s *stall) {
	t.Helper()
	s.t = t
	worker := d.Nodes[fleet.Worker][0]
	caught := false
	for tries := 0; !caught; tries++ {
		if tries == stopTriesMax {
			t.Fatalf("never caught in the middle of T1 in %d tries", tries)
		}
		s.awaitSales(time.Now(), 3)
		if err := worker.Stop(); err != nil {
			t.Fatal(err)
		}
		if caught = d.rowIsHeld(t, s.home); !caught {
			if err := worker.Continue(); err != nil {
				t.Fatal(err)
			}
		}
	}
	stopped, sold := time.Now(), s.sold()
	s.await("the others claim again", func() bool { return s.sold() > sold })
	took := time.Since(stopped)
	t.Logf("the item was free again after %v", took)
	if took > lockedMax {
		t.Errorf("the bar is %v", lockedMax)
	}
	if err := worker.Continue(); err != nil {
		t.Fatal(err)
	}
}

const (
	stopTriesMax = 200
	// lockedMax is the server's patience with a silent writer, ten seconds, and what others need to notice.
	lockedMax = 16 * time.Second
)

// rowIsHeld looks whether somebody waits for a row, and still does a while later.
func (d *distributed) rowIsHeld(t *testing.T, shard int) bool {
	t.Helper()
	db, err := sql.Open("mysql", d.Shards[shard].DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for range 2 {
		<-time.After(lookPause)
		var waiting int
		err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'").Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
		if waiting == 0 {
			return false
		}
	}
	return true
}

// lookPause is longer than the tenth of a second for which the server shows everybody the same picture.
const lookPause = 150 * time.Millisecond
