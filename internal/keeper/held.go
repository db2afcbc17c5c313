package keeper

import (
	"log/slog"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Held is what the keepers of one process know of units that stay held because their payments cannot be closed. Each of them
// finds out by itself, for each shard: here somebody is called once for all of it, and told once that it is over.
type Held struct {
	clock   seckill.Clock
	log     *slog.Logger
	metrics Metrics

	mu    sync.Mutex
	known map[heldBy]unclosed
	// since is when somebody was called, zero while all is well; most is how many orders it came to since.
	since time.Time
	most  int
}

// heldBy names who knows, and of which shard.
type heldBy struct {
	job   *Close
	shard int
}

// unclosed is what one job knows of a shard. lasts says that it is no passing trouble, cause what one of the payments failed
// with last.
type unclosed struct {
	orders, payments int
	lasts            bool
	cause            error
}

// NewHeld returns one for all keepers of a process.
func NewHeld(clock seckill.Clock, log *slog.Logger, metrics Metrics) *Held {
	return &Held{clock: clock, log: log, metrics: metrics, known: make(map[heldBy]unclosed)}
}

// note takes what a job knows of a shard now.
func (h *Held) note(by heldBy, found unclosed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if found.payments == 0 {
		delete(h.known, by)
	} else {
		h.known[by] = found
	}
	shards := h.shards()
	h.metrics.held(by.shard, shards[by.shard].orders, shards[by.shard].payments)
	orders := 0
	for _, shard := range shards {
		orders += shard.orders
	}
	h.tell(orders, found)
}

// shards are the most that is known of each: a job that has not looked yet knows less, and all of them are asking.
func (h *Held) shards() map[int]unclosed {
	shards := make(map[int]unclosed)
	for by, found := range h.known {
		of := shards[by.shard]
		of.orders, of.payments = max(of.orders, found.orders), max(of.payments, found.payments)
		shards[by.shard] = of
	}
	return shards
}

func (h *Held) tell(orders int, found unclosed) {
	now := h.clock.Now()
	switch called := !h.since.IsZero(); {
	case !called && found.lasts:
		h.since, h.most = now, orders
		h.log.Error("payments cannot be closed, so the units of their cancelled orders stay held", "orders", orders, "error", found.cause)
	case called && orders == 0:
		h.log.Info("payments can be closed again, and no unit is held any more", "orders", h.most, "after", now.Sub(h.since))
		h.since = time.Time{}
	case called:
		h.most = max(h.most, orders)
	}
}
