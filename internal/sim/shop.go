package sim

import (
	"context"
	"errors"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// shop is told what happens, and remembers.
type shop struct {
	*world

	name string
	told map[seckill.ID]seckill.Event
	last map[seckill.ID]int64
}

func newShop(w *world, name string) *shop {
	return &shop{world: w, name: name, told: map[seckill.ID]seckill.Event{}, last: map[seckill.ID]int64{}}
}

// shopPort is the shop as a keeper reaches it.
type shopPort struct {
	*shop

	p *process
}

// shopNames are what the dispatches of each are kept under.
func (w *world) shopNames() (names []string) {
	for _, s := range w.shops {
		names = append(names, s.name)
	}
	return names
}

var errShop = errors.New("the shop answers 500")

// Name implements seckill.Endpoint.
func (x shopPort) Name() string { return x.name }

// Tell implements seckill.Endpoint.
func (x shopPort) Tell(ctx context.Context, event seckill.Event) error {
	if x.p.skips(toldEarly) && x.shopAway {
		return nil
	}
	return tell(ctx, x.p, shopTell, about{id: event.Subject, says: []any{event.Type, event.Version}}, func(context.Context) error {
		if x.shopAway {
			return errShop
		}
		x.hear(event)
		return nil
	})
}

// hear notes an event, and that events of one subject come in the order of their versions.
func (s *shop) hear(e seckill.Event) {
	known, again := s.told[e.ID]
	switch {
	case again && (known.Type != e.Type || known.Subject != e.Subject || known.Version != e.Version):
		s.broken("events are told", 0, []any{e.Subject}, "%s was %+v and is %+v", e.ID, known, e)
	case !again && e.Version <= s.last[e.Subject]:
		s.broken("events come in order", 0, []any{e.Subject}, "version %d of %s after %d", e.Version, e.Subject, s.last[e.Subject])
	}
	s.told[e.ID] = e
	s.last[e.Subject] = max(s.last[e.Subject], e.Version)
}

// checkTold says whether the shop was told of every step of an order that it is to be told of, and of nothing else.
func (s *shop) checkTold(order seckill.Order, steps []seckill.OrderEvent) {
	due := map[int64]seckill.EventType{}
	for _, step := range steps {
		if kind := step.State.Told(); kind != "" {
			due[step.Version] = kind
		}
	}
	for _, e := range s.told {
		if e.Subject != order.ID {
			continue
		}
		if due[e.Version] != e.Type {
			s.broken("events are told", order.Item, []any{order.ID}, "the shop was told %s at version %d", e.Type, e.Version)
		}
		delete(due, e.Version)
	}
	if len(due) > 0 {
		s.broken("events are told", order.Item, []any{order.ID}, "the shop was never told %v", due)
	}
}
