package ledger

import (
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// The widths of columns that outside bytes may be too long for.
const (
	userMax    = 64
	keyHashMax = 22
)

// check asks every guard for what was decided.
func (s *settling) check() error {
	if s.stuck {
		return fmt.Errorf("write %d claims: %w: a key is known", len(s.claims), seckill.ErrTransient)
	}
	for _, item := range s.items {
		if err := s.db.checkStock(item.stock, nil); err != nil {
			return err
		}
	}
	for _, c := range s.claims {
		if c.Quantity <= 0 || len(c.User) > userMax || len(c.KeyHash) > keyHashMax {
			return fmt.Errorf("write %d claims: %w: claim %s", len(s.claims), seckill.ErrPoison, c.ID)
		}
	}
	return nil
}

// commit writes what check has let through, and the orders that are placed with their claims.
func (s *settling) commit(orders []seckill.Order) {
	for _, item := range s.items {
		s.db.writeStock(item.stock, nil)
	}
	for _, id := range s.keyless {
		c := *s.db.claims.byID.get(id)
		c.KeyHash = id.String()
		s.db.claims.update(c)
	}
	for _, id := range s.revived {
		c := *s.db.claims.byID.get(id)
		c.State = seckill.ClaimHeld
		s.db.claims.update(c)
	}
	for _, c := range s.claims {
		s.db.claims.insert(*c)
	}
	s.db.owe(s.owed...)
	s.db.place(orders)
	for _, item := range s.items {
		if event, isTold := seckill.NewSoldOutEvent(item.before, item.stock); isTold {
			s.db.tell(event)
		}
	}
}

// placeable are the orders that can be placed with their claims: none, unless every reservation has become a new claim that
// is held. Then those with an order are ordered.
func (s *settling) placeable(messages []seckill.Message, terms map[seckill.ID]seckill.Terms) []seckill.Order {
	var all int
	var wanted []seckill.NewOrder
	router := s.db.ledger.router
	for _, m := range messages {
		all += len(m.Reservations)
		t, known := terms[m.Item]
		for _, r := range m.Reservations {
			if known && seckill.UserShard(router, r.User) == s.db.number {
				wanted = append(wanted, t.Order(r.ID, m.Item, r.User, r.Quantity))
			}
		}
	}
	if s.db.lacks(LackPlaceOrdered) {
		s.order()
		return nil
	}
	if len(s.claims) != all || len(s.result.Held) != all || len(s.result.Ahead) > 0 {
		return nil
	}
	orders, err := s.db.newOrders(wanted)
	if err != nil || len(orders) != len(wanted) { // one that can never be placed, or is another's
		return nil
	}
	s.divide(orders)
	return orders
}

// order marks claims as ordered without an order, as LackPlaceOrdered has it.
func (s *settling) order() {
	for _, c := range s.claims {
		c.Ordered = c.State == seckill.ClaimHeld
	}
}

// divide tells the claims that have an order from the others.
func (s *settling) divide(orders []seckill.Order) {
	for _, order := range orders {
		s.fresh[order.ID].Ordered = true
	}
	var others []seckill.Claim
	for _, held := range s.result.Held {
		if held.Ordered = s.fresh[held.ID].Ordered; held.Ordered {
			s.result.Ordered = append(s.result.Ordered, held)
		} else {
			others = append(others, held)
		}
	}
	s.result.Held = others
}
