package handclock_test

import (
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
)

var _ seckill.Clock = (*handclock.Clock)(nil)

func TestClock(t *testing.T) {
	t.Parallel()
	t.Run("rings what is due, once, and leaves the rest pending", func(t *testing.T) {
		t.Parallel()
		c := handclock.New()
		soon, late := c.After(time.Second), c.After(time.Minute)
		c.Advance(time.Second)
		if at := <-soon; !at.Equal(c.Now()) || len(late) != 0 || c.Pending() != 1 {
			t.Errorf("rang at %v, now %v, %d pending", at, c.Now(), c.Pending())
		}
	})
	t.Run("rings nothing when it is only shifted", func(t *testing.T) {
		t.Parallel()
		c := handclock.New()
		before, ring := c.Now(), c.After(time.Second)
		c.Shift(time.Hour)
		if len(ring) != 0 || c.Now().Sub(before) != time.Hour {
			t.Fatalf("%d rang, %v later", len(ring), c.Now().Sub(before))
		}
		c.Advance(0)
		if len(ring) != 1 {
			t.Fatal("it did not ring afterwards")
		}
	})
}
