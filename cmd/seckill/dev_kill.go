package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/testenv/fleet"
)

// mortals are the kinds of members that may be killed. Databases are left alone: SQL is where the truth is, and nothing is
// promised of a sale without it but that it waits.
func mortals() []string {
	return []string{fleet.API, fleet.Worker, fleet.Keeper, fleet.Sandbox, "redis", "rabbitmq"}
}

func (c *devCommand) checkKill() error {
	switch {
	case c.KillEvery <= 0:
		return fmt.Errorf("--kill-every: must be longer than 0, got %s", c.KillEvery)
	case len(c.KillOnly) > 0 && !c.Kill:
		return errors.New("--kill-only: goes together with --kill")
	case c.KillEach && !c.Kill:
		return errors.New("--kill-each: goes together with --kill")
	}
	for _, kind := range c.KillOnly {
		if !slices.Contains(mortals(), kind) {
			return fmt.Errorf("--kill-only: is a list of %s, got %q", listed(mortals()), kind)
		}
	}
	return nil
}

// killer kills one member after another.
type killer struct {
	fleet *fleet.Fleet
	every time.Duration
	// kinds are those that die, each of them at once or one at random.
	kinds  []string
	each   bool
	notice func(name, what string)
}

func (c *devCommand) killer(f *fleet.Fleet, console console) killer {
	kinds := mortals()
	if len(c.KillOnly) > 0 {
		kinds = slices.Compact(slices.Sorted(slices.Values(c.KillOnly)))
	}
	return killer{fleet: f, every: c.KillEvery, kinds: kinds, each: c.KillEach, notice: console.notice}
}

// plan says what is going to happen.
func (k killer) plan() string {
	if k.each || len(k.kinds) == 1 {
		return fmt.Sprintf("Killing (-9) one %s every %s.", strings.Join(k.kinds, " and one "), k.every)
	}
	return fmt.Sprintf("Killing (-9) one of %s every %s.", listed(k.kinds), k.every)
}

// run kills until ctx ends. The fleet starts everything again.
func (k killer) run(ctx context.Context) {
	turn := time.NewTicker(k.every)
	defer turn.Stop()
	for {
		select {
		case <-turn.C:
		case <-ctx.Done():
			return
		}
		for name, victim := range k.choose() {
			k.notice(name, "is killed (kill -9)")
			victim.Kill()
		}
	}
}

// choose draws what kind of thing dies, unless all do, then which of them; who is dead already is not asked again.
func (k killer) choose() map[string]fleet.Member {
	alive := k.alive()
	kinds := slices.Collect(maps.Keys(alive))
	if !k.each && len(kinds) > 0 {
		kinds = []string{pick(kinds)}
	}
	victims := map[string]fleet.Member{}
	for _, kind := range kinds {
		name := pick(alive[kind])
		if member, err := k.fleet.Member(name); err == nil {
			victims[name] = member
		}
	}
	return victims
}

// alive names the members that may be killed, by their kinds.
func (k killer) alive() map[string][]string {
	kinds := map[string][]string{}
	for _, name := range k.fleet.Names() {
		kind, _, _ := strings.Cut(name, "-")
		if member, err := k.fleet.Member(name); err == nil && member.IsUp() && slices.Contains(k.kinds, kind) {
			kinds[kind] = append(kinds[kind], name)
		}
	}
	return kinds
}

func pick(names []string) string { return names[rand.IntN(len(names))] }

// listed joins names as a sentence does.
func listed(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
