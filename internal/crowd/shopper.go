package crowd

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/seckill-dev/seckill/api"
)

// shopper is one user: how they behave, and what they remember. One goroutine at a time uses it.
type shopper struct {
	user      string
	token     string
	random    *rand.Rand
	part      part
	purchases []*purchase
	deals     []*deal
}

// newShopper draws the part from a source of its own, so that it depends on nothing that happens.
func newShopper(config Config, number int) *shopper {
	random := rand.New(rand.NewPCG(config.Seed, uint64(number)))
	return &shopper{
		user: fmt.Sprintf("%s-%d", config.Name, number), random: random,
		part: config.Mix.draw(rand.New(rand.NewPCG(uint64(number), config.Seed))),
	}
}

// habit is how a shopper repeats.
type habit int

const (
	sameKey habit = iota // one purchase, asked for again and again
	newKeys              // a new key each time, each sent twice now and then
	noKey                // a double click without any key
	habits
)

// buy plays one shopper at the opening.
func (c *crowd) buy(ctx context.Context, s *shopper) {
	arrival := max(0, time.Until(c.opens)) + time.Duration(s.random.Float64()*float64(c.config.Spread))
	if err := c.pause(ctx, arrival); err != nil {
		return
	}
	tries := 1 + s.random.IntN(c.config.TriesMax)
	switch habit(s.random.IntN(int(habits))) {
	case sameKey:
		p := c.want(s, true)
		for range tries {
			c.ask(ctx, s, p)
		}
	case newKeys:
		for range tries {
			p := c.want(s, true)
			c.ask(ctx, s, p)
			if s.random.IntN(2) == 0 {
				c.ask(ctx, s, p)
			}
		}
	default:
		for range tries {
			c.ask(ctx, s, c.want(s, false))
		}
	}
}

// want begins a purchase.
func (c *crowd) want(s *shopper, keyed bool) *purchase {
	p := &purchase{quantity: 1 + s.random.Int64N(max(1, c.item.LimitPerUser))}
	if keyed {
		p.key = fmt.Sprintf("%s-cart-%d", s.user, len(s.purchases))
	}
	s.purchases = append(s.purchases, p)
	return p
}

// ask sends a purchase until it is answered for good, or the phase is given up.
func (c *crowd) ask(ctx context.Context, s *shopper, p *purchase) answer {
	if ctx.Err() != nil {
		return answer{}
	}
	c.tally.asked.Add(1)
	for patience := 0; ; patience++ {
		held := p.id != ""
		a := c.reserve(ctx, s, p)
		if a.kind == unknown && p.key == "" && a.id != "" {
			// Without a key nothing can be repeated safely: look it up instead.
			if found, ok := c.lookUp(ctx, s, p, a.id); ok {
				a = found
			}
		}
		if !a.passing() {
			c.count(a, held)
			if !p.inLine || a.kind != refused {
				c.tally.moved() // to be refused over and over, waiting for units, gets nobody anywhere
			}
			c.watchResale(p, a, held)
			return a
		}
		if err := c.hold(ctx, s, a.retryAfter, patience); err != nil {
			c.tally.unanswered.Add(1)
			c.problems.add(Problem{Kind: Unanswered, User: s.user, Detail: fmt.Sprintf("the last answer was %s %s %s", a.kind, a.reason, a.detail)})
			return a
		}
	}
}

// watchResale notes when units were sold, and when there were none left.
func (c *crowd) watchResale(p *purchase, a answer, held bool) {
	switch {
	case a.kind == accepted && !held:
		p.boughtAt = c.now()
		c.resale.bought(p.boughtAt, p.quantity)
	case a.reason == api.ReasonSoldOut && a.available != nil && *a.available == 0:
		c.resale.empty(c.now())
	}
}

func (c *crowd) reserve(ctx context.Context, s *shopper, p *purchase) answer {
	a := readAnswer(c.client.do(ctx, call{
		method: http.MethodPost, url: "/v1/items/" + c.item.ID + "/reservations",
		token: s.token, key: p.key, body: api.ReserveRequest{Quantity: p.quantity},
	}))
	c.hear(s, p, a)
	return a
}

// hear notes an answer in memory and on file.
func (c *crowd) hear(s *shopper, p *purchase, a answer) {
	before := p.rejection
	for _, problem := range p.hear(a) {
		problem.User = s.user
		c.problems.add(problem)
	}
	if p.rejection != before {
		c.rejected(s, p)
	}
	c.ledger.note(entry{
		User: s.user, Key: p.key, Quantity: p.quantity, Answer: string(a.kind), Reason: a.reason, Reservation: a.id, Detail: a.detail,
	})
}

// lookUp asks how a reservation stands that may exist. False: it does not, or nobody can say.
func (c *crowd) lookUp(ctx context.Context, s *shopper, p *purchase, id string) (answer, bool) {
	for patience := 0; ; patience++ {
		r, err := c.client.do(ctx, call{method: http.MethodGet, url: c.reservation(id), token: s.token})
		if err == nil && r.status == http.StatusOK {
			var found api.Reservation
			if r.into(&found) == nil {
				a := told(found.ID, found.Quantity, found.Status, found.Reason, false)
				c.hear(s, p, a)
				return a, true
			}
		}
		if err == nil && r.problem.Reason == api.ReasonNotFound {
			return answer{}, false
		}
		if c.hold(ctx, s, r.retryAfter, patience) != nil {
			return answer{}, false
		}
	}
}

func (c *crowd) reservation(id string) string {
	return "/v1/items/" + c.item.ID + "/reservations/" + id
}

// count puts a definite answer into its column.
func (c *crowd) count(a answer, held bool) {
	switch {
	case a.kind == accepted && held:
		c.tally.replayed.Add(1)
	case a.kind == accepted:
		c.tally.queued.Add(1)
	case a.reason == api.ReasonSoldOut && a.kind == refused:
		c.tally.soldOut.Add(1)
	case a.reason == api.ReasonLimitReached && a.kind == refused:
		c.tally.limitReached.Add(1)
	default:
		c.tally.refused.Add(1)
	}
}

const firstWait = 50 * time.Millisecond

// hold waits as politely as the server asks for, or longer each time, a little differently for everybody.
func (c *crowd) hold(ctx context.Context, s *shopper, retryAfter time.Duration, patience int) error {
	c.tally.busy.Add(1)
	wait := retryAfter
	if wait == 0 {
		wait = firstWait << min(patience, 10)
	}
	wait = min(wait, c.config.RetryAfterMax)
	return c.pause(ctx, wait+time.Duration(s.random.Float64()*float64(wait)/2))
}

func (c *crowd) pause(ctx context.Context, wait time.Duration) error {
	if wait <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return context.Cause(ctx)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
