package main

import (
	"context"
	"errors"

	"github.com/seckill-dev/seckill/internal/app"
)

// roleCommand runs one role on servers that other processes share.
type roleCommand struct {
	AdminListen string `placeholder:"ADDR" help:"Where health and metrics are served, instead of the configured address."`
}

type apiCommand struct {
	roleCommand

	Listen string `placeholder:"ADDR" help:"Where shoppers are served, instead of the configured address."`
}

type (
	workerCommand struct{ roleCommand }
	keeperCommand struct{ roleCommand }
)

// Run implements the command.
func (c *apiCommand) Run(ctx context.Context, cli *commands, console console) error {
	return c.play(ctx, cli, console, app.OnlyAPI(), c.Listen)
}

// Run implements the command.
func (c *workerCommand) Run(ctx context.Context, cli *commands, console console) error {
	return c.play(ctx, cli, console, app.OnlyWorker(), "")
}

// Run implements the command.
func (c *keeperCommand) Run(ctx context.Context, cli *commands, console console) error {
	return c.play(ctx, cli, console, app.OnlyKeeper(), "")
}

func (c *roleCommand) play(ctx context.Context, cli *commands, console console, plan app.Plan, listen string) (err error) {
	flags := map[string]any{}
	if c.AdminListen != "" {
		flags["admin_listen"] = c.AdminListen
	}
	if listen != "" {
		flags["listen"] = listen
	}
	system, log, err := cli.open(ctx, console, plan, flags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, system.Close()) }()
	log.Info("serving", "operators", system.AdminURL(), "version", version)
	return system.Run(ctx)
}
