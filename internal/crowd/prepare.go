package crowd

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/api"
)

// find chooses sale and item, and notes by the server's clock when it opens.
func (c *crowd) find(ctx context.Context) error {
	sale, err := c.findSale(ctx)
	if err != nil {
		return err
	}
	if len(sale.Items) == 0 {
		return fmt.Errorf("sale %s has no items", sale.ID)
	}
	c.sale, c.item = sale, sale.Items[0]
	for _, item := range sale.Items {
		if item.ID == c.config.Item {
			c.item = item
		}
	}
	if c.config.Item != "" && c.item.ID != c.config.Item {
		return fmt.Errorf("sale %s has no item %s", sale.ID, c.config.Item)
	}
	if err := c.readClock(ctx); err != nil {
		return err
	}
	c.opens = sale.StartsAt.Add(-c.ahead)
	return nil
}

// clockTries is how often the server's clock is read at most.
const clockTries = 20

// readClock learns how far the server's clock is ahead, from a quick answer: a slow one says little.
func (c *crowd) readClock(ctx context.Context) error {
	best := time.Duration(math.MaxInt64)
	for range clockTries {
		var sale api.Sale
		asked := time.Now()
		if err := c.get(ctx, c.visitor, call{url: "/v1/sales/" + c.sale.ID}, &sale); err != nil {
			return fmt.Errorf("read the server's clock: %w", err)
		}
		took := time.Since(asked)
		if took < best {
			best, c.ahead = took, sale.ServerTime.Sub(asked.Add(took/2))
		}
		if took <= c.config.ClockSlack/4 {
			return nil
		}
	}
	return nil
}

func (c *crowd) findSale(ctx context.Context) (api.Sale, error) {
	id := c.config.Sale
	if id == "" && c.config.Item != "" {
		var item api.Item
		if err := c.get(ctx, c.visitor, call{url: "/v1/items/" + c.config.Item}, &item); err != nil {
			return api.Sale{}, fmt.Errorf("find item %s: %w", c.config.Item, err)
		}
		id = item.SaleID
	}
	if id != "" {
		var sale api.Sale
		if err := c.get(ctx, c.visitor, call{url: "/v1/sales/" + id}, &sale); err != nil {
			return api.Sale{}, fmt.Errorf("find sale %s: %w", id, err)
		}
		return sale, nil
	}
	return c.nextSale(ctx)
}

// nextSale is the newest that is live and has something left, else the one that opens first, else the newest that is live.
func (c *crowd) nextSale(ctx context.Context) (api.Sale, error) {
	var soldOut *api.Sale
	for _, state := range []api.SaleState{api.SaleStateLive, api.SaleStateScheduled} {
		var list api.SaleList
		if err := c.get(ctx, c.visitor, call{url: "/v1/sales?limit=100&state=" + string(state)}, &list); err != nil {
			return api.Sale{}, fmt.Errorf("list %s sales: %w", state, err)
		}
		if state == api.SaleStateLive && len(list.Data) > 0 {
			soldOut = &list.Data[0]
			list.Data = slices.DeleteFunc(slices.Clone(list.Data), isSoldOut)
		}
		if len(list.Data) == 0 {
			continue
		}
		next := list.Data[0]
		for _, sale := range list.Data {
			if state == api.SaleStateScheduled && sale.StartsAt.Before(next.StartsAt) {
				next = sale
			}
		}
		return next, nil
	}
	if soldOut != nil {
		return *soldOut, nil
	}
	return api.Sale{}, errors.New("no sale is live or scheduled; make and preload one, or run `seckill up --demo`")
}

// isSoldOut says that the shop window shows nothing left of any item.
func isSoldOut(sale api.Sale) bool {
	return !slices.ContainsFunc(sale.Items, func(item api.Item) bool { return item.Available == nil || *item.Available > 0 })
}

// get reads something that must be there; what passes is waited for.
func (c *crowd) get(ctx context.Context, s *shopper, what call, value any) error {
	what.method = http.MethodGet
	r, err := c.insist(ctx, s, what)
	if err != nil {
		return err
	}
	if r.status != http.StatusOK {
		return fmt.Errorf("status %d: %s: %s", r.status, r.problem.Reason, r.problem.Detail)
	}
	return r.into(value)
}

// insist repeats a request, which must be harmless to repeat, until it is answered for good.
func (c *crowd) insist(ctx context.Context, s *shopper, what call) (reply, error) {
	for patience := 0; ; patience++ {
		r, err := c.client.do(ctx, what)
		if err == nil && !r.passing() {
			c.tally.moved()
			return r, nil
		}
		if held := c.hold(ctx, s, r.retryAfter, patience); held != nil {
			if err == nil {
				err = fmt.Errorf("status %d: %s: %s", r.status, r.problem.Reason, r.problem.Detail)
			}
			return reply{}, fmt.Errorf("%w: the last answer was: %w", held, err)
		}
	}
}

// enter gives a shopper a token.
func (c *crowd) enter(ctx context.Context, s *shopper) (err error) {
	if c.config.Register {
		s.token, err = c.register(ctx, s)
	} else {
		s.token, err = c.config.Mint(s.user)
	}
	if err != nil {
		return fmt.Errorf("a token for %s: %w", s.user, err)
	}
	c.tally.moved()
	return nil
}

func (c *crowd) register(ctx context.Context, s *shopper) (string, error) {
	credentials := api.Credentials{Username: s.user, Password: fmt.Sprintf("%s-%016x", s.user, s.random.Uint64())}
	r, err := c.insist(ctx, s, call{method: http.MethodPost, url: "/v1/auth/register", body: credentials})
	if err != nil {
		return "", err
	}
	// A conflict is our own registration whose answer was lost.
	if r.status != http.StatusCreated && r.problem.Reason != api.ReasonConflict {
		return "", fmt.Errorf("register: status %d: %s", r.status, r.problem.Detail)
	}
	if r, err = c.insist(ctx, s, call{method: http.MethodPost, url: "/v1/auth/login", body: credentials}); err != nil {
		return "", err
	}
	var token api.Token
	if r.status != http.StatusOK {
		return "", fmt.Errorf("log in: status %d: %s", r.status, r.problem.Detail)
	}
	err = r.into(&token)
	return token.AccessToken, err
}
