package app

import (
	"context"
	"fmt"

	"github.com/seckill-dev/seckill/internal/checkout"
	"github.com/seckill-dev/seckill/internal/guard"
	"github.com/seckill-dev/seckill/internal/seckill"
)

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
		return fmt.Errorf("payments.%s: %w", s.Config.Payments.Provider, err)
	}
	s.Backend.Providers = []seckill.Provider{guard.NewProvider(provider, guard.Options{Log: s.log})}
	return nil
}

func newStripe(config StripeConfig, keys providerKeys) (seckill.Provider, error) {
	return nil, fmt.Errorf("not built yet %v %v", config, keys)
}

// providersByName are those that keepers may have to ask: orders that cost nothing have one, too.
func (b *Backend) providersByName() map[string]seckill.Provider {
	providers := map[string]seckill.Provider{}
	for _, provider := range append([]seckill.Provider{checkout.Free{}}, b.Providers...) {
		providers[provider.Name()] = provider
	}
	return providers
}
