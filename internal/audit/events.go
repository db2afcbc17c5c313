package audit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	tableEvents     = "events"
	tableDispatches = "dispatches"
)

// telling is one event on its way to the shop, with what it is about, read after it.
type telling struct {
	event seckill.BookedEvent
	// home is the shard that it should be on, shard the one that it is on.
	shard, home int
	// One of these, or none when there is no such subject.
	order *seckill.Order
	sale  *seckill.Sale
	stock *seckill.Stock
	// running says that jobs are at work on it.
	running bool
}

type eventRule struct {
	id     string
	broken func(telling) string
}

type dispatchRule struct {
	id     string
	broken func(telling, seckill.BookedDispatch) string
}

// untold counts what an endpoint has still to be told, and what it will not be told unless an operator says so.
type untold struct{ waiting, dead int64 }

// readEvents goes through what the shop is still to be told of. That it waits is no fault, and what is dead is noted: an
// operator decides about it.
func (r *run) readEvents(ctx context.Context) error {
	left := make(map[string]untold)
	for shard := range r.ports.Shards.Count() {
		var after seckill.ID
		for more := true; more; {
			var err error
			if after, more, err = r.readEventPage(ctx, shard, after, left); err != nil {
				return fmt.Errorf("events of shard %d: %w", shard, err)
			}
		}
		if err := r.readLostDispatches(ctx, shard); err != nil {
			return err
		}
	}
	for _, endpoint := range slices.Sorted(maps.Keys(left)) {
		r.owed += left[endpoint].waiting
		if n := left[endpoint].waiting; n > 0 {
			r.note("%s is still to be told of %d events", endpoint, n)
		}
		if n := left[endpoint].dead; n > 0 {
			r.note("%s was not told of %d events, which are dead: an operator can have them tried again", endpoint, n)
		}
	}
	return nil
}

// readEventPage goes on where the first look ended, as readOwedPage does.
func (r *run) readEventPage(
	ctx context.Context, shard int, after seckill.ID, left map[string]untold,
) (next seckill.ID, more bool, err error) {
	looked := false
	err = r.confirm(ctx, func(ctx context.Context) ([]Finding, error) {
		page, err := r.ports.Books.EventsAfter(ctx, shard, after, pageSize)
		if err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
		if !looked && len(page) == pageSize {
			next, more = page[len(page)-1].ID, true
		}
		tellings, err := r.subjectsOf(ctx, shard, page)
		if err != nil {
			return nil, err
		}
		if !looked {
			count(tellings, left)
		}
		looked = true
		return judgeEvents(tellings), nil
	})
	return next, more, err
}

func count(tellings []telling, left map[string]untold) {
	for _, t := range tellings {
		for _, d := range t.event.Dispatches {
			n := left[d.Endpoint]
			if d.Dead {
				n.dead++
			} else {
				n.waiting++
			}
			left[d.Endpoint] = n
		}
	}
}

// subjectsOf reads what events are about, which was written with them or before, and leaves out the events of other sales
// than the one that is audited.
func (r *run) subjectsOf(ctx context.Context, shard int, page []seckill.BookedEvent) ([]telling, error) {
	var ids []seckill.ID
	for _, event := range page {
		if event.Type.OfOrder() {
			ids = append(ids, event.Subject)
		}
	}
	orders, err := r.ordersOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	var tellings []telling
	for _, event := range page {
		t := telling{
			event: event, shard: shard, home: r.ports.Shards.Shard(event.Subject.Bucket()), running: r.ports.Lent != nil,
		}
		switch {
		case event.Type.OfOrder():
			t.order = orders[event.Subject]
		case event.Type.OfSale():
			t.home = 0
			t.sale, err = r.saleNow(ctx, event.Subject)
		default:
			t.stock, err = r.stockNow(ctx, event.Subject)
		}
		if err != nil {
			return nil, err
		}
		if r.whole || r.concerns(t) {
			tellings = append(tellings, t)
		}
	}
	return tellings, nil
}

// concerns says whether an event is about the sale that is audited.
func (r *run) concerns(t telling) bool {
	switch {
	case t.order != nil:
		return r.entries.has(t.order.Item)
	case t.sale != nil:
		return slices.ContainsFunc(r.sales, func(sale seckill.Sale) bool { return sale.ID == t.sale.ID })
	default:
		return t.stock != nil && r.entries.has(t.stock.Item)
	}
}

// saleNow reads a sale, nil when there is none.
func (r *run) saleNow(ctx context.Context, id seckill.ID) (*seckill.Sale, error) {
	sale, err := r.ports.Catalog.Sale(ctx, id)
	switch {
	case errors.Is(err, seckill.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read the sale of an event: %w", err)
	default:
		return &sale, nil
	}
}

// stockNow reads an item's stock, nil when there is none.
func (r *run) stockNow(ctx context.Context, item seckill.ID) (*seckill.Stock, error) {
	facts, err := r.ports.Books.Facts(ctx, item)
	switch {
	case errors.Is(err, seckill.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read the item of an event: %w", err)
	default:
		return &facts.Stock, nil
	}
}

func judgeEvents(tellings []telling) []Finding {
	var findings []Finding
	for _, t := range tellings {
		for _, rule := range eventRules() {
			if detail := rule.broken(t); detail != "" {
				findings = append(findings, eventFinding(rule.id, t, tableEvents, t.event.ID.String(), detail))
			}
		}
		for _, d := range t.event.Dispatches {
			for _, rule := range dispatchRules() {
				if detail := rule.broken(t, d); detail != "" {
					findings = append(findings, eventFinding(rule.id, t, tableDispatches, dispatchKey(d.Endpoint, t.event.ID), detail))
				}
			}
		}
	}
	return findings
}

func eventFinding(id string, t telling, table, key, detail string) Finding {
	f := Finding{ID: id, Table: table, Key: key, Detail: detail}
	switch {
	case t.order != nil:
		f.Item, f.Reservation = t.order.Item, t.order.ID
	case t.stock != nil:
		f.Item = t.stock.Item
	}
	return f
}

func dispatchKey(endpoint string, event seckill.ID) string { return endpoint + " " + event.String() }

// readLostDispatches names dispatches of which nobody knows what to tell. An event is deleted with its last one.
func (r *run) readLostDispatches(ctx context.Context, shard int) error {
	if !r.whole {
		return nil
	}
	err := r.confirm(ctx, func(ctx context.Context) ([]Finding, error) {
		lost, err := r.ports.Books.LostDispatches(ctx, shard, findingsMax)
		var findings []Finding
		for _, d := range lost {
			findings = append(findings, Finding{
				ID: "dispatch_without_event", Table: tableDispatches, Key: dispatchKey(d.Endpoint, d.ID),
				Detail: fmt.Sprintf("%s is to be told of event %s, which there is not", d.Endpoint, d.ID),
			})
		}
		return findings, err
	})
	if err != nil {
		return fmt.Errorf("look for lost dispatches: %w", err)
	}
	return nil
}
