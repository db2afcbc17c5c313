package redis_test

import (
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/redis"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestListen(t *testing.T) {
	t.Parallel()

	t.Run("hears again after the server was restarted", func(t *testing.T) {
		t.Parallel()
		n := startNode(t)
		announcements, heard := listen(t, n)
		announce(t, announcements, heard, seckill.Decision{Item: item, Reservation: 1})
		n.Restart(t)
		announce(t, announcements, heard, seckill.Decision{Item: item, Reservation: 2})
	})

	t.Run("passes over what it cannot read", func(t *testing.T) {
		t.Parallel()
		n := startNode(t)
		announcements, heard := listen(t, n)
		announce(t, announcements, heard, seckill.Decision{Item: item, Reservation: 1})
		for _, payload := range []string{"", ";", "x:1", "5", "5:", "5:x,;7:-1", `{"v":2}`} {
			fatal(t, n.raw.Publish(t.Context(), "seckill:decided", payload).Err())
		}
		fatal(t, n.raw.Publish(t.Context(), "seckill:decided", "5:x,6;y:7;8:9,10").Err())
		for _, want := range []seckill.Decision{{Item: 5, Reservation: 6}, {Item: 8, Reservation: 9}, {Item: 8, Reservation: 10}} {
			if got := next(t, heard, 1); got != want {
				t.Errorf("heard %v, want %v", got, want)
			}
		}
	})
}

func listen(t *testing.T, n node) (*redis.Announcements, <-chan seckill.Decision) {
	t.Helper()
	announcements, err := redis.OpenAnnouncements(redis.Options{Addresses: []string{n.Addr()}})
	fatal(t, err)
	heard, ended := make(chan seckill.Decision, 1000), make(chan error, 1)
	go func() {
		ended <- announcements.Listen(t.Context(), func(decisions []seckill.Decision) {
			for _, decision := range decisions {
				heard <- decision
			}
		})
	}()
	t.Cleanup(func() {
		check(t, <-ended)
		check(t, announcements.Close())
	})
	return announcements, heard
}

// announce says it until it is heard: what is said while nobody is connected is lost.
func announce(t *testing.T, announcements *redis.Announcements, heard <-chan seckill.Decision, decision seckill.Decision) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	deadline := time.After(patient)
	for {
		_ = announcements.Announce(t.Context(), []seckill.Decision{decision}) // fails while the server is away
		select {
		case got := <-heard:
			if got == decision {
				return
			}
		case <-again.C:
		case <-deadline:
			t.Fatalf("%v was not heard", decision)
		}
	}
}

// next is what is heard next, apart from echoes of one reservation.
func next(t *testing.T, heard <-chan seckill.Decision, echo seckill.ID) seckill.Decision {
	t.Helper()
	deadline := time.After(patient)
	for {
		select {
		case got := <-heard:
			if got.Reservation != echo {
				return got
			}
		case <-deadline:
			t.Fatal("heard nothing more")
		}
	}
}
