package crowd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/api"
)

// crowd is one run.
type crowd struct {
	config   Config
	client   *client
	tally    *tally
	problems *problems
	ledger   *ledger
	// visitor asks what no shopper asks.
	visitor  *shopper
	shoppers []*shopper

	sale  api.Sale
	item  api.Item
	opens time.Time

	// ahead is how far the server's clock is ahead of ours.
	ahead time.Duration

	// line is where those wait who were too late, resale how long units take that come back. Both are for a mix.
	line   *line
	resale *resale

	// owners are the shoppers of all orders seen, booked the orders; units what it has in them, cancelled ones left out.
	// payments are the orders by the payments that were begun for them.
	mu       sync.Mutex
	owners   map[string]string
	booked   map[string]api.Order
	payments map[string]string
	units    int64
	orders   int64

	// till is the provider's ledger, money what it adds up to; stock is the item's row in the end.
	till  *till
	money Money
	stock *api.ItemStats
	audit *api.AuditReport
}

// ErrSoldOut ends a run that was to last until everything is sold, before anybody has bought.
var ErrSoldOut = errors.New("nothing was left to sell when the crowd came")

// errStalled ends a phase in which nobody gets anywhere.
var errStalled = errors.New("nobody got anywhere")

// Run plays the crowd and judges what it saw. Problems are in the report; an error means that it could not be played.
func Run(ctx context.Context, config Config) (Report, error) {
	now := time.Now()
	config = config.withDefaults(now)
	if err := config.check(); err != nil {
		return Report{}, err
	}
	t := newTally(now)
	c := &crowd{
		config: config, client: newClient(config, t), tally: t, problems: newProblems(), ledger: newLedger(config.Ledger),
		visitor: newShopper(config, -1), line: newLine(config.Shoppers), resale: newResale(), till: newTill(),
		owners: make(map[string]string), booked: make(map[string]api.Order), payments: make(map[string]string),
	}
	defer c.client.close()
	for number := range config.Shoppers {
		c.shoppers = append(c.shoppers, newShopper(config, number))
	}
	stop := c.showProgress()
	err := c.play(ctx)
	stop()
	if err = errors.Join(err, c.ledger.flush()); err != nil {
		return c.report(), fmt.Errorf("crowd: %w", err)
	}
	report := c.report()
	report.print(config.Out)
	return report, nil
}

// play runs the phases one after the other. A phase that stalls is a problem, and the next ones still say what they can.
func (c *crowd) play(ctx context.Context) error {
	if err := c.phase(ctx, "find", c.find); err != nil {
		if !c.client.reached.Load() {
			return fmt.Errorf("nobody answers at %s; start `seckill up`, or name another address with --url", strings.Join(c.config.BaseURLs, ", "))
		}
		return fmt.Errorf("find a sale: %w", err)
	}
	if !c.config.Quiet {
		fmt.Fprintf(c.config.Out, "%s shoppers for item %s (%s) of sale %s (%s), at most %d each; it %s\n", grouped(int64(len(c.shoppers))),
			c.item.ID, c.item.Sku, c.sale.ID, c.sale.Name, c.item.LimitPerUser, untilText(time.Until(c.opens)))
	}
	err := c.phase(ctx, "prepare", c.prepare)
	if errors.Is(err, ErrSoldOut) {
		return err
	}
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	for _, p := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"buy", c.rush},
		{"await", c.everyone(c.await)},
		{"finish", c.everyone(c.finish)},
		{"compare", c.everyone(c.compare)},
		{"judge", c.judge},
	} {
		err := c.phase(ctx, p.name, p.do)
		switch {
		case errors.Is(err, errStalled):
			c.problems.add(Problem{Kind: Stalled, Detail: fmt.Sprintf("%s was given up: %v", p.name, err)})
		case err != nil:
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

func untilText(wait time.Duration) string {
	if wait <= 0 {
		return "is open"
	}
	return "opens in " + wait.Round(100*time.Millisecond).String()
}

// phase does something for as long as anybody gets anywhere.
func (c *crowd) phase(ctx context.Context, name string, do func(context.Context) error) error {
	c.tally.phase.Store(name)
	c.tally.moved()
	watched, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go c.watch(watched, cancel)
	if err := do(watched); err != nil {
		return err
	}
	return context.Cause(watched)
}

func (c *crowd) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	turn := time.NewTicker(max(c.config.Patience/20, time.Millisecond))
	defer turn.Stop()
	for {
		select {
		case <-turn.C:
		case <-ctx.Done():
			return
		}
		if c.tally.phase.Load() == "buy" && time.Now().Before(c.opens) || c.tally.expecting() {
			c.tally.moved() // waiting for the opening, or for a deadline, is no standstill
		}
		if still := c.tally.still(); still > c.config.Patience {
			cancel(fmt.Errorf("%w for %s", errStalled, still.Round(time.Millisecond)))
			return
		}
	}
}

// everyone lets all shoppers do something at once.
func (c *crowd) everyone(do func(context.Context, *shopper)) func(context.Context) error {
	return func(ctx context.Context) error {
		var all sync.WaitGroup
		for _, s := range c.shoppers {
			all.Go(func() { do(ctx, s) })
		}
		all.Wait()
		return nil
	}
}

// prepare gives everybody a token; one that cannot be had ends the run.
func (c *crowd) prepare(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := c.everyone(func(ctx context.Context, s *shopper) {
		if ctx.Err() != nil {
			return
		}
		if err := c.enter(ctx, s); err != nil {
			cancel(err)
		}
	})(ctx)
	if err = errors.Join(err, context.Cause(ctx)); err != nil || !c.config.Mix.on() || c.config.AdminURL == "" {
		return err
	}
	return c.countFree(ctx)
}

// countFree notes how many units are for sale before the crowd buys any.
func (c *crowd) countFree(ctx context.Context) error {
	item, err := c.readStock(ctx)
	if err != nil || item.Allotted == 0 {
		return err
	}
	free := item.Allotted - item.Claimed
	if c.config.UntilSold && free == 0 {
		return fmt.Errorf("%w: all %s units are claimed, and %s of them paid", ErrSoldOut, grouped(item.Allotted), grouped(item.Paid))
	}
	c.resale.begin(free, item.Allotted)
	return nil
}

// showProgress writes a line a second and keeps the ledger's file up to date, until it is stopped.
func (c *crowd) showProgress() (stop func()) {
	done := make(chan struct{})
	var shown sync.WaitGroup
	shown.Go(func() {
		turn := time.NewTicker(time.Second)
		defer turn.Stop()
		for {
			select {
			case <-turn.C:
			case <-done:
				return
			}
			_ = c.ledger.flush() // kept, and reported at the end
			if !c.config.Quiet {
				fmt.Fprintln(c.config.Out, c.tally.line())
			}
		}
	})
	return func() {
		close(done)
		shown.Wait()
	}
}
