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
	available, promised, unsure := f.probe.available(), len(f.probe.promised), f.probe.unsure
	f.without(fleet.Keeper, func() {
		f.closes()
		f.hearsBusy()
	})
	f.sellsAgain()
	bought, perhaps := int64(len(f.probe.promised)-promised), f.probe.unsure-unsure
	if taken := available - f.probe.available(); taken < bought || taken > bought+perhaps {
		f.t.Errorf("%d were taken when %d were bought, and perhaps %d more", taken, bought, perhaps)
	}
}

func workersAway(f *probedFleet) {
	f.awaitClaims()
	f.without(fleet.Worker, func() {
		claimed := f.claimed()
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
	least := int64(len(f.probe.promised))
	most := least + f.probe.unsure
	f.await("the promises are claims", func() bool {
		claimed := f.claimed()
		return claimed >= least && claimed <= most
	})
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
