package operate_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// acts are what operators can do, by what the contract calls it: each makes what it needs, does it as ben, and returns what
// it was done to.
func acts() map[string]func(t *testing.T, w *world) (seckill.ID, error) {
	return map[string]func(t *testing.T, w *world) (seckill.ID, error){
		"createSale": func(t *testing.T, w *world) (seckill.ID, error) {
			sale, err := w.Create(t.Context(), ben, draft())
			return sale.ID, err
		},
		"updateSale": func(t *testing.T, w *world) (seckill.ID, error) {
			sale, name := w.create(t), "another name"
			_, err := w.Update(t.Context(), ben, sale.ID, operate.Patch{Name: &name})
			return sale.ID, err
		},
		"deleteSale": func(t *testing.T, w *world) (seckill.ID, error) {
			sale := w.create(t)
			return sale.ID, w.Delete(t.Context(), ben, sale.ID, 0)
		},
		"preloadSale": func(t *testing.T, w *world) (seckill.ID, error) {
			sale := w.create(t)
			_, err := w.Preload(t.Context(), ben, sale.ID, false)
			return sale.ID, err
		},
		"pauseSale": func(t *testing.T, w *world) (seckill.ID, error) {
			sale := w.live(t)
			_, err := w.Pause(t.Context(), ben, sale.ID)
			return sale.ID, err
		},
		"resumeSale": func(t *testing.T, w *world) (seckill.ID, error) {
			sale := w.live(t)
			if _, err := w.Pause(t.Context(), ada, sale.ID); err != nil {
				return 0, err
			}
			_, err := w.Resume(t.Context(), ben, sale.ID)
			return sale.ID, err
		},
		"endSale": func(t *testing.T, w *world) (seckill.ID, error) {
			sale := w.live(t)
			_, err := w.End(t.Context(), ben, sale.ID)
			return sale.ID, err
		},
		"adjustStock": func(t *testing.T, w *world) (seckill.ID, error) {
			item := w.live(t).Items[0].ID
			_, err := w.AdjustStock(t.Context(), ben, seckill.Adjustment{Item: item, Op: "more", Delta: 5})
			return item, err
		},
		"cancelOrderByOperator": func(t *testing.T, w *world) (seckill.ID, error) {
			order := w.unpaid(t)
			_, err := w.CancelOrder(t.Context(), operate.OrderAct{Actor: ben, Order: order.ID, Reason: "a test"})
			return order.ID, err
		},
		"refundOrder": func(t *testing.T, w *world) (seckill.ID, error) {
			order := w.paid(t)
			_, err := w.RefundOrder(t.Context(), operate.OrderAct{Actor: ben, Order: order.ID, Reason: "a test"}, true)
			return order.ID, err
		},
		"replayDeadLetter": func(t *testing.T, w *world) (seckill.ID, error) {
			letter := w.bury(t, "x")[0].ID
			_, err := w.ReplayLetter(t.Context(), ben, letter)
			return letter, err
		},
		"discardDeadLetter": func(t *testing.T, w *world) (seckill.ID, error) {
			letter := w.bury(t, "x")[0].ID
			_, err := w.DiscardLetter(t.Context(), ben, letter, "a test")
			return letter, err
		},
		"replayDeadEvent": func(t *testing.T, w *world) (seckill.ID, error) {
			w.died(t, 0, 1)
			_, err := w.ReplayEvent(t.Context(), ben, "shop", 1)
			return 1, err
		},
		"discardDeadEvent": func(t *testing.T, w *world) (seckill.ID, error) {
			w.died(t, 0, 1)
			_, err := w.DiscardEvent(t.Context(), ben, "shop", 1, "a test")
			return 1, err
		},
	}
}

// TestEveryActIsLogged goes through the contract: what is added there needs an act here.
func TestEveryActIsLogged(t *testing.T) {
	t.Parallel()
	document, err := openapi3.NewLoader().LoadFromData(api.Document())
	if err != nil {
		t.Fatal(err)
	}
	known := acts()
	for path, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			if !strings.HasPrefix(path, "/admin/") || method == http.MethodGet {
				continue
			}
			do := known[operation.OperationID]
			delete(known, operation.OperationID)
			t.Run("says who, when, and what came of "+operation.OperationID, func(t *testing.T) {
				t.Parallel()
				if do == nil {
					t.Fatalf("%s %s is in the contract, but not here: is it in the operators' log?", method, path)
				}
				w := newWorld(t)
				target, err := do(t, w)
				if err != nil {
					t.Fatal(err)
				}
				w.wantLogged(t, target)
			})
		}
	}
	for name := range known {
		t.Errorf("%s is not in the contract", name)
	}
}

// wantLogged wants the log to say what ben has done to something.
func (w *world) wantLogged(t *testing.T, target seckill.ID) {
	t.Helper()
	acts, err := w.catalog.Acts(t.Context(), target, 100)
	if err != nil {
		t.Fatal(err)
	}
	var before, after bool
	for _, act := range acts {
		if act.Actor != ben {
			continue
		}
		if act.Action == "" || time.Since(act.At) > time.Hour || time.Until(act.At) > time.Hour {
			t.Errorf("got %+v", act)
		}
		before, after = before || act.Before != "", after || act.After != ""
	}
	if !before && !after {
		t.Fatalf("the log says of %s only %+v", target, acts)
	}
}
