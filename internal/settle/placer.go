package settle

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	placeTimeout = 3 * time.Second
	// termsTimeout is how long T1 waits for terms that it does not know.
	termsTimeout = 500 * time.Millisecond
	// termsMax bounds the remembered items; terms of an item never change after its sale was scheduled.
	termsMax = 10_000
)

// placer is T2: orders for held claims.
type placer struct {
	ports Ports

	mu    sync.Mutex
	terms map[seckill.ID]seckill.Terms
	// failing are the users' shards whose last orders had to be left to the completer.
	failing map[int]bool
}

func newPlacer(ports Ports) *placer {
	return &placer{ports: ports, terms: make(map[seckill.ID]seckill.Terms), failing: make(map[int]bool)}
}

// place writes the orders of one settlement, notes them on their claims and tells who waits. Errors are logged here and
// nowhere else: the claims stay unordered and the Completer finds them.
func (p *placer) place(ctx context.Context, homeShard int, held []seckill.Claim) {
	ctx, cancel := context.WithTimeout(ctx, placeTimeout)
	defer cancel()
	for shard, err := range p.order(ctx, homeShard, held) {
		p.report(ctx, homeShard, shard, err)
	}
}

// report tells when the orders of a users' shard begin to wait, and when they no longer do; while it is away every batch
// would bring one more.
func (p *placer) report(ctx context.Context, homeShard, shard int, err error) {
	p.mu.Lock()
	failed := p.failing[shard]
	p.failing[shard] = err != nil
	p.mu.Unlock()
	switch {
	case err != nil && !failed:
		p.ports.Log.Warn("orders wait for the completer", "shard", homeShard, "users", shard, "error", err)
	case err != nil:
		p.ports.Log.DebugContext(ctx, "orders wait for the completer", "shard", homeShard, "users", shard, "error", err)
	case failed:
		p.ports.Log.Info("orders are placed again", "shard", homeShard, "users", shard)
	}
}

// announce tells waiting shoppers that these claims are decided; best effort.
func (p *placer) announce(ctx context.Context, claims []seckill.Claim) {
	if len(claims) == 0 {
		return
	}
	decisions := make([]seckill.Decision, len(claims))
	for i, claim := range claims {
		decisions[i] = seckill.Decision{Item: claim.Item, Reservation: claim.ID}
	}
	if err := p.ports.Announcements.Announce(ctx, decisions); err != nil {
		p.ports.Log.Info("decisions not announced, waiting shoppers will poll", "error", err)
	}
}

// order places the orders of the claims on all users' shards at once, marks and announces those that succeeded, and says
// how each shard did. One that does not answer holds up its own orders only.
func (p *placer) order(ctx context.Context, homeShard int, claims []seckill.Claim) map[int]error {
	groups := make(map[int][]seckill.Claim)
	for _, claim := range claims {
		shard := seckill.UserShard(p.ports.Shards, claim.User)
		groups[shard] = append(groups[shard], claim)
	}
	outcomes := make(map[int]error, len(groups))
	var mu sync.Mutex
	var all sync.WaitGroup
	for shard, group := range groups {
		all.Go(func() {
			err := p.orderGroup(ctx, homeShard, shard, group)
			mu.Lock()
			defer mu.Unlock()
			outcomes[shard] = err
		})
	}
	all.Wait()
	return outcomes
}

func (p *placer) orderGroup(ctx context.Context, homeShard, shard int, group []seckill.Claim) error {
	placed, failure := p.placeGroup(ctx, shard, group)
	if len(placed) == 0 {
		return failure
	}
	if err := p.ports.Claims.MarkOrdered(ctx, homeShard, idsOf(placed)); err != nil {
		return fmt.Errorf("mark claims ordered: %w", err)
	}
	p.announce(ctx, placed)
	return failure
}

// placeGroup places the claims of one users' shard, one by one when there is one among them that never can be.
func (p *placer) placeGroup(ctx context.Context, shard int, group []seckill.Claim) ([]seckill.Claim, error) {
	err := p.placeOn(ctx, shard, group)
	if err == nil {
		return group, nil
	}
	if !errors.Is(err, seckill.ErrPoison) || len(group) == 1 {
		return nil, err
	}
	var placed []seckill.Claim
	for _, claim := range group {
		if err := p.placeOn(ctx, shard, []seckill.Claim{claim}); err != nil {
			p.ports.Log.Error("a held claim cannot become an order", "claim", claim.ID, "item", claim.Item, "error", err)
			continue
		}
		placed = append(placed, claim)
	}
	return placed, err
}

func (p *placer) placeOn(ctx context.Context, shard int, claims []seckill.Claim) error {
	orders := make([]seckill.NewOrder, len(claims))
	for i, claim := range claims {
		t, err := p.termsOf(ctx, claim.Item)
		if err != nil {
			return err
		}
		orders[i] = t.Order(claim.ID, claim.Item, claim.User, claim.Quantity)
	}
	if err := p.ports.Orders.Place(ctx, shard, orders); err != nil {
		return fmt.Errorf("place orders on shard %d: %w", shard, err)
	}
	return nil
}

// termsOfAll is what can be known in time of the messages' items. T1 waits for no catalog: without terms it only claims.
func (p *placer) termsOfAll(ctx context.Context, messages []seckill.Message) map[seckill.ID]seckill.Terms {
	ctx, cancel := context.WithTimeout(ctx, termsTimeout)
	defer cancel()
	all := make(map[seckill.ID]seckill.Terms)
	for _, m := range messages {
		if _, known := all[m.Item]; known {
			continue
		}
		t, err := p.termsOf(ctx, m.Item)
		if err != nil {
			p.ports.Log.Debug("orders cannot be placed with their claims", "item", m.Item, "error", err)
			continue
		}
		all[m.Item] = t
	}
	return all
}

func (p *placer) termsOf(ctx context.Context, item seckill.ID) (seckill.Terms, error) {
	p.mu.Lock()
	known, ok := p.terms[item]
	p.mu.Unlock()
	if ok {
		return known, nil
	}
	row, err := p.ports.Catalog.Item(ctx, item)
	if err != nil {
		return seckill.Terms{}, fmt.Errorf("read item %s: %w", item, err)
	}
	sale, err := p.ports.Catalog.Sale(ctx, row.Sale)
	if err != nil {
		return seckill.Terms{}, fmt.Errorf("read sale %s: %w", row.Sale, err)
	}
	read := seckill.Terms{PriceMinor: row.PriceMinor, Currency: row.Currency, PayWithin: sale.PayWithin}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.terms) >= termsMax {
		clear(p.terms)
	}
	p.terms[item] = read
	return read, nil
}

func idsOf(claims []seckill.Claim) []seckill.ID {
	ids := make([]seckill.ID, len(claims))
	for i, claim := range claims {
		ids[i] = claim.ID
	}
	return ids
}
