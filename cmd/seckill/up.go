package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/seckill"
)

type upCommand struct {
	Demo          bool   `help:"Make and preload a sale that opens in a few seconds, and show how it goes."`
	Listen        string `placeholder:"ADDR" help:"Where shoppers are served, instead of the configured address."`
	AdminListen   string `placeholder:"ADDR" help:"Where operators are served, instead of the configured address."`
	SandboxListen string `placeholder:"ADDR" help:"Where the sandbox inside serves its pay pages, instead of the configured address."`
}

const demoReadyWait = 30 * time.Second

// Run implements the command.
func (c *upCommand) Run(ctx context.Context, cli *commands, console console) (err error) {
	system, log, err := cli.open(ctx, console, app.Everything(), c.flags())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, system.Close()) }()
	log.Info("serving", "shoppers", system.URL(), "operators", system.AdminURL(), "sandbox", system.SandboxURL(),
		"data", system.Config.Data, "version", version)
	if !c.Demo {
		return system.Run(ctx)
	}
	return c.demonstrate(ctx, system, console)
}

func (c *upCommand) flags() map[string]any {
	flags := map[string]any{}
	if c.Listen != "" {
		flags["listen"] = c.Listen
	}
	if c.AdminListen != "" {
		flags["admin_listen"] = c.AdminListen
	}
	if c.SandboxListen != "" {
		flags["payments.sandbox.listen"] = c.SandboxListen
	}
	if c.Demo {
		// The progress line says what happens; the log keeps what needs attention.
		flags["log.level"] = "warn"
	}
	return flags
}

// demonstrate runs the system with the demo beside it; a demo that cannot be made stops the system.
func (c *upCommand) demonstrate(ctx context.Context, system *app.System, console console) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var beside sync.WaitGroup
	beside.Go(func() {
		sale, err := showDemo(ctx, system, console)
		if err != nil && ctx.Err() == nil {
			stop(err)
			return
		}
		if err == nil {
			system.Progress(ctx, console.out, sale.ID)
		}
	})
	err := system.Run(ctx)
	stop(nil)
	beside.Wait()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return errors.Join(err, cause)
	}
	return err
}

func showDemo(ctx context.Context, system *app.System, console console) (seckill.Sale, error) {
	ready, cancel := context.WithTimeout(ctx, demoReadyWait)
	defer cancel()
	if err := system.Ready(ready); err != nil {
		return seckill.Sale{}, err
	}
	sale, err := system.Demo(ready)
	if err != nil {
		return seckill.Sale{}, fmt.Errorf("demo: %w", err)
	}
	return sale, system.Introduce(console.out, sale)
}
