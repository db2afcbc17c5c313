package app_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/adminclient"
	"github.com/seckill-dev/seckill/internal/testenv/fleet"
)

// TestFleetOperators has two operators correct the stock of a sale while a crowd buys, each at another api.
func TestFleetOperators(t *testing.T) {
	t.Parallel()
	t.Run("adjusts once for each op, sent three times to two apis of which one dies in the middle", adjustsOnce)
}

func adjustsOnce(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	const units, delta, shoppers = 3000, 500, 600
	done := f.sell(units, shoppers)
	f.awaitSold(20)
	desks := f.desks()
	item := f.sale.Items[0].ID
	asked := []api.StockAdjustment{{OpID: "more", Delta: delta}, {OpID: "less", Delta: -delta}}
	answers := make([][3]api.StockAdjusted, len(asked))
	var sending sync.WaitGroup
	for i, adjustment := range asked {
		for try := range answers[i] {
			sending.Go(func() { answers[i][try] = insistStock(t, desks[try%2], item, adjustment) })
		}
	}
	f.member("api-1").Kill()
	sending.Wait()
	for i, of := range answers {
		for _, answer := range of {
			if answer.Taken != of[0].Taken || answer.Owed != of[0].Owed || answer.Taken-answer.Owed != asked[i].Delta {
				t.Errorf("answered %+v and %+v", of[0], answer)
			}
		}
	}
	f.await("what is owed is taken, and the rest is for sale", func() bool {
		stats, err := desks[0].Stats(t.Context(), f.sale.ID)
		return err == nil && stats.Items[0].Allotted == units && stats.Items[0].StockState == api.StockStateOpen
	})
	f.addsUp(<-done)
	wantAdjustedOnce(t, desks[0], item)
}

// desks is an operator at each api.
func (d *distributed) desks() []*adminclient.Client {
	d.t.Helper()
	var desks []*adminclient.Client
	for _, node := range d.Nodes[fleet.API] {
		desk, err := adminclient.New("http://"+node.Admin, d.credentials().Operators[0].Key, nil)
		if err != nil {
			d.t.Fatal(err)
		}
		desks = append(desks, desk)
	}
	return desks
}

// insistStock repeats an adjustment until it is answered.
func insistStock(t *testing.T, desk *adminclient.Client, item string, adjustment api.StockAdjustment) api.StockAdjusted {
	t.Helper()
	deadline := time.After(patience)
	for {
		adjusted, err := desk.AdjustStock(t.Context(), item, adjustment)
		var passing interface{ Passing() bool }
		switch {
		case err == nil:
			return adjusted
		case !errors.As(err, &passing) || !passing.Passing():
			t.Error(err)
			return adjusted
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			t.Errorf("%s was never answered: %v", adjustment.OpID, err)
			return adjusted
		}
	}
}

// wantAdjustedOnce wants a line before each try in the log, and at most one line for each op that says it was the first.
func wantAdjustedOnce(t *testing.T, desk *adminclient.Client, item string) {
	t.Helper()
	log, err := desk.Log(t.Context(), item, "", adminclient.Page{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	intended, first := map[any]int{}, map[any]int{}
	for _, act := range log.Data {
		op := act.After["op_id"]
		switch {
		case act.Action == "stock.adjust":
			intended[op]++
		case act.Action == "stock.adjusted" && act.After["repeated"] == false:
			first[op]++
		}
	}
	for _, op := range []string{"more", "less"} {
		if intended[op] < 3 || first[op] > 1 {
			t.Errorf("%s was intended %d times and done %d times for the first time", op, intended[op], first[op])
		}
	}
}
