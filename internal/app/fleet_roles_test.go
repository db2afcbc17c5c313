package app_test

import (
	"database/sql"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv/fleet"
)

// promises are how many units the probe buys while a role is away.
const promises = 10

// TestFleetRoles has all processes of a role away at once. Without keepers nobody can buy, without workers orders come later,
// without apis what they have promised is settled.
func TestFleetRoles(t *testing.T) {
	t.Parallel()
	f := startProbed(t)
	f.play(
		probing{"is busy without keepers, touches no stock, and sells when they are back", keepersAway},
		probing{"promises without workers, and keeps it when they are back", workersAway},
		probing{"settles without apis what they have promised", apisAway},
	)
}

func keepersAway(f *probedFleet) {
	available, promised := f.probe.available(), len(f.probe.promised)
	f.without(fleet.Keeper, func() {
		f.closes()
		f.hearsBusy()
	})
	f.sellsAgain()
	if bought := len(f.probe.promised) - promised; f.probe.available() != available-int64(bought) {
		f.t.Errorf("%d were available, %d are after %d were bought", available, f.probe.available(), bought)
	}
}

func workersAway(f *probedFleet) {
	f.awaitClaims()
	claimed := f.claimed()
	f.without(fleet.Worker, func() {
		f.promise()
		if now := f.claimed(); now != claimed {
			f.t.Errorf("%d are claimed without a worker, it were %d", now, claimed)
		}
	})
	f.awaitClaims()
}

func apisAway(f *probedFleet) {
	f.awaitClaims()
	f.withoutWorkers(func() {
		f.promise()
		for _, node := range f.Nodes[fleet.API] {
			f.must(node.Stop())
		}
	})
	defer func() {
		for _, node := range f.Nodes[fleet.API] {
			f.must(node.Continue())
		}
		f.sellsAgain()
	}()
	f.awaitClaims()
}

// awaitClaims waits until all that the probe was promised is claimed: nobody else buys.
func (f *probedFleet) awaitClaims() {
	f.t.Helper()
	promised := int64(len(f.probe.promised))
	f.await("the promises are claims", func() bool { return f.claimed() == promised })
}

func (f *probedFleet) promise() {
	f.t.Helper()
	for range promises {
		f.probe.mustBuy()
	}
}

// claimed is what SQL says: there may be no api to ask.
func (f *probedFleet) claimed() (units int64) {
	f.t.Helper()
	item, err := seckill.ParseID(f.probe.item)
	f.must(err)
	shard := shardOf(item.Bucket())
	db, err := sql.Open("mysql", f.Shards[shard].DSN())
	f.must(err)
	defer func() { _ = db.Close() }()
	statement := "SELECT claimed FROM " + f.config.Shards[shard].Database + ".stock WHERE item = ?"
	f.must(db.QueryRowContext(f.t.Context(), statement, item).Scan(&units))
	return units
}
