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

// acting is ben in a world: each method makes what it needs, does what the contract calls so, and returns what it was done to.
type acting struct {
	*testing.T
	*world
}

func acts() map[string]func(acting) (seckill.ID, error) {
	return map[string]func(acting) (seckill.ID, error){
		"createSale":            acting.createSale,
		"updateSale":            acting.updateSale,
		"deleteSale":            acting.deleteSale,
		"preloadSale":           acting.preloadSale,
		"pauseSale":             acting.pauseSale,
		"resumeSale":            acting.resumeSale,
		"endSale":               acting.endSale,
		"adjustStock":           acting.adjustStock,
		"reopenStock":           acting.reopenStock,
		"cancelOrderByOperator": acting.cancelOrderByOperator,
		"refundOrder":           acting.refundOrder,
		"replayDeadLetter":      acting.replayDeadLetter,
		"discardDeadLetter":     acting.discardDeadLetter,
		"replayDeadEvent":       acting.replayDeadEvent,
		"discardDeadEvent":      acting.discardDeadEvent,
		"replayDeadEvents":      acting.replayDeadEvents,
		"discardDeadEvents":     acting.discardDeadEvents,
	}
}

func (a acting) createSale() (seckill.ID, error) {
	sale, err := a.Create(a.Context(), ben, draft())
	return sale.ID, err
}

func (a acting) updateSale() (seckill.ID, error) {
	sale, name := a.create(a.T), "another name"
	_, err := a.Update(a.Context(), ben, sale.ID, operate.Patch{Name: &name})
	return sale.ID, err
}

func (a acting) deleteSale() (seckill.ID, error) {
	sale := a.create(a.T)
	return sale.ID, a.Delete(a.Context(), ben, sale.ID, 0)
}

func (a acting) preloadSale() (seckill.ID, error) {
	sale := a.create(a.T)
	_, err := a.Preload(a.Context(), ben, sale.ID, false)
	return sale.ID, err
}

func (a acting) pauseSale() (seckill.ID, error) {
	sale := a.live(a.T)
	_, err := a.Pause(a.Context(), ben, sale.ID)
	return sale.ID, err
}

func (a acting) resumeSale() (seckill.ID, error) {
	sale := a.live(a.T)
	if _, err := a.Pause(a.Context(), ada, sale.ID); err != nil {
		return 0, err
	}
	_, err := a.Resume(a.Context(), ben, sale.ID)
	return sale.ID, err
}

func (a acting) endSale() (seckill.ID, error) {
	sale := a.live(a.T)
	_, err := a.End(a.Context(), ben, sale.ID)
	return sale.ID, err
}

func (a acting) adjustStock() (seckill.ID, error) {
	item := a.live(a.T).Items[0].ID
	_, err := a.AdjustStock(a.Context(), ben, seckill.Adjustment{Item: item, Op: "more", Delta: 5})
	return item, err
}

func (a acting) reopenStock() (seckill.ID, error) {
	item := a.live(a.T).Items[0].ID
	if err := a.stocks.Halt(a.Context(), item, "a test"); err != nil {
		return 0, err
	}
	_, err := a.ReopenStock(a.Context(), ben, item, "a test")
	return item, err
}

func (a acting) cancelOrderByOperator() (seckill.ID, error) {
	order := a.unpaid(a.T)
	_, err := a.CancelOrder(a.Context(), operate.OrderAct{Actor: ben, Order: order.ID, Reason: "a test"})
	return order.ID, err
}

func (a acting) refundOrder() (seckill.ID, error) {
	order := a.paid(a.T)
	_, err := a.RefundOrder(a.Context(), operate.OrderAct{Actor: ben, Order: order.ID, Reason: "a test"}, true)
	return order.ID, err
}

func (a acting) replayDeadLetter() (seckill.ID, error) {
	letter := a.bury(a.T, "x")[0].ID
	_, err := a.ReplayLetter(a.Context(), ben, letter)
	return letter, err
}

func (a acting) discardDeadLetter() (seckill.ID, error) {
	letter := a.bury(a.T, "x")[0].ID
	_, err := a.DiscardLetter(a.Context(), ben, letter, "a test")
	return letter, err
}

func (a acting) replayDeadEvent() (seckill.ID, error) {
	a.died(a.T, 0, 1)
	_, err := a.ReplayEvent(a.Context(), ben, "shop", 1)
	return 1, err
}

func (a acting) discardDeadEvent() (seckill.ID, error) {
	a.died(a.T, 0, 1)
	_, err := a.DiscardEvent(a.Context(), ben, "shop", 1, "a test")
	return 1, err
}

func (a acting) replayDeadEvents() (seckill.ID, error) {
	a.died(a.T, 0, 1)
	_, err := a.ReplayEvents(a.Context(), ben, operate.DeadChoice{Endpoint: "shop"})
	return 1, err
}

func (a acting) discardDeadEvents() (seckill.ID, error) {
	a.died(a.T, 0, 1)
	_, err := a.DiscardEvents(a.Context(), ben, operate.DeadChoice{All: true}, "a test")
	return 1, err
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
				target, err := do(acting{t, w})
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
