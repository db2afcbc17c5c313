package app

import (
	"log/slog"

	"github.com/seckill-dev/seckill/internal/checkout"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func (b *Backend) checkoutOptions(limits LimitsConfig, log *slog.Logger, metrics checkout.Metrics) checkout.Options {
	return checkout.Options{
		Orders: b.Orders, Payments: b.Payments, Catalog: b.Catalog, IDs: b.IDs, Clock: seckill.SystemClock{},
		Providers: b.Providers, Log: log, Metrics: metrics,
		UserRate: float64(limits.PerUserPerSecond), UserBurst: limits.PerUserBurst,
	}
}

// providerNames are the labels that metrics of payments may have.
func (b *Backend) providerNames() []string {
	names := []string{checkout.Free{}.Name()}
	for _, provider := range b.Providers {
		names = append(names, provider.Name())
	}
	return names
}
