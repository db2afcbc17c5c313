package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/seckill-dev/seckill/internal/redis"
	"github.com/seckill-dev/seckill/internal/service"
)

const (
	redisCheckWithin = 2 * time.Second // one look at every server
	redisCheckEvery  = time.Second
)

// redisCheck looks once at what Redis is set to, as checkShards does with the databases. But Redis may be away when a
// process starts, which must not keep it from starting: shoppers hear busy, and everything that needs no Redis works. What
// was away is looked at when it answers. In production a bad answer is then an error in the log and a process that is not
// ready, so that no balancer sends shoppers to it; it is ready again once the setting was changed. It goes on working:
// what Redis was lent is safe with any setting, and ending the process would end the browsing too.
type redisCheck struct {
	check   func(ctx context.Context) redis.Checkup
	strict  bool
	log     *slog.Logger
	warned  map[redis.Warning]bool
	refusal atomic.Pointer[string]
}

// checkRedis refuses in production what Redis does not keep, and warns of it otherwise.
func (b *Backend) checkRedis(ctx context.Context, check func(context.Context) redis.Checkup, profile Profile, log *slog.Logger) error {
	c := &redisCheck{check: check, strict: profile == ProfileProduction, log: log, warned: make(map[redis.Warning]bool)}
	found := c.look(ctx)
	if c.strict && len(found.Warnings) > 0 {
		return errors.New(refusalOf(found.Warnings[0]))
	}
	c.warn(found)
	if len(found.Absent) == 0 {
		return nil
	}
	log.Warn("redis does not answer yet; its settings are checked when it does", "error", found.Absent[0])
	b.stages = append(b.stages, service.Stage{Name: "redis check", Run: c.run, StopWithin: time.Second})
	b.ready = c.ready
	return nil
}

func refusalOf(warning redis.Warning) string {
	return fmt.Sprintf("redis at %s %s (refused by profile: production)", warning.Node, warning.Text)
}

func (c *redisCheck) look(ctx context.Context) redis.Checkup {
	ctx, cancel := context.WithTimeout(ctx, redisCheckWithin)
	defer cancel()
	return c.check(ctx)
}

func (c *redisCheck) warn(found redis.Checkup) {
	for _, warning := range found.Warnings {
		if c.warned[warning] {
			continue
		}
		c.warned[warning] = true
		c.log.Warn("profile: production would refuse this", "redis", warning.Node, "setting", warning.Text)
	}
}

// run looks until every server has answered and, in production, none is set wrongly.
func (c *redisCheck) run(ctx context.Context) error {
	again := time.NewTicker(redisCheckEvery)
	defer again.Stop()
	for done := false; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		}
		if !done {
			done = c.judge(c.look(ctx))
		}
	}
}

// judge says whether there is nothing more to look for.
func (c *redisCheck) judge(found redis.Checkup) bool {
	if !c.strict {
		c.warn(found)
		return len(found.Absent) == 0
	}
	if len(found.Warnings) == 0 {
		if c.refusal.Swap(nil) != nil {
			c.log.Info("redis is set rightly now")
		}
		return len(found.Absent) == 0
	}
	sentence := refusalOf(found.Warnings[0])
	if last := c.refusal.Swap(&sentence); last == nil || *last != sentence {
		c.log.Error("not ready", "refusal", sentence)
	}
	return false
}

// ready refuses while a server is set wrongly.
func (c *redisCheck) ready() error {
	if sentence := c.refusal.Load(); sentence != nil {
		return errors.New(*sentence)
	}
	return nil
}
