package checkout

import (
	"context"
	"fmt"
	"sync"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// titlesMax bounds how many items are remembered; a sale has at most a hundred.
const titlesMax = 1024

// titles remembers what items are called. What is on sale keeps its title for good, so none of them grows old; and shoppers
// can pay while the catalog's shard is away.
type titles struct {
	catalog Catalog
	mu      sync.Mutex
	known   map[seckill.ID]string
}

func newTitles(catalog Catalog) *titles {
	return &titles{catalog: catalog, known: map[seckill.ID]string{}}
}

// of is what a shopper reads at the provider.
func (t *titles) of(ctx context.Context, order seckill.Order) (string, error) {
	title, err := t.item(ctx, order.Item)
	if err != nil || order.Quantity == 1 {
		return title, err
	}
	return fmt.Sprintf("%d × %s", order.Quantity, title), nil
}

func (t *titles) item(ctx context.Context, id seckill.ID) (string, error) {
	t.mu.Lock()
	title, known := t.known[id]
	t.mu.Unlock()
	if known {
		return title, nil
	}
	item, err := t.catalog.Item(ctx, id)
	if err != nil {
		return "", fmt.Errorf("read item %s: %w", id, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.known) >= titlesMax {
		clear(t.known)
	}
	t.known[id] = item.Title
	return item.Title, nil
}
