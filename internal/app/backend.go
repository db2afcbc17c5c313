package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/service"
)

// Backend is every port, filled by one set of adapters.
type Backend struct {
	Catalog  seckill.Catalog
	Accounts seckill.Accounts
	Stocks   seckill.Stocks
	// Adjustments are the operators' corrections of Stocks.
	Adjustments   seckill.Adjustments
	Halts         seckill.Halts
	Claims        seckill.Claims
	Orders        seckill.Orders
	Payments      seckill.Payments
	Marks         seckill.Marks
	Owing         seckill.Owing
	Events        seckill.Events
	Returns       seckill.Returns
	Books         seckill.Books
	Archives      seckill.Archives
	Shards        seckill.Shards
	IDs           seckill.IDs
	Lent          seckill.Lent
	Announcements seckill.Announcements
	Publisher     seckill.Publisher
	Consumer      seckill.Consumer
	Queue         seckill.QueueWatch
	DeadLetters   seckill.DeadLetterDesk
	// Providers take money; the first one takes new payments.
	Providers []seckill.Provider
	// Endpoints are told of events, by keepers alone.
	Endpoints []seckill.Endpoint
	// Drain is nil where the queue must be counted.
	Drain seckill.Drain
	// RedisDies says that Redis died with the last process: what was open is sealed at the start.
	RedisDies bool
	// OneWriter says that all that writes to SQL takes turns.
	OneWriter bool
	// Gate is what new stock rows are given.
	Gate time.Duration

	// emptyRedis makes Redis lose everything; for tests.
	emptyRedis func()

	telling telling

	// ready says why no shopper should be sent here; nil where nothing can.
	ready func() error

	stages  []service.Stage
	closers []func() error
}

// opener opens a backend's stores.
type opener func(ctx context.Context, config Config, log *slog.Logger) (*Backend, error)

// openers is the table of backends.
func openers() map[string]opener {
	return map[string]opener{
		BackendEmbedded: openEmbedded,
		BackendServices: openServices,
	}
}

func openBackend(ctx context.Context, config Config, log *slog.Logger) (*Backend, error) {
	open, known := openers()[config.Backend]
	if !known {
		return nil, fmt.Errorf("backend: %q is not known; use %q", config.Backend, BackendEmbedded)
	}
	return open(ctx, config, log)
}

// onClose has a store closed with the backend; the last one opened is the first one closed.
func (b *Backend) onClose(closer func() error) { b.closers = append(b.closers, closer) }

// Close closes every store.
func (b *Backend) Close() error {
	var failures []error
	for i := len(b.closers) - 1; i >= 0; i-- {
		failures = append(failures, b.closers[i]())
	}
	b.closers = nil
	return errors.Join(failures...)
}
