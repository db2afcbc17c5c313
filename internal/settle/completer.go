package settle

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

const (
	// completeAfter leaves the worker that made the claim its time for T2.
	completeAfter = 2 * time.Second
	completeBatch = 500
)

// Completer writes the orders of held claims whose T2 never came: the worker died, or the users' shard was away.
type Completer struct {
	ports  Ports
	placer *placer
}

// NewCompleter returns a completer; any number may run.
func NewCompleter(ports Ports) *Completer {
	return &Completer{ports: ports, placer: newPlacer(ports)}
}

// RunOnce completes what is due on every shard. A full batch that could be placed is followed by the next one.
func (c *Completer) RunOnce(ctx context.Context) error {
	var failures []error
	for shard := range c.ports.Shards.Count() {
		if err := c.completeShard(ctx, shard); err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

func (c *Completer) completeShard(ctx context.Context, shard int) error {
	for {
		claims, err := c.ports.Claims.Unordered(ctx, shard, completeAfter, completeBatch)
		if err != nil {
			return fmt.Errorf("read unordered claims of shard %d: %w", shard, err)
		}
		outcomes := c.placer.order(ctx, shard, claims)
		if err := errors.Join(slices.Collect(maps.Values(outcomes))...); err != nil {
			return fmt.Errorf("complete claims of shard %d: %w", shard, err)
		}
		if len(claims) < completeBatch {
			return nil
		}
	}
}
