package crowd

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/seckill-dev/seckill/api"
)

const (
	// thinkMax is how long a shopper looks for the wallet.
	thinkMax = 500 * time.Millisecond
	// lookAgain is the longest wait between two looks at an order that is to be decided at any moment.
	lookAgain = time.Second
)

// live goes on after the click: each order gets what the shopper's part says. Who went away empty-handed waits in line.
func (c *crowd) live(ctx context.Context, s *shopper) {
	c.await(ctx, s)
	if !s.holdsAny() && s.mayHold() == 0 && c.buyFromLine(ctx, s, false).promised() {
		c.await(ctx, s)
	}
	for _, p := range s.purchases { // what is bought again meanwhile is paid where it is bought
		if p.promised() && p.decided {
			c.act(ctx, s, p)
		}
	}
}

// holdsAny says that the shopper has got something.
func (s *shopper) holdsAny() bool {
	for _, p := range s.purchases {
		if p.promised() {
			return true
		}
	}
	return false
}

// mayHold counts the answers of which each may be an order that the shopper does not know.
func (s *shopper) mayHold() int {
	unsure := 0
	for _, p := range s.purchases {
		unsure += p.lost + len(p.maybe)
	}
	return unsure
}

// act plays the shopper's part on one order.
func (c *crowd) act(ctx context.Context, s *shopper, p *purchase) {
	l, ok := c.readOrder(ctx, s, p.id)
	if !ok {
		return // what is missing is found when orders are compared
	}
	d := c.hearOrder(s, l)
	if d.decided() {
		return
	}
	switch s.part {
	case payInTime:
		c.pay(ctx, s, d, "pay")
	case payTwice:
		c.pay(ctx, s, d, "twice")
	case payLate:
		c.payLate(ctx, s, d)
	case cancelIt:
		c.cancel(ctx, s, d)
		c.askAgain(ctx, s, p)
	case cancelOnce:
		if c.cancel(ctx, s, d) {
			c.buyAgain(ctx, s)
		}
	default:
		c.sitOut(ctx, s, d)
	}
}

// pay pays at once, more or less, and waits for what becomes of it.
func (c *crowd) pay(ctx context.Context, s *shopper, d *deal, behave string) {
	if c.pause(ctx, time.Duration(s.random.Float64()*float64(thinkMax))) != nil {
		return
	}
	if url, ok := c.beginPayment(ctx, s, d); ok {
		c.offer(ctx, s, d, url, behave)
	}
	c.follow(ctx, s, d)
}

// payLate begins to pay in time, and goes through with it when it is too late, half of the time without any doubt.
func (c *crowd) payLate(ctx context.Context, s *shopper, d *deal) {
	url, begun := c.beginPayment(ctx, s, d)
	if c.waitUntil(ctx, d.payBy.Add(time.Duration(s.random.Float64()*2*float64(c.config.ClockSlack)))) != nil {
		return
	}
	if begun {
		c.offer(ctx, s, d, url, "late")
	}
	c.follow(ctx, s, d)
}

// sitOut waits for the end of an order that nobody pays.
func (c *crowd) sitOut(ctx context.Context, s *shopper, d *deal) {
	if c.waitUntil(ctx, d.payBy) == nil {
		c.follow(ctx, s, d)
	}
}

// cancel gives an order up. False: it was decided otherwise, or nobody can say.
func (c *crowd) cancel(ctx context.Context, s *shopper, d *deal) bool {
	d.givenUp = true
	asked := c.now()
	r, err := c.insist(ctx, s, call{lane: paying, method: http.MethodPost, url: "/v1/orders/" + d.id + "/cancel", token: s.token})
	if err != nil {
		return false
	}
	var order api.Order
	if r.status == http.StatusOK && r.into(&order) == nil && order.ID == d.id {
		c.hearOrder(s, look{order, asked, c.now()})
	}
	if d.status == api.OrderStatusCancelled {
		return true
	}
	// Refused: the deadline was faster, or it is a lie.
	c.follow(ctx, s, d)
	if d.status != api.OrderStatusCancelled || asked.Before(d.payBy.Add(-c.config.ClockSlack)) {
		c.problems.add(Problem{
			Kind: NotCancelled, User: s.user, Reservation: d.id,
			Detail: fmt.Sprintf("asked in time, answered %d %s; it is %s", r.status, r.problem.Detail, d.status),
		})
	}
	return false
}

// askAgain repeats the purchase of a cancelled order: its key must go on naming it, and buy nothing.
func (c *crowd) askAgain(ctx context.Context, s *shopper, p *purchase) {
	if p.key != "" {
		c.ask(ctx, s, p)
	}
}

// follow looks at an order until it is decided.
func (c *crowd) follow(ctx context.Context, s *shopper, d *deal) {
	if d.offeredAt.IsZero() || d.offeredAt.After(d.payBy) {
		c.expect(d.payBy.Add(c.config.CloseWithin)) // only its end is to be expected
	}
	for patience := 0; !d.decided(); patience++ {
		if l, ok := c.readOrder(ctx, s, d.id); ok {
			c.hearOrder(s, l)
		}
		if d.decided() {
			return
		}
		if c.pause(ctx, min(firstWait<<min(patience, 10), lookAgain)) != nil {
			c.problems.add(Problem{Kind: Undecided, User: s.user, Reservation: d.id, Detail: "the order is unpaid, and nothing decided it"})
			return
		}
	}
}

// readOrder reads one order. It is no progress: who looks and looks gets nowhere.
func (c *crowd) readOrder(ctx context.Context, s *shopper, id string) (look, bool) {
	for patience := 0; ; patience++ {
		l := look{asked: c.now()}
		r, err := c.client.do(ctx, call{lane: paying, method: http.MethodGet, url: "/v1/orders/" + id, token: s.token})
		l.heard = c.now()
		if err == nil && r.status == http.StatusOK && r.into(&l.order) == nil && l.order.ID == id {
			return l, true
		}
		if err == nil && r.problem.Reason == api.ReasonNotFound {
			return look{}, false
		}
		if c.hold(ctx, s, r.retryAfter, patience) != nil {
			return look{}, false
		}
	}
}

// now is the server's clock.
func (c *crowd) now() time.Time { return time.Now().Add(c.ahead) }

// expect says that somebody can only wait for a moment of the server's clock.
func (c *crowd) expect(moment time.Time) { c.tally.expect(moment.Add(-c.ahead)) }

// waitUntil waits for a moment of the server's clock; that is no standstill.
func (c *crowd) waitUntil(ctx context.Context, moment time.Time) error {
	c.expect(moment)
	return c.pause(ctx, moment.Sub(c.now()))
}
