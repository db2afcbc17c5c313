package crowd

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/api"
)

const (
	// glanceEvery is how often somebody looks into the shop window for all who stand in line.
	glanceEvery = 100 * time.Millisecond
	// figuresEvery is after how many glances the operators' figures are read.
	figuresEvery = 5
	// firstStand and longestStand bound how long a shopper stands in line before trying unasked.
	firstStand   = 4 * time.Second
	longestStand = time.Minute
	// lineIdle is after how long a line goes home in which, and before which, nothing happens.
	lineIdle = 5 * time.Second
	// firstLockedOut and longestLockedOut bound how long whoever holds nothing waits after limit_reached, out of the line: what
	// is in the window is not for them yet, and whoever comes for it with each glance keeps a busy system from hearing of what
	// came back, and others from buying it.
	firstLockedOut   = 500 * time.Millisecond
	longestLockedOut = 4 * time.Second
)

// rush lets everybody buy, and live with it if there is a mix.
func (c *crowd) rush(ctx context.Context) error {
	if !c.config.Mix.on() {
		return c.everyone(c.buy)(ctx)
	}
	watched, stop := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	watcher.Go(func() { c.watchWindow(watched) })
	err := c.everyone(func(ctx context.Context, s *shopper) {
		defer c.line.outside.Add(-1)
		c.buy(ctx, s)
		c.live(ctx, s)
	})(ctx)
	stop()
	watcher.Wait()
	return err
}

// buyFromLine waits for units that come back, and tries to buy some until there are no more or the shopper has got one.
// Whoever is back stands in front: at the end of a long line nobody would buy again.
func (c *crowd) buyFromLine(ctx context.Context, s *shopper) *purchase {
	back := len(s.deals) > 0
	c.line.outside.Add(-1)
	defer c.line.outside.Add(1)
	p := c.want(s, true)
	p.inLine = true
	var locked time.Time
	stand, barred := firstStand, firstLockedOut
	for goesOn := true; goesOn; {
		a := c.ask(ctx, s, p)
		switch {
		case p.promised():
			return p
		case a.reason == api.ReasonLimitReached:
			if c.item.OneTry || c.lockedOut(s, &locked) {
				return p
			}
			goesOn = c.line.keepAway(ctx, s.oneToTwo(barred))
			barred = min(2*barred, longestLockedOut)
		case a.reason != api.ReasonSoldOut:
			return p
		case a.available != nil && *a.available > 0 && *a.available < p.quantity:
			// The answer was definite: nothing is under this key, so it may ask for less.
			p.quantity, locked = *a.available, time.Time{}
			continue
		default:
			locked, barred = time.Time{}, firstLockedOut
			goesOn = c.line.wait(ctx, back, s.oneToTwo(stand))
			stand = min(2*stand, longestStand)
		}
	}
	return p
}

// oneToTwo is that long, up to twice.
func (s *shopper) oneToTwo(wait time.Duration) time.Duration {
	return wait + time.Duration(s.random.Float64()*float64(wait))
}

// lockedOut says that a shopper who holds nothing has heard limit_reached for too long. The first while is the time that
// Redis may take to hear of what came back.
func (c *crowd) lockedOut(s *shopper, since *time.Time) bool {
	if since.IsZero() {
		*since = time.Now()
	}
	still := time.Since(*since)
	if still < c.config.Patience/2 {
		return false
	}
	c.problems.add(Problem{
		Kind: LockedOut, User: s.user,
		Detail: fmt.Sprintf("holds nothing, and is answered limit_reached for %s", still.Round(time.Second)),
	})
	return true
}

// watchWindow looks for those in line whether something is there, until nothing comes back any more.
func (c *crowd) watchWindow(ctx context.Context) {
	defer c.line.end()
	turn := time.NewTicker(glanceEvery)
	defer turn.Stop()
	for glance := 1; ; glance++ {
		select {
		case <-turn.C:
		case <-ctx.Done():
			return
		}
		if c.config.UntilSold {
			if glance%figuresEvery == 0 && c.allPaid(ctx) {
				return
			}
		} else if c.line.outside.Load() <= 0 && c.tally.still() > min(lineIdle, c.config.Patience/4) {
			return
		}
		c.glance(ctx)
	}
}

// glance calls a few more than there are units: not everybody who is called comes.
func (c *crowd) glance(ctx context.Context) {
	if c.line.length() == 0 {
		return
	}
	var item api.Item
	r, err := c.client.do(ctx, call{method: http.MethodGet, url: "/v1/items/" + c.item.ID})
	if err == nil && r.status == http.StatusOK && r.into(&item) == nil && item.Available != nil {
		c.line.call(2 * *item.Available)
	}
}

// allPaid says that the operators see every unit paid.
func (c *crowd) allPaid(ctx context.Context) bool {
	var stats api.SaleStats
	r, err := c.client.do(ctx, c.adminCall("stats"))
	if err != nil || r.status != http.StatusOK || r.into(&stats) != nil {
		return false
	}
	item, ok := c.itemOf(stats)
	return ok && item.Allotted > 0 && item.Paid == item.Allotted
}
