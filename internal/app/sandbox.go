package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"github.com/seckill-dev/seckill/internal/sandbox"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/service"
)

const (
	sandboxLedger   = "sandbox.jsonl"
	sandboxStopWait = 10 * time.Second
	webhooksPath    = "/v1/payments/webhooks/"
)

// sandboxInside is the sandbox that runs in this process.
type sandboxInside struct {
	listener net.Listener
	keys     providerKeys
	server   *sandbox.Server
}

// openSandbox asks the sandbox that is configured, or takes the address of the one inside.
func (s *System) openSandbox(ctx context.Context, keys providerKeys) (seckill.Provider, error) {
	url := s.Config.Payments.Sandbox.URL
	if url == "" {
		var net net.ListenConfig
		var err error
		if s.sandbox.listener, err = net.Listen(ctx, "tcp", s.Config.Payments.Sandbox.Listen); err != nil {
			return nil, fmt.Errorf("payments.sandbox.listen: %w; choose another address with --sandbox-listen", err)
		}
		s.sandbox.keys = keys
		url = s.SandboxURL()
	}
	provider, err := sandbox.NewProvider(sandbox.ProviderOptions{URL: url, Key: keys.key, Secret: keys.secret})
	if err != nil {
		return nil, fmt.Errorf("payments.sandbox: %w", err)
	}
	return provider, nil
}

// buildSandbox makes the server, once it is known where its notices go.
func (s *System) buildSandbox() (err error) {
	if s.sandbox.listener == nil {
		return nil
	}
	ledger := cmp.Or(s.Config.Payments.Sandbox.Ledger, filepath.Join(s.Config.Data, sandboxLedger))
	s.sandbox.server, err = sandbox.NewServer(sandbox.ServerOptions{
		Clock: seckill.SystemClock{}, Log: s.log, URL: s.SandboxURL(), Ledger: ledger,
		Key: s.sandbox.keys.key, Secret: s.sandbox.keys.secret, Webhook: s.URL() + webhooksPath + sandbox.Name,
	})
	if err != nil {
		return fmt.Errorf("payments.sandbox: %w", err)
	}
	return nil
}

// stage serves it. It ends after all who ask it.
func (i *sandboxInside) stage() service.Stage {
	return service.Stage{Name: "sandbox", StopWithin: sandboxStopWait, Run: func(ctx context.Context) error {
		server := i.server
		i.server = nil // Serve closes it
		return server.Serve(ctx, i.listener)
	}}
}

func (i *sandboxInside) close() error {
	if i.listener == nil {
		return nil
	}
	err := i.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	if i.server != nil {
		err = errors.Join(err, i.server.Close())
	}
	return err
}

// SandboxURL is where the sandbox inside serves, seen from this machine; "" where there is none.
func (s *System) SandboxURL() string {
	if s.sandbox.listener == nil {
		return ""
	}
	return localURL(s.sandbox.listener.Addr().String())
}
