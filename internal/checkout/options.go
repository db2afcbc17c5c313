package checkout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Catalog tells what an item is called.
type Catalog interface {
	Item(ctx context.Context, id seckill.ID) (seckill.Item, error)
}

// Options are what the use case works on. Log and Metrics may be left out, and so may the bounds: zero means the default.
type Options struct {
	Orders   seckill.Orders
	Payments seckill.Payments
	Catalog  Catalog
	IDs      seckill.IDs
	Clock    seckill.Clock
	// Providers take money. The first one takes new payments; notices of all of them are read, so that a shop that changes
	// its provider still hears of what was begun at the old one. None: only what costs nothing can be paid.
	Providers []seckill.Provider
	Log       *slog.Logger
	Metrics   Metrics

	// PaymentsMax bounds the payments that are being opened at once, NoticesMax the notices that are being recorded.
	PaymentsMax int
	NoticesMax  int
	// ProviderTimeout bounds one call to a provider.
	ProviderTimeout time.Duration
	// UserRate and UserBurst bound how many payments and cancellations one user may ask for per second; a negative rate
	// switches that off. UsersMax is how many users are remembered for it.
	UserRate  float64
	UserBurst int
	UsersMax  int
}

const (
	paymentsMaxDefault     = 256
	noticesMaxDefault      = 64
	providerTimeoutDefault = 3 * time.Second
	userRateDefault        = 10
	userBurstDefault       = 20
	usersMaxDefault        = 100_000

	// retryAfter is what a shopper or provider is told to wait when this process has enough to do, or a provider is away.
	retryAfter = 2 * time.Second
)

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.PaymentsMax = cmp.Or(o.PaymentsMax, paymentsMaxDefault)
	o.NoticesMax = cmp.Or(o.NoticesMax, noticesMaxDefault)
	o.ProviderTimeout = cmp.Or(o.ProviderTimeout, providerTimeoutDefault)
	o.UserRate = cmp.Or(o.UserRate, userRateDefault)
	o.UserBurst = cmp.Or(o.UserBurst, userBurstDefault)
	o.UsersMax = cmp.Or(o.UsersMax, usersMaxDefault)
	return o
}

func (o Options) check() error {
	for _, part := range []any{o.Orders, o.Payments, o.Catalog, o.IDs, o.Clock} {
		if part == nil {
			return errors.New("checkout: a part is missing")
		}
	}
	return nil
}

// byName indexes the providers.
func (o Options) byName() (map[string]seckill.Provider, error) {
	providers := make(map[string]seckill.Provider, len(o.Providers))
	for _, provider := range o.Providers {
		name := provider.Name()
		if _, twice := providers[name]; twice || name == "" || name == freeName {
			return nil, fmt.Errorf("checkout: the provider name %q is taken or cannot be used", name)
		}
		providers[name] = provider
	}
	return providers, nil
}
