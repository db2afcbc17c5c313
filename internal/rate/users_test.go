package rate

import (
	"fmt"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestUsers(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 20, 10, 0, 0, 0, time.UTC)
	t.Run("peers: remembers a bounded number of users", func(t *testing.T) {
		t.Parallel()
		const usersMax = 1600
		u := NewUsers(1, 1, usersMax)
		for i := range 100_000 {
			u.Take(seckill.UserID(fmt.Sprintf("user-%d", i)), now)
		}
		kept := 0
		for i := range u.parts {
			kept += len(u.parts[i].young) + len(u.parts[i].old)
		}
		if kept > usersMax {
			t.Fatalf("%d users", kept)
		}
	})
	t.Run("remembers who comes again while others come and go", func(t *testing.T) {
		t.Parallel()
		u := NewUsers(1, 1, 1600)
		u.Take("ann", now)
		for i := range 1000 {
			u.Take(seckill.UserID(fmt.Sprintf("user-%d", i)), now)
		}
		if wait := u.Take("ann", now); wait != time.Second {
			t.Fatalf("wait %s", wait)
		}
	})
	t.Run("gives a token back in time, never more than the burst", func(t *testing.T) {
		t.Parallel()
		u := NewUsers(10, 2, 1600)
		for _, step := range []struct {
			at, wait time.Duration
		}{{0, 0}, {0, 0}, {0, 100 * time.Millisecond}, {100 * time.Millisecond, 0}, {time.Hour, 0}, {time.Hour, 0}, {time.Hour, 100 * time.Millisecond}} {
			if wait := u.Take("ann", now.Add(step.at)); wait != step.wait {
				t.Fatalf("after %s: %s, not %s", step.at, wait, step.wait)
			}
		}
	})
	t.Run("is off with a negative rate", func(t *testing.T) {
		t.Parallel()
		u := NewUsers(-1, 1, 16)
		for range 100 {
			if u.Take("ann", now) > 0 {
				t.Fatal("refused")
			}
		}
	})
}
