package archive

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// shownMax is how many reasons a refusal names.
const shownMax = 20

// refuse names what stands in the way of an archive, if anything does.
func refuse(sale seckill.Sale, debts []string) error {
	if len(debts) == 0 {
		return nil
	}
	shown := debts[:min(len(debts), shownMax)]
	text := strings.Join(shown, "; ")
	if more := len(debts) - len(shown); more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return seckill.Refuse(seckill.Conflict, fmt.Sprintf("sale %s cannot be put away yet: %s", sale.ID, text))
}

// owing collects what a sale still owes.
type owing struct {
	ports Ports
	items map[seckill.ID]bool
	debts []string
}

func (o *owing) add(format string, args ...any) {
	o.debts = append(o.debts, fmt.Sprintf(format, args...))
}

// refuseDebts looks wherever something may be owed, besides claims and orders, which are read later and once.
func (s *Service) refuseDebts(ctx context.Context, sale seckill.Sale) error {
	o := &owing{ports: s.ports, items: itemsOf(sale)}
	for _, look := range []func(context.Context) error{o.lookAtStock, o.lookAtRedis, o.lookAtOutboxes, o.lookAtEvents, o.lookAtLetters} {
		if err := look(ctx); err != nil {
			return fmt.Errorf("archive sale %s: %w", sale.ID, err)
		}
	}
	return refuse(sale, o.debts)
}

func itemsOf(sale seckill.Sale) map[seckill.ID]bool {
	items := make(map[seckill.ID]bool, len(sale.Items))
	for _, item := range sale.Items {
		items[item.ID] = true
	}
	return items
}

func (o *owing) lookAtStock(ctx context.Context) error {
	for _, item := range slices.Sorted(maps.Keys(o.items)) {
		stock, err := o.ports.Stocks.Get(ctx, item)
		switch {
		case errors.Is(err, seckill.ErrNotFound): // never preloaded
		case err != nil:
			return fmt.Errorf("read stock: %w", err)
		case stock.State != seckill.StockClosed:
			o.add("the stock of item %s is %s, not closed", item, stock.State)
		case stock.Doubt > 0:
			o.add("%d units of item %s are in doubt", stock.Doubt, item)
		}
	}
	return nil
}

// lookAtRedis: what Redis still owes the queue may become claims.
func (o *owing) lookAtRedis(ctx context.Context) error {
	states, err := o.ports.Lent.States(ctx, slices.Sorted(maps.Keys(o.items)))
	if err != nil {
		return fmt.Errorf("ask redis: %w", err)
	}
	for _, state := range states {
		if owed := state.Unsent + state.Unsettled; state.Known && owed > 0 {
			o.add("redis owes the queue %d batches of item %s", owed, state.Item)
		}
	}
	return nil
}

func (o *owing) lookAtOutboxes(ctx context.Context) error {
	counts := make(map[seckill.OwedKind]int)
	for shard := range o.ports.Shards.Count() {
		err := pages(func(after seckill.ID) ([]seckill.Owed, error) {
			return o.ports.Books.OwedAfter(ctx, shard, after, pageSize)
		}, func(owed seckill.Owed) seckill.ID {
			if o.items[owed.Item] {
				counts[owed.Kind]++
			}
			return owed.ID
		})
		if err != nil {
			return fmt.Errorf("read what shard %d owes: %w", shard, err)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		o.add("%d steps of kind %s are owed", counts[kind], kind)
	}
	return nil
}

// lookAtEvents: an event of an order is on the order's shard, one of a sale or an item wherever that is.
func (o *owing) lookAtEvents(ctx context.Context) error {
	untold, endpoints := 0, make(map[string]bool)
	for shard := range o.ports.Shards.Count() {
		var after seckill.ID
		for more := true; more; {
			page, err := o.ports.Archives.UntoldAfter(ctx, shard, after, pageSize)
			if err != nil {
				return err
			}
			mine, err := o.ours(ctx, page)
			if err != nil {
				return err
			}
			if err := o.askWho(ctx, shard, after, mine, endpoints); err != nil {
				return err
			}
			untold += len(mine)
			if more = len(page) == pageSize; more {
				after = page[len(page)-1].ID
			}
		}
	}
	if untold > 0 {
		o.add("somebody has still to be told of %d events of its orders: %s (seckill admin events list says why;"+
			" what will never be taken is given up with seckill admin events discard --endpoint NAME --waiting)",
			untold, strings.Join(slices.Sorted(maps.Keys(endpoints)), ", "))
	}
	return nil
}

// noEndpoint stands for those who are told of an event that is not addressed to anybody yet.
const noEndpoint = "nobody in particular yet"

// askWho notes the endpoints that are still to be told of these events, which come after one of a shard.
func (o *owing) askWho(ctx context.Context, shard int, after seckill.ID, events map[seckill.ID]bool, endpoints map[string]bool) error {
	if len(events) == 0 {
		return nil
	}
	booked, err := o.ports.Books.EventsAfter(ctx, shard, after, pageSize)
	if err != nil {
		return fmt.Errorf("read whom events wait for: %w", err)
	}
	for _, event := range booked {
		if events[event.ID] && len(event.Dispatches) == 0 {
			endpoints[noEndpoint] = true
		}
		for _, dispatch := range event.Dispatches {
			if events[event.ID] {
				endpoints[dispatch.Endpoint] = true
			}
		}
	}
	return nil
}

// ours are the events of orders of the sale.
func (o *owing) ours(ctx context.Context, events []seckill.Event) (map[seckill.ID]bool, error) {
	if len(events) == 0 {
		return nil, nil
	}
	subjects := make([]seckill.ID, len(events))
	for i, event := range events {
		subjects[i] = event.Subject
	}
	orders, err := o.ports.Books.OrdersOf(ctx, subjects)
	if err != nil {
		return nil, fmt.Errorf("read the orders of events: %w", err)
	}
	mine := maps.Clone(o.items)
	for _, order := range orders {
		if o.items[order.Item] {
			mine[order.ID] = true
		}
	}
	found := make(map[seckill.ID]bool)
	for _, event := range events {
		if mine[event.Subject] {
			found[event.ID] = true
		}
	}
	return found, nil
}

// lookAtLetters: one that cannot be read may be anybody's, and is not held against the sale.
func (o *owing) lookAtLetters(ctx context.Context) error {
	dead := 0
	err := pages(func(after seckill.ID) ([]seckill.DeadLetter, error) {
		return o.ports.DeadLetters.List(ctx, after, pageSize)
	}, func(letter seckill.DeadLetter) seckill.ID {
		if message, err := seckill.DecodeMessage(letter.Body); err == nil && o.items[message.Item] {
			dead++
		}
		return letter.ID
	})
	if err != nil {
		return fmt.Errorf("read the dead letters: %w", err)
	}
	if dead > 0 {
		o.add("%d dead letters wait for an operator", dead)
	}
	return nil
}

// pages reads page after page until one is not full, and hands over each row, whose place says where to go on.
func pages[T, P any](read func(after P) ([]T, error), each func(T) P) error {
	var after P
	for {
		page, err := read(after)
		if err != nil {
			return err
		}
		for _, row := range page {
			after = each(row)
		}
		if len(page) < pageSize {
			return nil
		}
	}
}
