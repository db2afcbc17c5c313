package operate_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestLog(t *testing.T) {
	t.Parallel()
	t.Run("shows of a sale what was done to its items, too", logOfSale)
	t.Run("shows who did what, in pages", logPaged)
}

func actionsOf(journal operate.Journal) []string {
	var actions []string
	for _, act := range journal.Acts {
		actions = append(actions, act.Actor+" "+act.Action)
	}
	return actions
}

func logOfSale(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.live(t)
	w.live(t)
	w.mustAdjust(t, sale.Items[0].ID, "more", 1)
	journal, err := w.Log(t.Context(), seckill.ActQuery{Targets: []seckill.ID{sale.ID}, Limit: 10})
	want := []string{ada + " stock.adjusted", ada + " stock.adjust", "clock sale.open", ada + " sale.preload", ada + " sale.create"}
	if err != nil || !slices.Equal(actionsOf(journal), want) || journal.Next != 0 {
		t.Errorf("%v, %v", actionsOf(journal), err)
	}
}

func logPaged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.live(t)
	if _, err := w.Pause(t.Context(), ben, sale.ID); err != nil {
		t.Fatal(err)
	}
	first, err := w.Log(t.Context(), seckill.ActQuery{Limit: 3})
	if err != nil || len(first.Acts) != 3 || first.Next != first.Acts[2].ID {
		t.Fatalf("%+v, %v", first, err)
	}
	rest, err := w.Log(t.Context(), seckill.ActQuery{Limit: 3, After: first.Next})
	if err != nil || rest.Next != 0 || !slices.Equal(actionsOf(rest), []string{ada + " sale.create"}) {
		t.Errorf("%v, %v", actionsOf(rest), err)
	}
	bens, err := w.Log(t.Context(), seckill.ActQuery{Limit: 3, Actor: ben})
	if err != nil || !slices.Equal(actionsOf(bens), []string{ben + " sale.pause"}) {
		t.Errorf("%v, %v", actionsOf(bens), err)
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	t.Run("are asked for by every act on a sale; a conflict shows the sale as it is", actsAtVersion)
	t.Run("let one of two operators win who saw the same sale", actsContested)
}

// wantSaleConflict wants a refusal that shows the sale at that version.
func wantSaleConflict(t *testing.T, err error, version int64) {
	t.Helper()
	wantRefusal(t, err, seckill.Conflict, "")
	var refusal *seckill.Refusal
	if errors.As(err, &refusal) && (refusal.Sale == nil || refusal.Sale.Version != version) {
		t.Errorf("the conflict shows %+v, want version %d", refusal.Sale, version)
	}
}

func actsAtVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	name, sale := "Late drop", w.create(t)
	_, err := w.Update(t.Context(), ben, sale.ID, operate.Patch{Version: sale.Version + 1, Name: &name})
	wantSaleConflict(t, err, sale.Version)
	wantSaleConflict(t, w.Delete(t.Context(), ben, sale.ID, sale.Version+1), sale.Version)
	for _, act := range []operate.SaleAct{operate.ActPreload, operate.ActPause, operate.ActResume, operate.ActEnd} {
		_, err := w.Turn(t.Context(), operate.Turn{Actor: ben, Sale: sale.ID, Act: act, Version: sale.Version + 1})
		wantSaleConflict(t, err, sale.Version)
	}
	_, err = w.Update(t.Context(), ben, sale.ID, operate.Patch{Version: sale.Version})
	wantRefusal(t, err, seckill.Invalid, "body")
	report, err := w.Update(t.Context(), ada, sale.ID, operate.Patch{Version: sale.Version, Name: &name})
	if err != nil || report.Sale.Version != sale.Version+1 {
		t.Fatalf("%+v, %v", report, err)
	}
	report, err = w.Turn(t.Context(), operate.Turn{Actor: ada, Sale: sale.ID, Act: operate.ActPreload, Version: sale.Version + 1})
	if err != nil || report.Sale.State != seckill.SaleScheduled {
		t.Fatalf("%+v, %v", report, err)
	}
	if _, err := w.Turn(t.Context(), operate.Turn{Actor: ada, Sale: sale.ID, Act: "sale.sell"}); err == nil || seckill.ReasonOf(err) != "" {
		t.Errorf("an act that does not exist: %v", err)
	}
}

func actsContested(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.live(t)
	answers := make([]error, 6)
	var acting sync.WaitGroup
	for i := range answers {
		act := []operate.SaleAct{operate.ActPause, operate.ActEnd}[i%2]
		acting.Go(func() {
			_, answers[i] = w.Turn(t.Context(), operate.Turn{Actor: ada, Sale: sale.ID, Act: act, Version: sale.Version})
		})
	}
	acting.Wait()
	won := 0
	for _, err := range answers {
		if err == nil {
			won++
			continue
		}
		wantSaleConflict(t, err, sale.Version+1)
	}
	if now := w.get(t, sale.ID).Sale; won != 1 || now.Version != sale.Version+1 {
		t.Errorf("%d operators won, the sale is %s at version %d after %d", won, now.State, now.Version, sale.Version)
	}
}
