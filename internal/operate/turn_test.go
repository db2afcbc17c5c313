package operate_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

type act = func(ctx context.Context, actor string, id seckill.ID) (operate.SaleReport, error)

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	t.Run("reach Redis before they are answered", turnReachesRedis)
	t.Run("go back to scheduled while the start is ahead", resumeBeforeStart)
	t.Run("answer a repetition with the present state", turnTwice)
	t.Run("obey the clock that starts the sale at the same moment", pauseBehindClock)
}

func turnReachesRedis(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.live(t, items(3))
	report, err := w.Pause(t.Context(), ada, sale.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantOK(t, report, 3)
	for _, item := range sale.Items {
		if got := w.inRedis(t, item.ID); (got.Live && !got.Paused) || report.Sale.State != seckill.SalePaused {
			t.Errorf("%s, redis %+v", report.Sale.State, got)
		}
	}
	if report, err = w.Resume(t.Context(), ben, sale.ID); err != nil {
		t.Fatal(err)
	}
	wantOK(t, report, 3)
	if got := w.inRedis(t, sale.Items[0].ID); got.Paused || report.Sale.State != seckill.SaleLive {
		t.Errorf("%s, redis %+v", report.Sale.State, got)
	}
	if got := w.actions(t, sale.ID); !slices.Equal(got[len(got)-2:], []string{ada + " sale.pause", ben + " sale.resume"}) {
		t.Error(got)
	}
}

func resumeBeforeStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.scheduled(t, later)
	if _, err := w.Pause(t.Context(), ada, sale.ID); err != nil {
		t.Fatal(err)
	}
	report, err := w.Resume(t.Context(), ada, sale.ID)
	if err != nil || report.Sale.State != seckill.SaleScheduled {
		t.Errorf("the sale is %s, %v", report.Sale.State, err)
	}
}

func turnTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.live(t)
	for _, do := range []act{w.Resume, w.Pause, w.Pause, w.Resume, w.Resume} {
		if _, err := do(t.Context(), ada, sale.ID); err != nil {
			t.Error(err)
		}
	}
	if got := w.get(t, sale.ID).Sale; got.State != seckill.SaleLive || got.Version != sale.Version+2 {
		t.Errorf("%s, version %d after %d", got.State, got.Version, sale.Version)
	}
}

func pauseBehindClock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.scheduled(t) // its start has passed, no keeper has noticed yet
	w.catalog.meanwhile = func() {
		if _, err := w.catalog.Advance(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if _, err := w.Pause(t.Context(), ada, sale.ID); err != nil {
		t.Fatal(err)
	}
	acts, err := w.catalog.Acts(t.Context(), sale.ID, 1)
	if err != nil || acts[0].Before != `{"state":"live"}` || acts[0].After != `{"state":"paused"}` {
		t.Errorf("%+v, %v", acts, err)
	}
}

func TestCarry(t *testing.T) {
	t.Parallel()
	t.Run("is tried again until Redis has it", carryAgain)
	t.Run("is given up once the gate has lapsed by itself", carryLapsed)
	t.Run("waits for the longest gate while the row cannot be read", carryWithoutRow)
	t.Run("waits for no item that has not begun", carryUnbegun)
	t.Run("waits once for many items", carryMany)
}

func carryAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.live(t)
	w.settings.carry.fails(3)
	report, err := w.Pause(t.Context(), ada, sale.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantOK(t, report, 1)
	if !w.inRedis(t, sale.Items[0].ID).Paused {
		t.Error("redis goes on")
	}
}

func carryLapsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.live(t)
	w.settings.carry.fails(-1)
	before := w.clock.Now()
	report, err := w.Pause(t.Context(), ada, sale.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantOK(t, report, 1)
	if !strings.Contains(report.Checks[0].Detail, "its gate has lapsed") {
		t.Error(report.Checks[0].Detail)
	}
	if waited := w.clock.Now().Sub(before); waited < seckill.GateDefault+seckill.CloseMargin {
		t.Errorf("waited only %s", waited)
	}
}

func carryUnbegun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.create(t)
	w.stocks.create.fails(-1)
	if _, err := w.Preload(t.Context(), ada, sale.ID, false); err != nil {
		t.Fatal(err)
	}
	before := w.clock.Now()
	report, err := w.Pause(t.Context(), ada, sale.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantOK(t, report, 1)
	if waited := w.clock.Now().Sub(before); waited >= seckill.GateDefault {
		t.Errorf("waited %s", waited)
	}
}

func carryWithoutRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.live(t)
	w.settings.carry.fails(-1)
	w.stocks.get.fails(-1)
	before := w.clock.Now()
	report, err := w.Pause(t.Context(), ada, sale.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantOK(t, report, 1)
	if waited := w.clock.Now().Sub(before); waited < seckill.GateMax+seckill.CloseMargin {
		t.Errorf("waited only %s", waited)
	}
}

func carryMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.live(t, items(40))
	w.settings.carry.fails(-1)
	before := w.clock.Now()
	report, err := w.Pause(t.Context(), ada, sale.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantOK(t, report, 40)
	// The test's clock counts the steps of all items as one after another, of which eight run at once.
	if waited := w.clock.Now().Sub(before); waited > 4*seckill.GateMax {
		t.Errorf("waited %s", waited)
	}
}

func TestEnd(t *testing.T) {
	t.Parallel()
	t.Run("seals every item for good, at once", endSeals)
	t.Run("done twice is done once", endTwice)
	t.Run("leaves what cannot be reached to a keeper, and says so", endWithoutShard)
	t.Run("ends a paused sale, and one that has not begun", endEarly)
}

func endSeals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.live(t, items(3))
	report, err := w.End(t.Context(), ada, sale.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantOK(t, report, 3)
	for _, item := range sale.Items {
		if stock := report.Stocks[item.ID]; stock.State != seckill.StockSealing || !stock.Final {
			t.Errorf("%+v", stock)
		}
	}
	if report.Sale.State != seckill.SaleEnded {
		t.Errorf("the sale is %s", report.Sale.State)
	}
}

func endTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.live(t)
	before, err := w.End(t.Context(), ada, sale.ID)
	if err != nil {
		t.Fatal(err)
	}
	after, err := w.End(t.Context(), ada, sale.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantOK(t, after, 1)
	unchanged(t, before, after)
}

func endWithoutShard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.live(t)
	w.stocks.seal.fails(1)
	report, err := w.End(t.Context(), ada, sale.ID)
	if err != nil || report.Checks[0].OK || report.Sale.State != seckill.SaleEnded {
		t.Errorf("%+v, %v", report, err)
	}
	if report, err = w.End(t.Context(), ada, sale.ID); err != nil {
		t.Fatal(err)
	}
	wantOK(t, report, 1)
	if !report.Stocks[sale.Items[0].ID].Final {
		t.Error("the item is not sealed")
	}
}

func endEarly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	paused, ahead := w.live(t), w.scheduled(t, later)
	if _, err := w.Pause(t.Context(), ada, paused.ID); err != nil {
		t.Fatal(err)
	}
	for _, sale := range []seckill.Sale{paused, ahead} {
		if _, err := w.End(t.Context(), ada, sale.ID); err != nil {
			t.Error(err)
		}
	}
}

func TestImpossibleTurns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	untouched, ended := w.create(t), w.live(t)
	if _, err := w.End(t.Context(), ada, ended.ID); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		do    act
		sale  seckill.Sale
		state seckill.SaleState
	}{
		"pause a draft":         {w.Pause, untouched, seckill.SaleDraft},
		"resume a draft":        {w.Resume, untouched, seckill.SaleDraft},
		"end a draft":           {w.End, untouched, seckill.SaleDraft},
		"pause what has ended":  {w.Pause, ended, seckill.SaleEnded},
		"resume what has ended": {w.Resume, ended, seckill.SaleEnded},
	} {
		t.Run(name+" is a conflict that names the state", func(t *testing.T) {
			t.Parallel()
			_, err := c.do(t.Context(), ada, c.sale.ID)
			wantRefusal(t, err, seckill.Conflict, "")
			if !strings.Contains(err.Error(), string(c.state)) {
				t.Error(err)
			}
		})
	}
}

func TestTurnsOutOfBounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	t.Run("resume after the window is a conflict", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		sale := w.live(t)
		if _, err := w.Pause(t.Context(), ada, sale.ID); err != nil {
			t.Fatal(err)
		}
		sale = w.get(t, sale.ID).Sale
		sale.StartsAt, sale.EndsAt = sale.StartsAt.Add(-time.Hour), sale.StartsAt
		if changed, err := w.catalog.Update(t.Context(), sale, seckill.Act{Target: sale.ID}); err != nil || !changed {
			t.Fatal(changed, err)
		}
		_, err := w.Resume(t.Context(), ada, sale.ID)
		wantRefusal(t, err, seckill.Conflict, "")
	})
	t.Run("anything with a sale that is not there is not found", func(t *testing.T) {
		t.Parallel()
		for _, do := range []act{w.Pause, w.Resume, w.End} {
			_, err := do(t.Context(), ada, 1)
			wantRefusal(t, err, seckill.NotFound, "")
		}
		_, err := w.Stats(t.Context(), 1)
		wantRefusal(t, err, seckill.NotFound, "")
		_, err = w.Preload(t.Context(), ada, 1, false)
		wantRefusal(t, err, seckill.NotFound, "")
	})
}
