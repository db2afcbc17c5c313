package drill

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/adminclient"
)

// restPoll is how often it is looked whether everything has come to rest.
const restPoll = 500 * time.Millisecond

// awaitRest ends what still sells and waits until nothing moves any more: no unit is lent or in doubt, no order is unpaid or
// on its way back. It returns what still does when ctx ends.
func (m *market) awaitRest(ctx context.Context) (restless []string) {
	m.mu.Lock()
	sales := slices.Clone(m.sales)
	open := slices.DeleteFunc(slices.Clone(sales), func(sale string) bool { return m.ended[sale] })
	m.mu.Unlock()
	var ending sync.WaitGroup
	for _, sale := range open {
		ending.Go(func() { m.end(ctx, sale) })
	}
	ending.Wait()
	for _, sale := range sales {
		if why := m.awaitSale(ctx, sale); why != "" {
			restless = append(restless, fmt.Sprintf("sale %s has not come to rest: %s", sale, why))
		}
	}
	return restless
}

func (m *market) awaitSale(ctx context.Context, sale string) (why string) {
	for {
		stats, err := insist(ctx, m.stage.desks, func(ctx context.Context, desk *adminclient.Client) (api.SaleStats, error) {
			return desk.Stats(ctx, sale)
		})
		if err != nil {
			return err.Error()
		}
		if why = moving(stats); why == "" {
			return ""
		}
		select {
		case <-time.After(restPoll):
		case <-ctx.Done():
			return why
		}
	}
}

// moving says what still moves.
func moving(stats api.SaleStats) string {
	for _, item := range stats.Items {
		isNew := item.StockState == api.StockStateNew // made by a call whose answer was lost, and never preloaded
		if item.Lent+item.Doubt > 0 || item.Unpaid+item.Refunding > 0 || (item.StockState != api.StockStateClosed && !isNew) {
			return fmt.Sprintf("item %s is %s with %d lent, %d in doubt, %d unpaid, %d refunding",
				item.ItemID, item.StockState, item.Lent, item.Doubt, item.Unpaid, item.Refunding)
		}
	}
	return ""
}
