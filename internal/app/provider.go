package app

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/checkout"
	"github.com/seckill-dev/seckill/internal/guard"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/stripe"
)

// providerTimeout bounds one call to a provider, which may be several requests to it. Who asks for a shopper waits less.
const providerTimeout = 10 * time.Second

// openProvider makes the payment provider. The sandbox inside gets its address here, and serves when the process does.
func (s *System) openProvider(ctx context.Context, keys providerKeys) error {
	var provider seckill.Provider
	var err error
	switch {
	case !s.plan.takesMoney() || !s.Config.takesPayments():
		return nil
	case s.Config.Payments.Provider == ProviderStripe:
		provider, err = newStripe(s.Config.Payments.Stripe, keys)
	default:
		provider, err = s.openSandbox(ctx, keys)
	}
	if err != nil {
		return err
	}
	s.Backend.Providers = []seckill.Provider{guard.NewProvider(provider, guard.Options{Timeout: providerTimeout, Log: s.log})}
	return nil
}

func newStripe(config StripeConfig, keys providerKeys) (seckill.Provider, error) {
	provider, err := stripe.New(stripe.Options{
		Key: keys.key, WebhookSecret: keys.secret, SuccessURL: config.SuccessURL,
		CancelURL: cmp.Or(config.CancelURL, config.SuccessURL), APIURL: config.APIURL,
	})
	if err != nil {
		return nil, fmt.Errorf("payments.stripe: %w", err)
	}
	return provider, nil
}

// providersByName are those that keepers may have to ask: orders that cost nothing have one, too.
func (b *Backend) providersByName() map[string]seckill.Provider {
	providers := map[string]seckill.Provider{}
	for _, provider := range append([]seckill.Provider{checkout.Free{}}, b.Providers...) {
		providers[provider.Name()] = provider
	}
	return providers
}
