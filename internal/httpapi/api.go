package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Config is what the edge needs. Accounts may be nil: then register and log-in do not exist. Random may be nil.
type Config struct {
	Tokens     Tokens
	Accounts   Accounts
	Purchases  Purchases
	Archive    Archive
	Checkout   Checkout
	Shards     seckill.Shards
	Keys       OperatorKeys
	Operations Operations
	Audit      Audit

	// Ready says what is missing before requests should be sent here; a refusal's detail is shown to everyone.
	Ready func(ctx context.Context) error
	// TrustedProxies are the CIDRs whose X-Forwarded-For is believed, in logs only. None by default.
	TrustedProxies []string

	Clock      seckill.Clock
	Log        *slog.Logger
	Registerer prometheus.Registerer
	Gatherer   prometheus.Gatherer
	// Random returns numbers in [0, 1): request ids and the spread of Retry-After.
	Random func() float64
}

// API is the edge: one handler per listener.
type API struct {
	shoppers  http.Handler
	operators http.Handler
}

// New makes both handlers.
func New(config Config) (*API, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	edge := newEdge(&config)
	forShoppers, err := edge.engine(config.TrustedProxies)
	if err != nil {
		return nil, err
	}
	forOperators, err := edge.engine(config.TrustedProxies)
	if err != nil {
		return nil, err
	}
	s := &shoppers{
		edge: edge, tokens: config.Tokens, accounts: config.Accounts, purchases: config.Purchases, archive: config.Archive,
		reading: make(chan struct{}, archiveReadsMax), checkout: config.Checkout, shards: config.Shards,
	}
	s.routes(forShoppers)
	edge.health(forShoppers, config.Ready, false)

	o := &operators{edge: edge, keys: config.Keys, operations: config.Operations, audit: config.Audit}
	o.routes(forOperators, config.Gatherer)
	edge.health(forOperators, config.Ready, true)
	return &API{shoppers: forShoppers, operators: forOperators}, nil
}

// Shoppers is the handler of the public listener.
func (a *API) Shoppers() http.Handler { return a.shoppers }

// Operators is the handler of the operators' listener, which must not be public.
func (a *API) Operators() http.Handler { return a.operators }

func (c *Config) check() error {
	for _, part := range []any{
		c.Tokens, c.Purchases, c.Archive, c.Checkout, c.Shards, c.Keys, c.Operations, c.Audit, c.Clock, c.Log, c.Registerer, c.Gatherer,
	} {
		if part == nil {
			return errors.New("httpapi: a part is missing")
		}
	}
	if c.Ready == nil {
		c.Ready = func(context.Context) error { return nil }
	}
	if c.Random == nil {
		c.Random = rand.Float64
	}
	return nil
}
