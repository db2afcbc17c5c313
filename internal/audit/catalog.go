package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const salesPerPage = 100

// entry is what the catalog says of an item. An item that it does not know has only its id.
type entry struct {
	item      seckill.Item
	sale      seckill.ID
	state     seckill.SaleState
	payWithin time.Duration
	known     bool
}

type entries map[seckill.ID]entry

func newEntries(sales []seckill.Sale) entries {
	all := make(entries)
	for _, sale := range sales {
		for _, item := range sale.Items {
			all[item.ID] = newEntry(sale, item)
		}
	}
	return all
}

func newEntry(sale seckill.Sale, item seckill.Item) entry {
	return entry{item: item, sale: sale.ID, state: sale.State, payWithin: sale.PayWithin, known: true}
}

func (e entries) has(item seckill.ID) bool {
	_, found := e[item]
	return found
}

func (e entries) sorted() []entry {
	return slices.SortedFunc(maps.Values(e), func(a, b entry) int { return cmp.Compare(a.item.ID, b.item.ID) })
}

// sales reads the one sale, or all of them.
func (s *Service) sales(ctx context.Context, id *seckill.ID) ([]seckill.Sale, error) {
	if id != nil {
		sale, err := s.ports.Catalog.Sale(ctx, *id)
		if errors.Is(err, seckill.ErrNotFound) {
			return nil, seckill.Refuse(seckill.NotFound, fmt.Sprintf("there is no sale %s", *id))
		}
		if err != nil {
			return nil, fmt.Errorf("audit: read sale %s: %w", *id, err)
		}
		return []seckill.Sale{sale}, nil
	}
	var all []seckill.Sale
	var after seckill.ID
	for {
		page, err := s.ports.Catalog.Sales(ctx, seckill.SaleQuery{After: after, Limit: salesPerPage})
		if err != nil {
			return nil, fmt.Errorf("audit: read sales: %w", err)
		}
		if all = append(all, page...); len(page) < salesPerPage {
			return all, nil
		}
		after = page[len(page)-1].ID
	}
}

// entry finds an item that the audit began without: it may have been made since, be of another sale, or not exist.
func (r *run) entry(ctx context.Context, id seckill.ID) (entry, error) {
	if e, found := r.entries[id]; found {
		return e, nil
	}
	item, err := r.ports.Catalog.Item(ctx, id)
	if errors.Is(err, seckill.ErrNotFound) {
		return entry{item: seckill.Item{ID: id}}, nil
	}
	if err != nil {
		return entry{}, fmt.Errorf("read item %s: %w", id, err)
	}
	sale, err := r.ports.Catalog.Sale(ctx, item.Sale)
	if errors.Is(err, seckill.ErrNotFound) {
		return entry{item: seckill.Item{ID: id}}, nil
	}
	if err != nil {
		return entry{}, fmt.Errorf("read sale %s: %w", item.Sale, err)
	}
	return newEntry(sale, item), nil
}

// entryNow reads the sale of an entry again, after what is to be compared with it. A sale that is gone says what it said.
func (r *run) entryNow(ctx context.Context, e entry) (entry, error) {
	if !e.known {
		return e, nil
	}
	sale, err := r.ports.Catalog.Sale(ctx, e.sale)
	if errors.Is(err, seckill.ErrNotFound) {
		return e, nil
	}
	if err != nil {
		return entry{}, fmt.Errorf("read sale %s again: %w", e.sale, err)
	}
	for _, item := range sale.Items {
		if item.ID == e.item.ID {
			return newEntry(sale, item), nil
		}
	}
	return newEntry(sale, e.item), nil
}
