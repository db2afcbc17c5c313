package main

import (
	"context"
	"log/slog"

	"github.com/seckill-dev/seckill/internal/app"
)

// open reads the settings, says what is unsafe about them, and opens a process with that plan. flags override settings.
func (c *commands) open(
	ctx context.Context, console console, plan app.Plan, flags map[string]any,
) (*app.System, *slog.Logger, error) {
	config, err := c.load(flags)
	if err != nil {
		return nil, nil, err
	}
	log := config.Logger(console.log)
	app.LogLibraries(log)
	for _, warning := range config.Warnings() {
		log.Warn("profile: production would refuse this", "setting", warning)
	}
	system, err := app.Open(ctx, config, plan, log)
	return system, log, err
}
