package app_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/sandbox"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv/fleet"
)

// fleetPayers are enough, and come slowly enough, for somebody to pass each point while others are dead.
const (
	fleetPayers      = 60
	fleetPayersEvery = 200 * time.Millisecond
	fleetPayWithin   = 8
)

// TestFleetAtTheTill has one process of a whole fleet die at each named point between an order and its end, whoever comes by.
func TestFleetAtTheTill(t *testing.T) {
	t.Parallel()
	door := newDoor(t)
	f := startFleet(t, func(c *fleet.Config) {
		c.Settings += fmt.Sprintf("payments: {provider: sandbox, sandbox: {url: %q, key: %q, secret: %q}}\n",
			"http://"+door.Addr().String(), goodKey, goodSecret)
	})
	serveBank(t, door, f.config.URL())
	f.payWithin = fleetPayWithin
	f.create(fleetPayers)
	if err := f.preload(); err != nil {
		t.Fatal(err)
	}
	done := make(chan []*payer, 1)
	go func() { done <- f.payers(fleetPayers, fleetPayersEvery) }()
	f.die(tillPoints()...)
	f.judgeTill(<-done)
}

// newDoor is where a bank will serve.
func newDoor(t *testing.T) net.Listener {
	t.Helper()
	door, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = door.Close() })
	return door
}

// serveBank opens a bank that outlives the shop, which it tells of payments.
func serveBank(t *testing.T, door net.Listener, shop string) {
	t.Helper()
	server, err := sandbox.NewServer(sandbox.ServerOptions{
		Clock: seckill.SystemClock{}, Log: slog.New(slog.DiscardHandler), URL: "http://" + door.Addr().String(),
		Ledger: filepath.Join(t.TempDir(), "ledger.jsonl"), Key: goodKey, Secret: goodSecret,
		Webhook: shop + "/v1/payments/webhooks/sandbox",
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, door) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}
