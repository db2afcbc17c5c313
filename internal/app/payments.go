package app

import (
	"context"
	"log/slog"

	"github.com/seckill-dev/seckill/internal/checkout"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func (b *Backend) checkoutOptions(log *slog.Logger, metrics checkout.Metrics) checkout.Options {
	return checkout.Options{
		Orders: b.Orders, Payments: b.Payments, Catalog: b.Catalog, IDs: b.IDs, Providers: b.Providers, Log: log, Metrics: metrics,
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

// noPayments stands where the till will: there are none, and none can be begun.
type noPayments struct{ seckill.Payments }

func (noPayments) PaymentsOf(context.Context, seckill.ID) ([]seckill.Payment, error) { return nil, nil }

func (noPayments) Begin(context.Context, seckill.NewPayment) (seckill.Payment, seckill.Order, bool, error) {
	return seckill.Payment{}, seckill.Order{}, false, seckill.ErrUnavailable
}

func (noPayments) Cancel(context.Context, seckill.Cancellation) (seckill.Order, bool, error) {
	return seckill.Order{}, false, seckill.ErrUnavailable
}
