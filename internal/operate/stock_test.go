package operate_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestAdjustStock(t *testing.T) {
	t.Parallel()
	t.Run("adds units at once, and logs what was before and after", adjustAdds)
	t.Run("owes what is lent, and answers a repetition as the first time", adjustOwes)
	t.Run("refuses more than there is and names what there is, which then can be taken", adjustLargest)
	t.Run("changes the stock once however often and by whomever an op is sent", adjustCrowd)
	t.Run("refuses what cannot be an adjustment, before it is logged", adjustInvalid)
	t.Run("says what is missing when there is no stock", adjustMissing)
	t.Run("does nothing that could not be written down before", adjustUnlogged)
	t.Run("leaves the intention alone when nobody knows what came of it", adjustUnknown)
	t.Run("is done although the second line could not be written, or the operator has left", adjustHalfLogged)
}

func TestReopenStock(t *testing.T) {
	t.Parallel()
	t.Run("reopens a halted item with the next epoch, and logs why it was halted and what the operator says", reopens)
	t.Run("leaves an item alone that is not halted", reopensNothing)
	t.Run("wants a reason", reopensForAReason)
	t.Run("refuses while the database contradicts itself, and says how", reopensNoContradiction)
}

func reopens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	item := w.live(t).Items[0].ID
	if err := w.stocks.Halt(t.Context(), item, "audit: claimed: 1 is 2"); err != nil {
		t.Fatal(err)
	}
	reopened, err := w.ReopenStock(t.Context(), ada, item, "counted by hand")
	if err != nil || reopened.Halted != "audit: claimed: 1 is 2" || reopened.Stock.State != seckill.StockSealing || reopened.Stock.Halted != "" {
		t.Errorf("%+v, %v", reopened, err)
	}
	w.wantTwoLines(t, item, line{"stock.reopen", `"halted":"audit: claimed: 1 is 2"`, `{"reason":"counted by hand"}`},
		line{"stock.reopened", `"halted"`, `"state":"sealing"`})
}

func reopensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	item := w.live(t).Items[0].ID
	reopened, err := w.ReopenStock(t.Context(), ada, item, "to be sure")
	if err != nil || reopened.Halted != "" || reopened.Stock.State != seckill.StockOpen {
		t.Errorf("%+v, %v", reopened, err)
	}
	if _, err := w.ReopenStock(t.Context(), ada, 7, "to be sure"); seckill.ReasonOf(err) != seckill.NotFound {
		t.Errorf("of an item that does not exist: %v", err)
	}
}

func reopensForAReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.ReopenStock(t.Context(), ada, w.live(t).Items[0].ID, ""); seckill.ReasonOf(err) != seckill.Invalid {
		t.Error(err)
	}
}

func reopensNoContradiction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	item := w.live(t).Items[0].ID
	tamper := func(by int) {
		t.Helper()
		write, _, err := w.store.SQL(seckill.HomeShard(w.ports.Shards, item))
		if err == nil {
			_, err = write.ExecContext(t.Context(), "UPDATE stock SET claimed = claimed + ?, lent = lent - ? WHERE item = ?", by, by, item)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	tamper(1)
	if err := w.stocks.Halt(t.Context(), item, "audit: claimed: 1 is 0"); err != nil {
		t.Fatal(err)
	}
	_, err := w.ReopenStock(t.Context(), ada, item, "looked")
	if seckill.ReasonOf(err) != seckill.Conflict || !strings.Contains(err.Error(), "claimed is 1, but the held claims add up to 0") {
		t.Error(err)
	}
	if stock, err := w.stocks.Get(t.Context(), item); err != nil || stock.Halted == "" || stock.State != seckill.StockOpen {
		t.Errorf("%+v, %v", stock, err)
	}
	tamper(-1)
	if reopened, err := w.ReopenStock(t.Context(), ada, item, "looked again"); err != nil || reopened.Halted == "" {
		t.Errorf("%+v, %v", reopened, err)
	}
}

func (w *world) adjust(t *testing.T, item seckill.ID, op string, delta int64) (seckill.Adjusted, error) {
	t.Helper()
	return w.AdjustStock(t.Context(), ada, seckill.Adjustment{Item: item, Op: op, Delta: delta})
}

func (w *world) mustAdjust(t *testing.T, item seckill.ID, op string, delta int64) seckill.Adjusted {
	t.Helper()
	adjusted, err := w.adjust(t, item, op, delta)
	if err != nil {
		t.Fatal(err)
	}
	return adjusted
}

func adjustAdds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.live(t)
	item := sale.Items[0].ID
	adjusted := w.mustAdjust(t, item, "more", 500)
	if adjusted.Taken != 500 || adjusted.Owed != 0 || adjusted.Stock.Allotted != 1500 || adjusted.Stock.Pool != 500 {
		t.Errorf("%+v", adjusted)
	}
	w.wantTwoLines(t, item, line{"stock.adjust", `"allotted":1000`, `{"delta":500,"op_id":"more"}`},
		line{"stock.adjusted", `"allotted":1000`, `"moved":500`})
	if report, err := w.Preload(t.Context(), ada, sale.ID, true); err != nil || !report.Checks[0].OK {
		t.Errorf("preloaded again: %+v, %v", report.Checks, err)
	}
}

func adjustOwes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	item := w.live(t).Items[0].ID
	first := w.mustAdjust(t, item, "less", -300)
	if first.Taken != 0 || first.Owed != 300 || first.Stock.State != seckill.StockSealing || first.Stock.OwedDecrease != 300 {
		t.Errorf("%+v", first)
	}
	again := w.mustAdjust(t, item, "less", -300)
	if !again.Repeated || again.Taken != first.Taken || again.Owed != first.Owed || again.Stock.OwedDecrease != 300 {
		t.Errorf("%+v", again)
	}
	_, err := w.adjust(t, item, "less", -301)
	wantRefusal(t, err, seckill.IdempotencyMismatch, "op_id")
}

func adjustLargest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.live(t)
	item := sale.Items[0].ID
	_, err := w.adjust(t, item, "less", -1001)
	wantRefusal(t, err, seckill.Conflict, "delta")
	var refusal *seckill.Refusal
	if !errors.As(err, &refusal) || refusal.Largest == nil || *refusal.Largest != 1000 || !strings.Contains(refusal.Detail, "1000") {
		t.Fatalf("%+v", refusal)
	}
	if actions := w.actions(t, item); !slices.Equal(actions, []string{ada + " stock.adjust", ada + " stock.adjust_refused"}) {
		t.Error(actions)
	}
	if adjusted := w.mustAdjust(t, item, "less", -*refusal.Largest); adjusted.Owed != 1000 {
		t.Errorf("%+v", adjusted)
	}
	if _, err := w.adjust(t, item, "still-less", -1); seckill.ReasonOf(err) != seckill.Conflict {
		t.Errorf("took what was taken already: %v", err)
	}
}

// adjustCrowd sends each op three times from two processes at once.
func adjustCrowd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	item := w.live(t).Items[0].ID
	processes := []*operate.Service{w.Service, operate.New(w.ports)}
	var sending sync.WaitGroup
	for _, a := range []seckill.Adjustment{{Op: "a", Delta: 500}, {Op: "b", Delta: -400}, {Op: "c", Delta: 7}, {Op: "d", Delta: -100}} {
		a.Item = item
		for try := range 3 {
			sending.Go(func() {
				if _, err := processes[try%2].AdjustStock(t.Context(), ben, a); err != nil {
					t.Error(err)
				}
			})
		}
	}
	sending.Wait()
	stock, err := w.stocks.Get(t.Context(), item)
	if err != nil || stock.Allotted-stock.OwedDecrease != 1007 || stock.Pool+stock.Lent != stock.Allotted {
		t.Errorf("%+v, %v", stock, err)
	}
}

func adjustInvalid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	item := w.live(t).Items[0].ID
	for field, all := range map[string][]seckill.Adjustment{
		"op_id": {{Delta: 1}, {Op: "a b", Delta: 1}, {Op: strings.Repeat("a", seckill.OpMax+1), Delta: 1}, {Op: "ä", Delta: 1}},
		"delta": {{Op: "a"}, {Op: "a", Delta: 100_000_001}, {Op: "a", Delta: -100_000_001}},
	} {
		for _, a := range all {
			_, err := w.adjust(t, item, a.Op, a.Delta)
			wantRefusal(t, err, seckill.Invalid, field)
		}
	}
	if actions := w.actions(t, item); len(actions) != 0 {
		t.Error(actions)
	}
}

func adjustMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.adjust(t, 1, "a", 1)
	wantRefusal(t, err, seckill.NotFound, "")
	_, err = w.adjust(t, w.create(t).Items[0].ID, "a", 1)
	wantRefusal(t, err, seckill.Conflict, "")
}

func adjustUnlogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	item := w.live(t).Items[0].ID
	w.catalog.log.fails(1)
	if _, err := w.adjust(t, item, "more", 1); !errors.Is(err, seckill.ErrUnavailable) {
		t.Errorf("answered %v", err)
	}
	if stock, err := w.stocks.Get(t.Context(), item); err != nil || stock.Allotted != 1000 {
		t.Errorf("%+v, %v", stock, err)
	}
}

func adjustUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	item := w.live(t).Items[0].ID
	w.ports.Adjustments.(*adjustments).adjust.fails(1)
	if _, err := w.adjust(t, item, "more", 1); !errors.Is(err, seckill.ErrUnavailable) {
		t.Errorf("answered %v", err)
	}
	if actions := w.actions(t, item); !slices.Equal(actions, []string{ada + " stock.adjust"}) {
		t.Error(actions)
	}
}

func adjustHalfLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	item := w.live(t).Items[0].ID
	stores := w.ports.Adjustments.(*adjustments)
	stores.done = func() { w.catalog.log.fails(1) }
	if adjusted := w.mustAdjust(t, item, "more", 1); adjusted.Stock.Allotted != 1001 {
		t.Errorf("%+v", adjusted)
	}
	stores.done = nil
	if adjusted := w.mustAdjust(t, item, "more", 1); !adjusted.Repeated {
		t.Errorf("%+v", adjusted)
	}
	if actions := w.actions(t, item); !slices.Equal(actions, []string{ada + " stock.adjust", ada + " stock.adjust", ada + " stock.adjusted"}) {
		t.Error(actions)
	}
}
