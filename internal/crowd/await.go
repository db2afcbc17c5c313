package crowd

import (
	"context"
	"net/http"
	"time"

	"github.com/seckill-dev/seckill/api"
)

const (
	// awaitFor is how long one look waits for the decision.
	awaitFor     = "10s"
	awaitTimeout = 20 * time.Second
	// missesMax is how often a reservation may be unknown before the shopper stops asking.
	missesMax = 3
)

// await waits until everything that one shopper was promised is decided, and what nobody knows of as well.
func (c *crowd) await(ctx context.Context, s *shopper) {
	for _, p := range s.purchases {
		for _, id := range p.maybe {
			if id != p.id {
				c.awaitOne(ctx, s, id)
			}
		}
		if p.id == "" || p.decided {
			continue
		}
		found, ok := c.awaitOne(ctx, s, p.id)
		switch {
		case ctx.Err() != nil:
			c.problems.add(Problem{Kind: Undecided, User: s.user, Reservation: p.id, Detail: "it was queued, and nothing decided it"})
			return
		case !ok:
			p.decided = true
			c.problems.add(Problem{Kind: UnknownHeld, User: s.user, Reservation: p.id, Detail: "it was queued, and is not found now"})
		case found.Status == api.ReservationStatusRejected:
			p.reject(found.Reason)
			c.rejected(s, p)
		default:
			p.decided = true
			c.tally.ordered.Add(1)
		}
	}
}

// rejected judges a rejection after `queued`.
func (c *crowd) rejected(s *shopper, p *purchase) {
	c.tally.rejected.Add(1)
	if !p.boughtAt.IsZero() {
		c.resale.returned(p.boughtAt, p.quantity, false)
	}
	if !c.config.AllowRejected {
		c.problems.add(Problem{Kind: Rejected, User: s.user, Reservation: p.id, Detail: "it was queued, then rejected: " + string(p.rejection)})
	}
}

// awaitOne looks at a reservation until it is decided. False: it is not there, or the phase is given up.
func (c *crowd) awaitOne(ctx context.Context, s *shopper, id string) (api.Reservation, bool) {
	misses := 0
	for patience := 0; ; patience++ {
		var found api.Reservation
		r, err := c.client.do(ctx, call{
			lane: waiting, method: http.MethodGet, url: c.reservation(id) + "?wait=" + awaitFor, token: s.token, timeout: awaitTimeout,
		})
		if err == nil && r.status == http.StatusOK && r.into(&found) == nil {
			if found.Status != api.ReservationStatusQueued {
				c.tally.moved()
				c.ledger.note(entry{User: s.user, Answer: string(found.Status), Reason: found.Reason, Reservation: id})
				return found, true
			}
			patience = 0
		}
		if err == nil && r.problem.Reason == api.ReasonNotFound {
			if misses++; misses == missesMax {
				c.tally.moved()
				return found, false
			}
		}
		if c.hold(ctx, s, r.retryAfter, patience) != nil {
			return found, false
		}
	}
}
