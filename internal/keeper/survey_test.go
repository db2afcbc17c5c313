package keeper

import (
	"errors"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// shardJobs are those of one shard, on an item that is as it should be.
func shardJobs(t *testing.T) (rig *judgeRig, run func(), looks *int) {
	t.Helper()
	rig, looks = newJudgeRig(), new(int)
	rig.lent.onRead = func() { *looks++ }
	ports := rig.recover.ports.On(0)
	ports.Catalog = &fakeCatalog{}
	jobs := []Job{NewRenew(ports), NewRecover(ports), NewIssue(ports), NewRelay(ports)}
	return rig, func() {
		for _, job := range jobs {
			_ = job.RunOnce(t.Context()) // what fails is looked for by its effects
		}
	}, looks
}

func TestSurvey(t *testing.T) {
	t.Parallel()
	t.Run("lets one look at redis serve all jobs of a shard", func(t *testing.T) {
		t.Parallel()
		_, run, looks := shardJobs(t)
		for range 3 {
			run()
		}
		if *looks != 3 {
			t.Errorf("%d looks for 3 renewals", *looks)
		}
	})
	t.Run("believes no look that has failed", func(t *testing.T) {
		t.Parallel()
		rig, run, looks := shardJobs(t)
		rig.lent.err = errors.New("away")
		run()
		if failed := *looks; failed < 4 {
			t.Errorf("%d looks, want each job's own", failed)
		}
	})
	t.Run("shows a loss to who judges although another has looked", func(t *testing.T) {
		t.Parallel()
		rig, run, _ := shardJobs(t)
		rig.lent.state.GateRunID = "before"
		run()
		if len(rig.stocks.sealed) != 1 {
			t.Errorf("%d seals", len(rig.stocks.sealed))
		}
	})
	t.Run("judges by no look that is too old", func(t *testing.T) {
		t.Parallel()
		rig := newJudgeRig()
		ports := rig.recover.ports.On(0)
		ports.Survey.keep(picture{begun: rig.clock.Now(), states: map[seckill.ID]seckill.LentState{7: {Item: 7}}})
		rig.clock.Advance(pictureWithin + time.Millisecond)
		rig.stocks.stock.ReadAt = rig.clock.Now()
		if err := NewRecover(ports).RunOnce(t.Context()); err != nil || len(rig.stocks.sealed) > 0 {
			t.Errorf("%d seals, %v: redis has the epoch by now", len(rig.stocks.sealed), err)
		}
	})
}
