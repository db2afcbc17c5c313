package crowd

import "context"

// finish waits for the end of orders that a shopper did not know of, or that stood open when the rush was given up: nobody
// pays them any more.
func (c *crowd) finish(ctx context.Context, s *shopper) {
	if !c.config.Mix.on() || (s.mayHold() == 0 && !s.undecided()) {
		return
	}
	asked := c.now()
	orders, err := c.ordersOf(ctx, s)
	if err != nil {
		return // comparing finds the same, and says so
	}
	for _, order := range orders {
		if d := c.hearOrder(s, look{order, asked, c.now()}); !d.decided() {
			c.sitOut(ctx, s, d)
		}
	}
}

// undecided says that an order of the shopper's may still be unpaid.
func (s *shopper) undecided() bool {
	for _, d := range s.deals {
		if !d.decided() {
			return true
		}
	}
	promised := 0
	for _, p := range s.purchases {
		if p.promised() {
			promised++
		}
	}
	return promised > len(s.deals)
}
