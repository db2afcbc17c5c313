package main

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/testenv/fleet"
)

// killer kills one member after another. Databases are left alone: SQL is where the truth is, and nothing is promised of a
// sale without it but that it waits.
type killer struct {
	fleet  *fleet.Fleet
	every  time.Duration
	notice func(name, what string)
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
		if name, victim := k.choose(); victim != nil {
			k.notice(name, "is killed (kill -9)")
			victim.Kill()
		}
	}
}

// choose draws what kind of thing dies, then which of them; who is dead already is not asked again.
func (k killer) choose() (string, fleet.Member) {
	kinds := map[string][]string{}
	for _, name := range k.fleet.Names() {
		kind, _, _ := strings.Cut(name, "-")
		if member, err := k.fleet.Member(name); err == nil && member.IsUp() && !fleet.IsShard(name) {
			kinds[kind] = append(kinds[kind], name)
		}
	}
	if len(kinds) == 0 {
		return "", nil
	}
	name := pick(kinds[pick(slices.Collect(maps.Keys(kinds)))])
	victim, err := k.fleet.Member(name)
	if err != nil {
		return "", nil
	}
	return name, victim
}

func pick(names []string) string { return names[rand.IntN(len(names))] }
