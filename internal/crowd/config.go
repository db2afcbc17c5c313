package crowd

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Config says whom to play, against what.
type Config struct {
	// BaseURL is the shoppers' listener, AdminURL the operators'. Without AdminURL nothing is audited.
	BaseURL     string
	AdminURL    string
	OperatorKey string
	// Sale and Item are ids; empty means the sale that is live or opens next, and its first item.
	Sale string
	Item string
	// Shoppers is how many there are, Concurrency how many requests are under way at once.
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
	// AllowRejected permits rejections after `queued`.
	AllowRejected bool
	// Out gets progress and the result; Quiet leaves the progress out. Ledger, when set, gets every answer as a line of JSON.
	Out    io.Writer
	Quiet  bool
	Ledger io.Writer
}

// Defaults of a run.
const (
	ShoppersDefault      = 5000
	ConcurrencyDefault   = 256
	TriesDefault         = 3
	SpreadDefault        = time.Second
	PatienceDefault      = 90 * time.Second // what a lost Redis leaves in doubt is decided after a minute
	RetryAfterMaxDefault = 3 * time.Second
	shoppersMax          = 1_000_000
)

func (c Config) withDefaults(now time.Time) Config {
	orElse(&c.Shoppers, ShoppersDefault)
	orElse(&c.Concurrency, ConcurrencyDefault)
	orElse(&c.TriesMax, TriesDefault)
	orElse(&c.Spread, SpreadDefault)
	orElse(&c.Patience, PatienceDefault)
	orElse(&c.RetryAfterMax, RetryAfterMaxDefault)
	orElse(&c.Seed, uint64(now.UnixNano()))
	orElse(&c.Name, "crowd-"+strconv.FormatInt(now.UnixMilli(), 36))
	if c.Out == nil {
		c.Out = io.Discard
	}
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	c.AdminURL = strings.TrimSuffix(c.AdminURL, "/")
	return c
}

func orElse[T comparable](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}

func (c Config) check() error {
	for name, text := range map[string]string{"base URL": c.BaseURL, "admin URL": c.AdminURL} {
		address, err := url.Parse(text)
		if err != nil || (text != "" && (address.Scheme == "" || address.Host == "")) {
			return fmt.Errorf("crowd: the %s %q is not an address like http://127.0.0.1:8080", name, text)
		}
	}
	switch {
	case c.BaseURL == "":
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
