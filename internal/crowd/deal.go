package crowd

import (
	"fmt"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/api"
)

// deal is an order after the click: what its shopper did about it, and what was heard of it since.
type deal struct {
	id       string
	quantity int64
	payBy    time.Time
	status   api.OrderStatus
	version  int64

	// givenUp says that the shopper asked for its end, tried that a payment was begun. offeredAt is when the money was
	// first offered to the provider, zero while it was not.
	givenUp   bool
	tried     bool
	offeredAt time.Time
	// unpaidAt is the last moment at which it is known to have been unpaid. overdue says that this was noted as too late.
	unpaidAt time.Time
	overdue  bool
}

func newDeal(order api.Order) *deal {
	return &deal{id: order.ID, quantity: order.Quantity, payBy: order.PayBy, status: api.OrderStatusUnpaid}
}

// decided says that nothing more happens to it unless an operator wants it.
func (d *deal) decided() bool { return d.status != api.OrderStatusUnpaid }

// look is one reading of an order: asked and heard are the times around it on the server's clock.
type look struct {
	order        api.Order
	asked, heard time.Time
}

// hear holds a reading against everything heard before, and returns what cannot be true.
func (d *deal) hear(l look, closeWithin, slack time.Duration) []Problem {
	var found []Problem
	now, version := l.order.Status, l.order.Version
	news := d.status != now
	if !follows(d.status, now) || version < d.version || (news && version == d.version) {
		found = append(found, d.problem(TurnedBack, "it was %s at version %d, and is %s at version %d now", d.status, d.version, now, version))
	}
	switch {
	case now == api.OrderStatusUnpaid:
		found = append(found, d.hearUnpaid(l, closeWithin+slack)...)
	case news && now == api.OrderStatusCancelled:
		found = append(found, d.hearCancelled(l, slack)...)
	case news:
		found = append(found, d.hearPaid(now, slack)...)
	}
	d.status, d.version = now, version
	return found
}

func (d *deal) problem(kind ProblemKind, format string, args ...any) Problem {
	return Problem{Kind: kind, Reservation: d.id, Detail: fmt.Sprintf(format, args...)}
}

func (d *deal) hearUnpaid(l look, closeWithin time.Duration) []Problem {
	d.unpaidAt = l.asked
	late := l.asked.Sub(d.payBy)
	if late <= closeWithin || d.overdue {
		return nil
	}
	d.overdue = true
	return []Problem{d.problem(Overdue, "it is unpaid %s after its deadline", late.Round(time.Millisecond))}
}

func (d *deal) hearCancelled(l look, slack time.Duration) []Problem {
	left := d.payBy.Sub(l.heard)
	if d.givenUp || left <= slack {
		return nil
	}
	return []Problem{d.problem(CancelledEarly, "it was cancelled %s before its deadline, and nobody asked for that", left.Round(time.Millisecond))}
}

func (d *deal) hearPaid(now api.OrderStatus, slack time.Duration) []Problem {
	var found []Problem
	if !d.tried {
		found = append(found, d.problem(PaidUnasked, "it is %s, and nobody began to pay", now))
	}
	if late := d.offeredAt.Sub(d.payBy); late > slack {
		found = append(found, d.problem(PaidLate, "it is %s, with money offered %s after its deadline", now, late.Round(time.Millisecond)))
	}
	return found
}

// follows says whether an order that had one status may have the other later.
func follows(before, after api.OrderStatus) bool {
	if before == after || before == api.OrderStatusUnpaid {
		return true
	}
	money := []api.OrderStatus{api.OrderStatusPaid, api.OrderStatusRefunding, api.OrderStatusRefunded}
	return slices.Contains(money, before) && slices.Index(money, after) > slices.Index(money, before)
}

// deal is the one of an order; one that is new is begun with the order.
func (s *shopper) deal(order api.Order) *deal {
	for _, d := range s.deals {
		if d.id == order.ID {
			return d
		}
	}
	d := newDeal(order)
	s.deals = append(s.deals, d)
	return d
}

// knows says that an answer promised this order.
func (s *shopper) knows(order api.Order) bool {
	for _, p := range s.purchases {
		if p.id == order.ID {
			return true
		}
	}
	return false
}

// hearOrder notes a reading in memory and on file.
func (c *crowd) hearOrder(s *shopper, l look) *deal {
	known := len(s.deals)
	d := s.deal(l.order)
	if len(s.deals) > known && !s.knows(l.order) {
		c.resale.bought(l.order.CreatedAt, d.quantity)
	}
	if l.order.Payment != nil {
		c.began(l.order.Payment.ID, d.id) // by a call whose answer was lost
	}
	before := d.status
	for _, problem := range d.hear(l, c.config.CloseWithin, c.config.ClockSlack) {
		problem.User = s.user
		c.problems.add(problem)
	}
	if d.status == before {
		return d
	}
	c.ledger.note(entry{User: s.user, Quantity: d.quantity, Answer: string(d.status), Reservation: d.id})
	c.tally.moved()
	if d.status == api.OrderStatusCancelled {
		c.tally.cancelled.Add(1)
		c.resale.returned(d.cameBack(l), d.quantity, d.givenUp)
	} else if before == api.OrderStatusUnpaid {
		c.tally.paid.Add(1)
	}
	return d
}

// cameBack is when the units of a cancelled order became free, or a moment before that: the answer to whoever cancelled
// it, else its deadline, or the last time it was seen unpaid.
func (d *deal) cameBack(l look) time.Time {
	switch {
	case d.givenUp || d.payBy.After(l.heard):
		return l.heard
	case d.unpaidAt.After(d.payBy):
		return d.unpaidAt
	default:
		return d.payBy
	}
}
