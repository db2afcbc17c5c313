package guard

import (
	"context"
	"sync"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// nodesMax bounds the breakers; a cluster has fewer nodes at a time, and forgetting a breaker closes it.
const nodesMax = 1024

// Nodes holds a breaker for each server, so that one which is dead does not close the others.
type Nodes struct {
	nodeOf     func(ctx context.Context, item seckill.ID) string
	newBreaker func(node string) *Breaker

	mu       sync.Mutex
	breakers map[string]*Breaker
}

// NewNodes returns breakers that are made when they are first needed. nodeOf names the server of an item.
func NewNodes(nodeOf func(ctx context.Context, item seckill.ID) string, newBreaker func(node string) *Breaker) *Nodes {
	return &Nodes{nodeOf: nodeOf, newBreaker: newBreaker, breakers: make(map[string]*Breaker)}
}

// of is the breaker of the item's server.
func (n *Nodes) of(ctx context.Context, item seckill.ID) *Breaker {
	node := n.nodeOf(ctx, item)
	n.mu.Lock()
	defer n.mu.Unlock()
	breaker := n.breakers[node]
	if breaker == nil {
		if len(n.breakers) >= nodesMax {
			clear(n.breakers)
		}
		breaker = n.newBreaker(node)
		n.breakers[node] = breaker
	}
	return breaker
}
