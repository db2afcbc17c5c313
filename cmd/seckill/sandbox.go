package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/sandbox"
	"github.com/seckill-dev/seckill/internal/seckill"
)

type sandboxCommand struct {
	Listen     string        `default:"127.0.0.1:8082" help:"Where the API and the pay pages are served."`
	URL        string        `placeholder:"URL" help:"Where people reach that address; otherwise itself."`
	Webhook    []string      `placeholder:"URL" help:"Who is told of payments, once for each address of the shop; otherwise nobody."`
	KeyFile    string        `type:"path" required:"" placeholder:"FILE" help:"The key that the API asks for."`
	SecretFile string        `type:"path" required:"" placeholder:"FILE" help:"The secret that notices to the webhook are signed with."`
	Ledger     string        `type:"path" required:"" placeholder:"FILE" help:"Keeps what happened, over restarts."`
	Spread     time.Duration `help:"Tell the webhook up to so much later, each time anew, so that notices come out of order."`
	Repeat     int           `help:"Tell the webhook so many times more of what it has confirmed."`
}

// Run implements the command.
func (c *sandboxCommand) Run(ctx context.Context, console console) error {
	key, err := app.ReadSecret(c.KeyFile)
	if err != nil {
		return fmt.Errorf("--key-file: %w", err)
	}
	secret, err := app.ReadSecret(c.SecretFile)
	if err != nil {
		return fmt.Errorf("--secret-file: %w", err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	log := slog.New(slog.NewTextHandler(console.err, nil))
	itself := app.Config{Listen: listener.Addr().String()}
	url := cmp.Or(c.URL, itself.URL())
	options := sandbox.ServerOptions{
		Clock: seckill.SystemClock{}, Log: log, URL: url, Ledger: c.Ledger, Key: key, Secret: secret,
		NoticeSpread: c.Spread, NoticeRepeats: c.Repeat,
	}
	if len(c.Webhook) > 0 {
		options.Webhook, options.Webhooks = c.Webhook[0], c.Webhook[1:]
	}
	server, err := sandbox.NewServer(options)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	log.Info("serving", "url", url, "version", version)
	return server.Serve(ctx, listener)
}
