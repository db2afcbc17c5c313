package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/seckill-dev/seckill/internal/redis"
)

// redisRig is a check of a Redis whose answer the test chooses: the answer, after the answers that come first.
type redisRig struct {
	first   []redis.Checkup
	answer  redis.Checkup
	backend *Backend
	log     bytes.Buffer
}

func evicting() redis.Checkup {
	return redis.Checkup{Warnings: []redis.Warning{{Node: "cache:6379", Text: "evicts; set maxmemory-policy noeviction"}}}
}

func absent() redis.Checkup {
	return redis.Checkup{Absent: []error{errors.New("cache:6379: connection refused")}}
}

func (r *redisRig) start(profile Profile) error {
	r.backend = &Backend{}
	check := func(context.Context) redis.Checkup {
		if len(r.first) > 0 {
			first := r.first[0]
			r.first = r.first[1:]
			return first
		}
		return r.answer
	}
	return r.backend.checkRedis(context.Background(), check, profile, slog.New(slog.NewTextHandler(&r.log, nil)))
}

// later lets the check that was left over look a few times.
func (r *redisRig) later() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*redisCheckEvery)
	defer cancel()
	_ = r.backend.stages[0].Run(ctx)
}

// logged counts the lines that say it.
func (r *redisRig) logged(words string) int { return strings.Count(r.log.String(), words) }

func TestRedisCheck(t *testing.T) {
	t.Parallel()
	t.Run("refuses in production, in a sentence, what is only a warning in development", func(t *testing.T) {
		t.Parallel()
		rig := &redisRig{answer: evicting()}
		want := "redis at cache:6379 evicts; set maxmemory-policy noeviction (refused by profile: production)"
		if err := rig.start(ProfileProduction); err == nil || err.Error() != want {
			t.Errorf("production says %v", err)
		}
		if err := rig.start(ProfileDevelopment); err != nil || rig.logged("set maxmemory-policy noeviction") != 1 || rig.backend.ready != nil {
			t.Errorf("development says %v; %s", err, &rig.log)
		}
	})
	t.Run("lets a process start without redis, and warns once when redis answers", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			rig := &redisRig{first: []redis.Checkup{absent(), absent(), absent()}, answer: evicting()}
			if err := rig.start(ProfileDevelopment); err != nil || rig.logged("connection refused") != 1 {
				t.Fatalf("%v; %s", err, &rig.log)
			}
			rig.later()
			if rig.logged("set maxmemory-policy noeviction") != 1 || rig.backend.ready() != nil {
				t.Errorf("%v; %s", rig.backend.ready(), &rig.log)
			}
		})
	})
	t.Run("is not ready in production while a redis that came later is set wrongly", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, refusesLateRedis)
	})
}

func refusesLateRedis(t *testing.T) {
	t.Helper()
	rig := &redisRig{answer: absent()}
	if err := rig.start(ProfileProduction); err != nil || rig.backend.ready() != nil {
		t.Fatal(err, rig.backend.ready())
	}
	rig.answer = evicting()
	rig.later()
	if err := rig.backend.ready(); err == nil || rig.logged("level=ERROR") != 1 {
		t.Errorf("%v; %s", err, &rig.log)
	}
	rig.answer = redis.Checkup{}
	rig.later()
	if err := rig.backend.ready(); err != nil {
		t.Error(err)
	}
}
