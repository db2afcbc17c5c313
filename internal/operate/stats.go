package operate

import (
	"context"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// SaleStats says where the units of a sale are.
type SaleStats struct {
	Sale  seckill.ID
	State seckill.SaleState
	// Now is the database's clock.
	Now   time.Time
	Items []ItemStats
	// Queue sums the queues of the home shards of the items; its Age is the highest. Nil when one cannot be asked.
	Queue *seckill.QueueState
}

// ItemStats is one item's stock row, its orders, and what Redis says.
type ItemStats struct {
	Item seckill.Item
	// Stock has state new and no units for an item that was never preloaded.
	Stock seckill.Stock
	// Orders counts the item's orders over all shards.
	Orders map[seckill.OrderState]seckill.OrderCount
	// Redis is nil when it cannot be asked.
	Redis *seckill.LentState
}

// Stats reads the figures of now. They come from several stores one after another, so while the sale runs they may differ
// by what happened in between; the audit knows how to compare them.
func (s *Service) Stats(ctx context.Context, id seckill.ID) (SaleStats, error) {
	report, err := s.Get(ctx, id)
	if err != nil {
		return SaleStats{}, err
	}
	orders, err := s.orders(ctx, report.Sale.Items)
	if err != nil {
		return SaleStats{}, err
	}
	lent := s.lent(ctx, report.Sale.Items)
	stats := SaleStats{
		Sale: id, State: report.Sale.State, Now: report.Now, Items: make([]ItemStats, len(report.Sale.Items)),
		Queue: s.queue(ctx, report.Sale.Items),
	}
	for i, item := range report.Sale.Items {
		stock, exists := report.Stocks[item.ID]
		if !exists {
			stock = seckill.Stock{Item: item.ID, State: seckill.StockNew}
		}
		stats.Items[i] = ItemStats{Item: item, Stock: stock, Orders: orders[i]}
		if lent != nil {
			stats.Items[i].Redis = &lent[i]
		}
	}
	return stats, nil
}

// orders counts every item's orders, in order of the items.
func (s *Service) orders(ctx context.Context, items []seckill.Item) ([]map[seckill.OrderState]seckill.OrderCount, error) {
	type result struct {
		count map[seckill.OrderState]seckill.OrderCount
		err   error
	}
	results := each(items, func(item seckill.Item) result {
		count, err := s.ordersOf(ctx, item.ID)
		return result{count, err}
	})
	counts := make([]map[seckill.OrderState]seckill.OrderCount, len(items))
	for i, result := range results {
		if result.err != nil {
			return nil, result.err
		}
		counts[i] = result.count
	}
	return counts, nil
}

// ordersOf asks every shard: orders lie in their users' shards.
func (s *Service) ordersOf(ctx context.Context, item seckill.ID) (map[seckill.OrderState]seckill.OrderCount, error) {
	count := make(map[seckill.OrderState]seckill.OrderCount)
	for shard := range s.ports.Shards.Count() {
		found, err := s.ports.Orders.Count(ctx, shard, item)
		if err != nil {
			return nil, fmt.Errorf("count orders of item %s on shard %d: %w", item, shard, err)
		}
		for state, more := range found {
			sum := count[state]
			count[state] = seckill.OrderCount{Orders: sum.Orders + more.Orders, Units: sum.Units + more.Units}
		}
	}
	return count, nil
}

// lent asks Redis about every item, in order; nil when it does not answer for all of them.
func (s *Service) lent(ctx context.Context, items []seckill.Item) []seckill.LentState {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ids := make([]seckill.ID, len(items))
	for i, item := range items {
		ids[i] = item.ID
	}
	states, err := s.ports.Lent.States(ctx, ids)
	if err != nil || len(states) != len(items) {
		s.ports.Log.Warn("stats without redis", "error", err)
		return nil
	}
	return states
}

// queue looks at each home shard once; nil when one does not answer, since a part would look like the whole.
func (s *Service) queue(ctx context.Context, items []seckill.Item) *seckill.QueueState {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var sum seckill.QueueState
	looked := make(map[int]bool)
	for _, item := range items {
		shard := seckill.HomeShard(s.ports.Shards, item.ID)
		if looked[shard] {
			continue
		}
		looked[shard] = true
		state, err := s.ports.Queue.Look(ctx, shard)
		if err != nil {
			s.ports.Log.Warn("stats without the queue", "shard", shard, "error", err)
			return nil
		}
		sum.Ready += state.Ready
		sum.Unacked += state.Unacked
		sum.Consumers += state.Consumers
		sum.Dead += state.Dead
		sum.Age = max(sum.Age, state.Age)
	}
	return &sum
}
