package purchase

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	catalogEvery = time.Second
	// keepEnded is how long an ended sale stays in the cache; look-ups of older ones read the catalog.
	keepEnded = 24 * time.Hour
)

// shelf is the cached catalog. Immutable; its listings live on from one shelf to the next.
type shelf struct {
	sales  []seckill.Sale // newest first
	items  map[seckill.ID]*listing
	listed []*listing // in the order of their sales: what goes through all of them does so alike each time
}

// entry is what the catalog says of an item. Immutable.
type entry struct {
	item seckill.Item
	sale seckill.Sale
}

// listing is an item as this process serves it.
type listing struct {
	id    seckill.ID
	home  *shard
	entry atomic.Pointer[entry]
	state atomic.Pointer[reading]
	// closed says that the stock is closed with nothing in doubt; there is no way back.
	closed  atomic.Bool
	pending atomic.Int64
	// wantedUntil is when the state need no longer be read in every round, as a Unix time in ns by the process's clock.
	wantedUntil atomic.Int64

	reserving *group[seckill.ReserveRequest, decision]
	looking   *group[seckill.LookRequest, seckill.LookAnswer]
	finding   *group[seckill.ID, *seckill.Claim]
	keys      *group[seckill.LookRequest, *seckill.Claim]
	stocks    *group[struct{}, seckill.Stock]
	sent      sentQueue
}

// ItemView is what anyone may see of an item. Available counts only while Known: an outage never reads as sold out.
type ItemView struct {
	Item      seckill.Item
	Sale      seckill.Sale
	Available int64
	Known     bool
}

// View shows a cached item. It does no I/O, so browsing works without any store.
func (s *Service) View(item seckill.ID) (ItemView, bool) {
	shelf := s.listings.Load()
	if shelf == nil {
		return ItemView{}, false
	}
	l, ok := shelf.items[item]
	if !ok {
		return ItemView{}, false
	}
	entry := l.entry.Load()
	view := ItemView{Item: entry.item, Sale: entry.sale}
	if r := l.state.Load(); r.fresh(s.clock.Now()) && r.state.Live {
		view.Available, view.Known = r.state.Available, true
	}
	return view, true
}

// Sales are the cached sales, newest first: all that are not drafts and did not end long ago. False while the catalog has
// never been read. The slice is shared: read only.
func (s *Service) Sales() ([]seckill.Sale, bool) {
	shelf := s.listings.Load()
	if shelf == nil {
		return nil, false
	}
	return shelf.sales, true
}

// refreshCatalog reads what is running. When it fails the old shelf stays. One at a time: an older reading must not
// replace a newer one, and two shelves at once would give an item two listings.
func (s *Service) refreshCatalog(ctx context.Context) error {
	select {
	case s.arranging <- struct{}{}:
		defer func() { <-s.arranging }()
	case <-ctx.Done():
		return fmt.Errorf("read running sales: %w", ctx.Err())
	}
	return s.readCatalog(ctx)
}

func (s *Service) readCatalog(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.CallTimeout)
	defer cancel()
	// Our own clock is good enough here: what is a day old by a clock that is minutes wrong is only seen or not seen.
	sales, err := s.ports.Catalog.Running(ctx, s.clock.Now().Add(-keepEnded))
	if err != nil {
		return fmt.Errorf("read running sales: %w", err)
	}
	sales = slices.Clone(sales)
	slices.SortFunc(sales, func(a, b seckill.Sale) int { return int(min(1, max(-1, b.ID-a.ID))) })
	next, fresh := s.arrange(sales, s.listings.Load())
	// An item is shown together with its state, or the first shopper would find it unknown. If that fails now, the next
	// reading of the states brings it.
	for batch := range slices.Chunk(fresh, statesBatch) {
		if err := s.readStates(ctx, batch); err != nil {
			break
		}
	}
	s.listings.Store(next)
	return nil
}

// arrange makes a shelf of the listings there are and of fresh ones.
func (s *Service) arrange(sales []seckill.Sale, old *shelf) (next *shelf, fresh []*listing) {
	next = &shelf{sales: sales, items: map[seckill.ID]*listing{}}
	for _, sale := range sales {
		for _, item := range sale.Items {
			var l *listing
			if old != nil {
				l = old.items[item.ID]
			}
			isNew := l == nil
			if isNew {
				l = s.newListing(item.ID)
			}
			l.entry.Store(&entry{item: item, sale: sale})
			next.items[item.ID] = l
			next.listed = append(next.listed, l)
			if isNew && l.watched(s.ServerTime()) {
				fresh = append(fresh, l)
			}
		}
	}
	return next, fresh
}

// resolve finds an item in the cache, or, if it is not there (its sale ended long ago, or is younger than the cache), in
// the catalog.
func (s *Service) resolve(ctx context.Context, id seckill.ID) (*listing, error) {
	if l, ok := s.cached(id); ok {
		return l, nil
	}
	select {
	case s.catalogReads <- struct{}{}:
		defer func() { <-s.catalogReads }()
	default:
		s.ports.Metrics.hit(BoundCatalog)
		return nil, s.busy("too many look-ups of items that are not on sale")
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.CallTimeout)
	defer cancel()
	return s.readListing(ctx, id)
}

func (s *Service) readListing(ctx context.Context, id seckill.ID) (*listing, error) {
	item, err := s.ports.Catalog.Item(ctx, id)
	if errors.Is(err, seckill.ErrNotFound) {
		return nil, seckill.Refuse(seckill.NotFound, "there is no such item")
	}
	if err != nil {
		return nil, s.outage("catalog", fmt.Errorf("read item %s: %w", id, err))
	}
	sale, err := s.ports.Catalog.Sale(ctx, item.Sale)
	if err != nil && !errors.Is(err, seckill.ErrNotFound) {
		return nil, s.outage("catalog", fmt.Errorf("read sale %s: %w", item.Sale, err))
	}
	if err != nil || sale.State == seckill.SaleDraft {
		return nil, seckill.Refuse(seckill.NotFound, "there is no such item")
	}
	if sale.State != seckill.SaleEnded {
		return s.discover(ctx, id)
	}
	l := s.newListing(id)
	l.entry.Store(&entry{item: item, sale: sale})
	return l, nil
}

// discover takes an item into the cache that went on sale since it was last read, so that an operator who has just
// preloaded a sale can be its first shopper.
func (s *Service) discover(ctx context.Context, id seckill.ID) (*listing, error) {
	select {
	case s.arranging <- struct{}{}:
		defer func() { <-s.arranging }()
	case <-ctx.Done():
		return nil, s.outage("catalog", ctx.Err())
	}
	if l, ok := s.cached(id); ok {
		return l, nil // somebody else was faster
	}
	if err := s.readCatalog(ctx); err != nil {
		return nil, s.outage("catalog", err)
	}
	l, ok := s.cached(id)
	if !ok {
		return nil, s.busy("the item is not known yet")
	}
	return l, nil
}

func (s *Service) cached(id seckill.ID) (*listing, bool) {
	shelf := s.listings.Load()
	if shelf == nil {
		return nil, false
	}
	l, ok := shelf.items[id]
	return l, ok
}

// outage turns a failure of a store before anything was taken into busy; the cause is for the log.
func (s *Service) outage(what string, err error) error {
	s.ports.Metrics.failed(what)
	s.log.Debug("refused while a store failed", "store", what, "error", err)
	return s.busy("the " + what + " cannot be reached")
}
