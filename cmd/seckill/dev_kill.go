package main

import (
	"context"
	"math/rand/v2"
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
		names := k.victims()
		name := names[rand.IntN(len(names))]
		if victim, err := k.fleet.Member(name); err == nil {
			k.notice(name, "is killed (kill -9)")
			victim.Kill()
		}
	}
}

func (k killer) victims() []string {
	var names []string
	for _, name := range k.fleet.Names() {
		if !strings.HasPrefix(name, "mariadb") {
			names = append(names, name)
		}
	}
	return names
}
