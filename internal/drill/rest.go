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

// awaitRest ends what still sells and waits until nothing moves any more: no unit is lent or in doubt or on its way back, no order
// is unpaid, nobody is owed anything. What still does when ctx ends is stuck for ever, for all that anybody can know.
func (m *market) awaitRest(ctx context.Context) (found []Finding) {
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
			found = append(found, findingf(restless, "", "", "sale %s: %s", sale, why))
		}
	}
	return found
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
			why = m.owed(ctx, sale)
		}
		if why == "" {
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
		if item.StockState != api.StockStateClosed && !isNew || item.Halted != "" {
			return fmt.Sprintf("item %s is %s %s", item.ItemID, item.StockState, item.Halted)
		}
		// What is claimed beyond what is paid for belongs to cancelled orders, and goes back.
		returning := max(0, item.Claimed-item.Unpaid-item.Paid-item.Refunding-item.Refunded)
		if item.Lent+item.Doubt+item.Unpaid+item.Refunding+returning > 0 {
			return fmt.Sprintf("item %s has %d lent, %d in doubt, %d unpaid, %d refunding, %d on their way back",
				item.ItemID, item.Lent, item.Doubt, item.Unpaid, item.Refunding, returning)
		}
	}
	return ""
}

// owed says how much is still to be done for a sale, or for any by the same job.
func (m *market) owed(ctx context.Context, sale string) string {
	report, err := insist(ctx, m.stage.desks, func(ctx context.Context, desk *adminclient.Client) (api.AuditReport, error) {
		return desk.Audit(ctx, sale)
	})
	switch {
	case err != nil:
		return err.Error()
	case report.Owed > 0:
		return fmt.Sprintf("%d steps are still owed", report.Owed)
	default:
		return ""
	}
}
