package drill_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/drill"
)

func TestSchedule(t *testing.T) {
	t.Parallel()
	t.Run("is the same for the same seed, and another for another", func(t *testing.T) {
		t.Parallel()
		one := drill.Schedule(7, time.Hour, false)
		if again := drill.Schedule(7, time.Hour, false); !slices.Equal(one, again) {
			t.Error("a seed does not say what happens")
		}
		if other := drill.Schedule(8, time.Hour, false); slices.Equal(one, other) {
			t.Error("two seeds are the same")
		}
		if shorter := drill.Schedule(7, time.Minute, false); !slices.Equal(shorter, one[:len(shorter)]) {
			t.Error("how long it lasts changes what happens first")
		}
	})
	t.Run("has every fault within an hour, and each victim of it", func(t *testing.T) {
		t.Parallel()
		all := strings.Join(drill.Schedule(7, time.Hour, false), "\n")
		for _, wanted := range []string{
			"kill api-0", "kill api-1", "kill redis", "wipe redis", "replace redis", "fail over redis", "split redis",
			"fill the disk of redis", "fill the disk of rabbitmq",
			"delete the queues of rabbitmq", "block publishers of rabbitmq", "lose commits of mariadb-0", "lose commits of mariadb-1", "stop mariadb-1",
		} {
			if !strings.Contains(all, wanted) {
				t.Errorf("never does it %s", wanted)
			}
		}
	})
	t.Run("never loses Redis and the broker together", func(t *testing.T) {
		t.Parallel()
		pairs := drill.Losses(7, time.Hour)
		if len(pairs) < 100 {
			t.Fatalf("an hour has only %d pairs", len(pairs))
		}
		for _, losses := range pairs {
			if losses[0] != "" && losses[1] != "" {
				t.Errorf("a pair loses %v", losses)
			}
		}
	})
}

func TestShortestScheduleHasAFaultWhicheverIsWanted(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		played := drill.Shortest(seed, seed%2 == 0)
		if len(played) < 4 {
			t.Fatalf("there are only %v", played)
		}
		for name, times := range played {
			if times < 1 {
				t.Errorf("seed %d plays no %s", seed, name)
			}
		}
	}
}
