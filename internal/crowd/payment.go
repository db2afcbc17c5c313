package crowd

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/seckill-dev/seckill/api"
)

// offerFor is how long after the deadline a shopper still tries to reach the provider.
const offerFor = 10 * time.Second

// beginPayment asks for a place to pay; there is none where nothing is to be paid. False: it is too late, and the order
// says so.
func (c *crowd) beginPayment(ctx context.Context, s *shopper, d *deal) (url string, ok bool) {
	d.tried = true
	r, err := c.insist(ctx, s, call{lane: paying, method: http.MethodPost, url: "/v1/orders/" + d.id + "/payments", token: s.token})
	if err != nil {
		return "", false
	}
	var begun api.Payment
	if r.status < http.StatusBadRequest && r.into(&begun) == nil && begun.ID != "" {
		c.began(begun.ID, d.id)
		return begun.PayURL, true
	}
	if left := d.payBy.Sub(c.now()); left > c.config.ClockSlack && !d.decided() {
		c.problems.add(Problem{
			Kind: Unpayable, User: s.user, Reservation: d.id,
			Detail: fmt.Sprintf("%s before its deadline a payment was answered %d %s", left.Round(time.Millisecond), r.status, r.problem.Detail),
		})
	}
	return "", false
}

// began notes which order a payment is of: the provider knows only the payment.
func (c *crowd) began(payment, order string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.payments[payment] = order
}

// offer gives the money to the provider. What the provider makes of it is in its ledger; who hears nothing tries again,
// and may pay twice that way, as people do.
func (c *crowd) offer(ctx context.Context, s *shopper, d *deal, url, behave string) {
	for patience := 0; url != ""; patience++ {
		if d.offeredAt.IsZero() {
			d.offeredAt = c.now()
		}
		r, err := c.client.do(ctx, call{
			lane: paying, method: http.MethodPost, url: url, body: map[string]string{"behave": behave}, outside: true,
		})
		if err == nil && r.status < http.StatusInternalServerError && r.status != http.StatusTooManyRequests {
			c.ledger.note(entry{User: s.user, Answer: fmt.Sprintf("provider %d", r.status), Reservation: d.id})
			return
		}
		if c.now().After(d.payBy.Add(offerFor)) || c.hold(ctx, s, r.retryAfter, patience) != nil {
			return
		}
	}
}
