package crowd

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Config says whom to play, against what.
type Config struct {
	// BaseURLs are the shoppers' listeners, of every api there is: who finds one closed goes to another. AdminURL is an
	// operators' listener; without it nothing is audited.
	BaseURLs    []string
	AdminURL    string
	OperatorKey string
	// Sale and Item are ids; empty means the sale that is live or opens next, and its first item.
	Sale string
	Item string
	// Shoppers is how many there are, Concurrency how many requests are under way at once: purchases and payments each,
	// long polls besides.
	Shoppers    int
	Concurrency int
	// Mint makes a shopper's token. Register makes accounts over HTTP instead.
	Mint     func(user string) (token string, err error)
	Register bool
	// Name begins every user's name; empty means one that no other run has.
	Name string
	// Seed makes two runs behave alike; 0 means any.
	Seed uint64
	// TriesMax is how often one shopper tries to buy.
	TriesMax int
	// Spread is over how long the crowd arrives.
	Spread time.Duration
	// Patience is how long nobody may get anywhere before a phase is given up.
	Patience time.Duration
	// RetryAfterMax caps what the server may ask a shopper to wait.
	RetryAfterMax time.Duration
	// Mix says what shoppers do about their orders; the zero Mix only looks. With one, whoever was too late waits for units
	// that come back: until all are paid (UntilSold, which needs AdminURL), else until no more are to be expected.
	Mix       Mix
	UntilSold bool
	// CloseWithin is how soon after its deadline an unpaid order must be cancelled.
	CloseWithin time.Duration
	// ClockSlack is how far the crowd's idea of the server's clock may be wrong.
	ClockSlack time.Duration
	// LedgerURL is the payment provider, whose ledger is held against the orders, LedgerKey its key.
	LedgerURL string
	LedgerKey string
	// AllowRejected permits rejections after `queued`.
	AllowRejected bool
	// Out gets progress and the result; Quiet leaves the progress out. Ledger, when set, gets every answer as a line of JSON.
	Out    io.Writer
	Quiet  bool
	Ledger io.Writer
	// Amount writes minor units of a currency for people; nil says that they are minor units.
	Amount func(minor int64, currency string) string
}

// Defaults of a run.
const (
	ShoppersDefault      = 5000
	ConcurrencyDefault   = 256
	TriesDefault         = 3
	SpreadDefault        = time.Second
	PatienceDefault      = 90 * time.Second // what a lost Redis leaves in doubt is decided after a minute
	RetryAfterMaxDefault = 3 * time.Second
	CloseWithinDefault   = 5 * time.Second
	ClockSlackDefault    = time.Second
	shoppersMax          = 1_000_000
)

func (c Config) withDefaults(now time.Time) Config {
	orElse(&c.Shoppers, ShoppersDefault)
	orElse(&c.Concurrency, ConcurrencyDefault)
	orElse(&c.TriesMax, TriesDefault)
	orElse(&c.Spread, SpreadDefault)
	orElse(&c.Patience, PatienceDefault)
	orElse(&c.RetryAfterMax, RetryAfterMaxDefault)
	orElse(&c.CloseWithin, CloseWithinDefault)
	orElse(&c.ClockSlack, ClockSlackDefault)
	orElse(&c.Seed, uint64(now.UnixNano()))
	orElse(&c.Name, "crowd-"+strconv.FormatInt(now.UnixMilli(), 36))
	if c.Amount == nil {
		c.Amount = func(minor int64, currency string) string { return grouped(minor) + " minor units of " + currency }
	}
	if c.Out == nil {
		c.Out = io.Discard
	}
	c.BaseURLs = slices.Clone(c.BaseURLs)
	for i, url := range c.BaseURLs {
		c.BaseURLs[i] = strings.TrimSuffix(url, "/")
	}
	c.AdminURL = strings.TrimSuffix(c.AdminURL, "/")
	c.LedgerURL = strings.TrimSuffix(c.LedgerURL, "/")
	return c
}

func orElse[T comparable](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}

func (c Config) check() error {
	if err := errors.Join(checkAddress("admin URL", c.AdminURL), checkAddress("ledger URL", c.LedgerURL)); err != nil {
		return err
	}
	for _, text := range c.BaseURLs {
		if err := checkAddress("base URL", text); err != nil {
			return err
		}
	}
	switch {
	case c.UntilSold && (!c.Mix.pays() || c.AdminURL == ""):
		return errors.New("crowd: until everything is sold needs a mix in which somebody pays, and the operators' address")
	case len(c.BaseURLs) == 0 || slices.Contains(c.BaseURLs, ""):
		return errors.New("crowd: the base URL is missing")
	case c.Shoppers < 1 || c.Shoppers > shoppersMax:
		return fmt.Errorf("crowd: want 1-%d shoppers, not %d", shoppersMax, c.Shoppers)
	case c.Concurrency < 1 || c.TriesMax < 1:
		return errors.New("crowd: concurrency and tries must be at least 1")
	case c.Mint == nil && !c.Register:
		return errors.New("crowd: shoppers need a way to get tokens: mint or register")
	default:
		return nil
	}
}

func checkAddress(name, text string) error {
	address, err := url.Parse(text)
	if err != nil || (text != "" && (address.Scheme == "" || address.Host == "")) {
		return fmt.Errorf("crowd: the %s %q is not an address like http://127.0.0.1:8080", name, text)
	}
	return nil
}
