package contract

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func salesChange(t *testing.T, start func(t *testing.T) *catalogCase) {
	t.Helper()
	t.Run("moves from a state that was named, with its act", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		before := c.in(seckill.SaleScheduled)
		if !c.change(before.ID, seckill.SalePaused, seckill.SaleLive, seckill.SaleScheduled) {
			t.Fatal("the change was refused")
		}
		want := before
		want.State, want.Version = seckill.SalePaused, before.Version+1
		c.want(want)
		c.wantActs(before.ID, "sale.paused", "sale.scheduled", "sale.create")
	})
	t.Run("changes nothing from another state", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		before := c.in(seckill.SaleEnded)
		if c.change(before.ID, seckill.SalePaused, seckill.SaleLive, seckill.SaleScheduled) {
			t.Fatal("an ended sale was paused")
		}
		c.want(before)
		c.wantActs(before.ID, "sale.ended", "sale.scheduled", "sale.create")
	})
	t.Run("refuses a transition that does not exist", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		before := c.in(seckill.SaleEnded)
		_, err := c.Change(t.Context(), seckill.SaleChange{
			Sale: before.ID, From: []seckill.SaleState{seckill.SaleEnded}, To: seckill.SaleLive,
		})
		if err == nil {
			t.Fatal("an ended sale went live")
		}
		c.want(before)
	})
	t.Run("lets exactly one of several callers win", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		sale := c.in(seckill.SaleLive)
		won := race(t, 4, func(caller int) (bool, error) {
			to := []seckill.SaleState{seckill.SalePaused, seckill.SaleEnded}[caller%2]
			return c.Change(t.Context(), seckill.SaleChange{
				Sale: sale.ID, From: []seckill.SaleState{seckill.SaleLive}, To: to, Act: c.act("sale."+string(to), sale.ID),
			})
		})
		if now := c.sale(sale.ID); won != 1 || now.Version != sale.Version+1 {
			t.Fatalf("%d callers won, version %d after %d", won, now.Version, sale.Version)
		}
	})
}

func salesChangeAtTheirVersion(t *testing.T, start func(t *testing.T) *catalogCase) {
	t.Helper()
	t.Run("changes nothing at another version than the named one", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		before := c.in(seckill.SaleScheduled)
		pause := seckill.SaleChange{
			Sale: before.ID, From: []seckill.SaleState{seckill.SaleScheduled}, To: seckill.SalePaused,
			Version: before.Version - 1, Act: c.act("sale.paused", before.ID),
		}
		changed, err := c.Change(t.Context(), pause)
		must(t, err)
		if changed {
			t.Fatal("a sale of another version was paused")
		}
		c.want(before)
		pause.Version = before.Version
		if changed, err = c.Change(t.Context(), pause); err != nil || !changed {
			t.Fatalf("the sale of this version was not paused: %v", err)
		}
	})
}

func salesFollowTheClock(t *testing.T, start func(t *testing.T) *catalogCase) {
	t.Helper()
	for name, want := range map[string]struct {
		from, to     seckill.SaleState
		starts, ends time.Duration
	}{
		"opens a scheduled sale in its window":        {seckill.SaleScheduled, seckill.SaleLive, -time.Second, time.Hour},
		"leaves a scheduled sale before its window":   {seckill.SaleScheduled, seckill.SaleScheduled, time.Hour, 2 * time.Hour},
		"ends a live sale after its window":           {seckill.SaleLive, seckill.SaleEnded, -time.Hour, -time.Second},
		"ends a paused sale after its window":         {seckill.SalePaused, seckill.SaleEnded, -time.Hour, -time.Second},
		"ends a scheduled sale that slept through it": {seckill.SaleScheduled, seckill.SaleEnded, -time.Hour, -time.Second},
		"does not resume a paused sale":               {seckill.SalePaused, seckill.SalePaused, -time.Second, time.Hour},
		"leaves a draft alone":                        {seckill.SaleDraft, seckill.SaleDraft, -time.Hour, -time.Second},
		"leaves an ended sale alone":                  {seckill.SaleEnded, seckill.SaleEnded, -time.Hour, -time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t)
			before := c.in(want.from, want.starts, want.ends)
			var moved []seckill.ID
			expected := before
			if want.from != want.to {
				moved = []seckill.ID{before.ID}
				expected.State, expected.Version = want.to, before.Version+1
			}
			if got := c.advance(); !slices.Equal(got, moved) {
				t.Fatalf("moved %v, want %v", got, moved)
			}
			c.want(expected)
			if got := c.advance(); len(got) != 0 {
				t.Fatalf("moved %v again", got)
			}
		})
	}
}

func clockDecidesOnce(t *testing.T, start func(t *testing.T) *catalogCase) {
	t.Helper()
	t.Run("opens not a millisecond early by the database's clock", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		sale := c.in(seckill.SaleScheduled, 100*time.Millisecond, time.Hour)
		eventually(t, "the sale is live", func() bool {
			moved := c.advance()
			after, err := c.Now(t.Context())
			must(t, err)
			if len(moved) > 0 && after.Before(sale.StartsAt) {
				t.Fatalf("live at %v, before %v", after, sale.StartsAt)
			}
			return len(moved) > 0
		})
	})
	t.Run("tells each change to exactly one of several callers", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		for range 3 {
			c.in(seckill.SaleScheduled, -time.Second, time.Hour)
		}
		var told atomic.Int64
		race(t, 4, func(int) (bool, error) {
			moved, err := c.Advance(t.Context())
			told.Add(int64(len(moved)))
			return true, err
		})
		if told.Load() != 3 {
			t.Fatalf("3 sales opened, %d changes told", told.Load())
		}
	})
}

func salesAreListed(t *testing.T, start func(t *testing.T) *catalogCase) {
	t.Helper()
	t.Run("pages through sales, newest first, with their items", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		one, two, three := c.create(c.draft()), c.in(seckill.SaleLive), c.in(seckill.SaleEnded)
		for name, page := range map[string]struct {
			query seckill.SaleQuery
			want  []seckill.ID
		}{
			"first":      {seckill.SaleQuery{Limit: 2}, ids(three, two)},
			"second":     {seckill.SaleQuery{Limit: 2, After: two.ID}, ids(one)},
			"past":       {seckill.SaleQuery{Limit: 2, After: one.ID}, nil},
			"by state":   {seckill.SaleQuery{Limit: 9, States: []seckill.SaleState{seckill.SaleLive}}, ids(two)},
			"two states": {seckill.SaleQuery{Limit: 9, States: []seckill.SaleState{seckill.SaleLive, seckill.SaleDraft}}, ids(two, one)},
		} {
			got, err := c.Sales(t.Context(), page.query)
			must(t, err)
			if !slices.Equal(ids(got...), page.want) {
				t.Fatalf("%s page: got %v, want %v", name, ids(got...), page.want)
			}
			for _, sale := range got {
				c.want(sale)
			}
		}
	})
	t.Run("watches what is not a draft and did not end long ago", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		c.create(c.draft())
		scheduled, live, paused := c.in(seckill.SaleScheduled), c.in(seckill.SaleLive), c.in(seckill.SalePaused)
		// Ended by an operator before its window even began.
		ended := c.in(seckill.SaleEnded)
		running := func(endedAfter time.Time) []seckill.ID {
			sales, err := c.Running(t.Context(), endedAfter)
			must(t, err)
			return ids(sales...)
		}
		if got := running(c.now); !slices.Equal(got, ids(scheduled, live, paused, ended)) {
			t.Fatalf("just ended: got %v", got)
		}
		if got := running(c.now.Add(time.Minute)); !slices.Equal(got, ids(scheduled, live, paused)) {
			t.Fatalf("ended before: got %v", got)
		}
	})
}
