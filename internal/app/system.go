package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/checkout"
	"github.com/seckill-dev/seckill/internal/httpapi"
	"github.com/seckill-dev/seckill/internal/identity"
	"github.com/seckill-dev/seckill/internal/keeper"
	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/service"
)

// System is one process with its roles, ready to run. Its listeners are bound, so their addresses are known and taken.
type System struct {
	Config  Config
	Backend *Backend
	// What follows is there only where the process plays the api.
	Buying   *purchase.Service
	Checkout *checkout.Service
	Operate  *operate.Service
	Audit    *audit.Service
	Tokens   *identity.Tokens

	plan      Plan
	log       *slog.Logger
	registry  *prometheus.Registry
	shoppers  listener
	operators listener
	sandbox   sandboxInside
	jwks      *identity.JWKSFile
}

// listener is a bound address with the server that will answer on it.
type listener struct {
	net.Listener
	server *http.Server
}

// Option changes how a system is put together. Tests use it to stand between the use cases and the stores.
type Option func(*Backend)

// Open opens the backend, ends what a dead process left open, and builds the roles. Nothing serves before Run.
func Open(ctx context.Context, config Config, plan Plan, log *slog.Logger, options ...Option) (system *System, err error) {
	if err := plan.check(config); err != nil {
		return nil, err
	}
	keys, err := config.keepProviderKeys(plan)
	if err != nil {
		return nil, err
	}
	backend, err := openBackend(ctx, config, log)
	if err != nil {
		return nil, err
	}
	s := &System{Config: config, Backend: backend, plan: plan, log: log, registry: newRegistry()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := s.openProvider(ctx, keys); err != nil {
		return nil, err
	}
	if err := s.openEndpoints(ctx); err != nil {
		return nil, err
	}
	for _, option := range options {
		option(backend)
	}
	if err := backend.sealAfterDeath(ctx, log); err != nil {
		return nil, fmt.Errorf("end the epochs of the last run: %w", err)
	}
	if !plan.API {
		return s, s.bindProbes(ctx)
	}
	if err := s.buildUseCases(); err != nil {
		return nil, err
	}
	if err := s.bind(ctx); err != nil {
		return nil, err
	}
	return s, s.buildSandbox()
}

// openEndpoints prepares telling what happens, where keepers do that.
func (s *System) openEndpoints(ctx context.Context) error {
	if s.plan.Keepers == 0 {
		return nil
	}
	if err := errors.Join(s.Backend.openWebhooks(s.Config, s.log), s.Backend.openExchange(ctx, s.Config, s.log)); err != nil {
		return err
	}
	s.Backend.telling = newTelling(s.registry, s.Backend.Endpoints)
	return nil
}

func (s *System) buildUseCases() (err error) {
	b, bounds := s.Backend, newBounds(s.registry)
	if s.Buying, err = purchase.New(b.purchasePorts(s.log, purchaseMetrics(s.registry, bounds)), purchaseOptions(s.Config)); err != nil {
		return fmt.Errorf("build purchase: %w", err)
	}
	if s.Checkout, err = checkout.New(b.checkoutOptions(s.Config.Limits, s.log, checkoutMetrics(s.registry, bounds, b.providerNames()))); err != nil {
		return fmt.Errorf("build checkout: %w", err)
	}
	ports := b.keeperPorts(s.log)
	s.Audit = b.audit(s.log)
	s.Operate = operate.New(operate.Ports{
		Catalog: b.Catalog, Stocks: b.Stocks, Orders: b.Orders, Lent: b.Lent, Queue: b.Queue,
		Adjustments: b.Adjustments, Halts: b.Halts, Payments: b.Payments, Letters: b.DeadLetters, Events: b.Events,
		Endpoints: s.Config.endpoints(),
		Epochs:    keeper.NewRecover(ports), Settings: keeper.NewRenew(ports),
		Audit: s.Audit, Shards: b.Shards, IDs: b.IDs, Clock: ports.Clock, Log: s.log,
	})
	return nil
}

// bind builds the edge and takes both addresses.
func (s *System) bind(ctx context.Context) error {
	api, err := s.newAPI() //nolint:contextcheck // a request's context is its client's, not that of who opens the system
	if err != nil {
		return err
	}
	var net net.ListenConfig
	listener, err := net.Listen(ctx, "tcp", s.Config.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w; choose another address with --listen", err)
	}
	s.shoppers.Listener = httpapi.NewListener(listener)
	s.shoppers.server = httpapi.NewServer(api.Shoppers(), s.log)
	return s.bindOperators(ctx, api.Operators())
}

// bindProbes takes the operators' address for health and metrics alone.
func (s *System) bindProbes(ctx context.Context) error {
	probes, err := httpapi.NewProbes(s.log, s.registry, s.registry) //nolint:contextcheck // a request has the context of its client
	if err != nil {
		return err
	}
	return s.bindOperators(ctx, probes)
}

func (s *System) bindOperators(ctx context.Context, handler http.Handler) (err error) {
	var net net.ListenConfig
	if s.operators.Listener, err = net.Listen(ctx, "tcp", s.Config.AdminListen); err != nil {
		return fmt.Errorf("admin_listen: %w; choose another address with --admin-listen", err)
	}
	if handler, err = s.withProfiles(handler); err != nil {
		return err
	}
	s.operators.server = httpapi.NewOperatorServer(handler, s.log)
	return nil
}

// Run serves until ctx ends, then stops in order: listeners, what is being bought, workers, keepers, stores.
func (s *System) Run(ctx context.Context) error {
	stages := append([]service.Stage{}, s.Backend.stages...)
	if s.jwks != nil {
		stages = append(stages, service.Stage{Name: "jwks", Run: s.jwks.Run, StopWithin: time.Second})
	}
	if s.sandbox.server != nil {
		stages = append(stages, s.sandbox.stage())
	}
	owed := keeperMetrics(s.registry)
	held := keeper.NewHeld(seckill.SystemClock{}, s.log, owed)
	audits := s.auditTurns()
	for i := range s.plan.Keepers {
		stages = append(stages, s.Backend.keeperStage(fmt.Sprintf("keeper-%d", i+1), s.log, owed, held, audits))
		audits = nil
	}
	deadLettered := settleMetrics(s.registry)
	for i := range s.plan.Workers {
		stages = append(stages, s.Backend.workerStage(fmt.Sprintf("worker-%d", i+1), s.log, deadLettered))
	}
	if s.plan.API {
		stages = append(stages, service.Stage{Name: "purchase", Run: s.Buying.Run, StopWithin: buyerStopWait})
	}
	stages = append(stages, s.listenStage("operators", s.operators, nil))
	if s.plan.API {
		// Long polls end first, or stopping would wait for the longest of them.
		stages = append(stages, s.listenStage("shoppers", s.shoppers, s.Buying.Drain))
	}
	return service.Run(ctx, s.log, stages...)
}

// auditTurns are there where a keeper is.
func (s *System) auditTurns() []keeper.Turn {
	if s.plan.Keepers == 0 {
		return nil
	}
	return s.Backend.auditTurns(s.Config.Audit, s.log, auditMetrics(s.registry))
}

// listenStage serves until it is stopped, then finishes the requests under way, after drain has ended what waits.
func (s *System) listenStage(name string, l listener, drain func(context.Context) error) service.Stage {
	within := s.Config.ShutdownTimeout
	return service.Stage{Name: name, StopWithin: within + time.Second, Run: func(ctx context.Context) error {
		served := make(chan error, 1)
		go func() { served <- l.server.Serve(l.Listener) }()
		select {
		case err := <-served:
			return err
		case <-ctx.Done():
		}
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
		defer cancel()
		if drain != nil {
			if err := drain(bounded); err != nil {
				s.log.Warn("purchases were still under way", "error", err)
			}
		}
		if err := l.server.Shutdown(bounded); err != nil {
			return errors.Join(fmt.Errorf("requests were cut off: %w", err), l.server.Close())
		}
		return nil
	}}
}

// URL is where shoppers are served, seen from this machine.
func (s *System) URL() string { return localURL(s.shoppers.Addr().String()) }

// AdminURL is where operators are served, seen from this machine.
func (s *System) AdminURL() string { return localURL(s.operators.Addr().String()) }

// Ready returns when purchases can be answered, or when ctx ends.
func (s *System) Ready(ctx context.Context) error {
	for s.Buying.Ready() != nil {
		select {
		case <-time.After(readyPoll):
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", s.Buying.Ready())
		}
	}
	return nil
}

const readyPoll = 20 * time.Millisecond

// Close gives back what Open took; after Run.
func (s *System) Close() error {
	failures := []error{s.sandbox.close()}
	for _, l := range []listener{s.shoppers, s.operators} {
		if l.Listener == nil {
			continue
		}
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			failures = append(failures, err)
		}
	}
	return errors.Join(append(failures, s.Backend.Close())...)
}
