package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
)

type migrateCommand struct {
	Up     migrateUpCommand     `cmd:"" help:"Bring every shard's schema up to date."`
	Status migrateStatusCommand `cmd:"" help:"Show which steps each shard has."`
}

type (
	migrateUpCommand     struct{}
	migrateStatusCommand struct{}
)

// Run implements the command.
func (migrateUpCommand) Run(ctx context.Context, cli *commands, console console) error {
	config, err := cli.load(map[string]any{})
	if err != nil {
		return err
	}
	return app.Migrate(ctx, config, config.Logger(console.err))
}

// Run implements the command.
func (migrateStatusCommand) Run(ctx context.Context, cli *commands, console console) error {
	config, err := cli.load(map[string]any{})
	if err != nil {
		return err
	}
	shards, err := app.MigrationStatus(ctx, config, config.Logger(console.err))
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(console.out, 0, 0, 2, ' ', 0)
	for shard, steps := range shards {
		for _, step := range steps {
			applied := "pending"
			if !step.AppliedAt.IsZero() {
				applied = step.AppliedAt.UTC().Format(time.RFC3339)
			}
			_, _ = fmt.Fprintf(table, "shard %d\t%d\t%s\t%s\n", shard, step.Version, step.Name, applied)
		}
	}
	return table.Flush()
}
