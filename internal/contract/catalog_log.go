package contract

import (
	"slices"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func actsAreKept(t *testing.T, start func(t *testing.T) *catalogCase) {
	t.Helper()
	t.Run("keeps who did what, newest first", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		sale := c.in(seckill.SaleEnded)
		acts, err := c.Acts(t.Context(), sale.ID, 2)
		must(t, err)
		if len(acts) != 2 {
			t.Fatalf("got %d acts, want 2", len(acts))
		}
		want := c.act("sale.ended", sale.ID)
		want.ID, want.At = acts[0].ID, acts[0].At
		if acts[0] != want || acts[0].ID == 0 || acts[0].At.Before(c.now) || acts[1].Action != "sale.scheduled" {
			t.Fatalf("got %+v", acts)
		}
	})
	t.Run("keeps an act that changed nothing here", func(t *testing.T) {
		t.Parallel()
		c := start(t)
		act := seckill.Act{Actor: "operator:ann", Action: "stock.adjust", Target: c.next(7), Before: `{"pool":1}`, After: `{"delta":-1}`}
		must(t, c.Log(t.Context(), act))
		acts := c.journal(seckill.ActQuery{Limit: 10})
		if len(acts) != 1 || acts[0].At.Before(c.now) {
			t.Fatalf("the log says %+v", acts)
		}
		act.ID, act.At = acts[0].ID, acts[0].At
		if acts[0] != act {
			t.Fatalf("the log says %+v, want %+v", acts[0], act)
		}
	})
	t.Run("pages through the log by target and by actor", func(t *testing.T) {
		t.Parallel()
		pagesThroughLog(t, start(t))
	})
}

func pagesThroughLog(t *testing.T, c *catalogCase) {
	t.Helper()
	ours, other, third := c.next(0), c.next(900), c.next(0)
	var want []string
	for i, target := range []seckill.ID{ours, third, other, ours, other} {
		act := c.act("act."+string(rune('a'+i)), target)
		if target == other {
			act.Actor = "operator:ben"
		}
		must(t, c.Log(t.Context(), act))
		want = append([]string{act.Action}, want...)
	}
	for name, page := range map[string]struct {
		query seckill.ActQuery
		want  []string
	}{
		"the whole log":          {seckill.ActQuery{}, want},
		"what was done to one":   {seckill.ActQuery{Targets: []seckill.ID{ours}}, []string{"act.d", "act.a"}},
		"what was done to two":   {seckill.ActQuery{Targets: []seckill.ID{ours, third}}, []string{"act.d", "act.b", "act.a"}},
		"what one did":           {seckill.ActQuery{Actor: "operator:ben"}, []string{"act.e", "act.c"}},
		"what nobody did to one": {seckill.ActQuery{Targets: []seckill.ID{ours}, Actor: "operator:ben"}, nil},
	} {
		var got []string
		for page.query.Limit = 2; ; {
			acts := c.journal(page.query)
			for _, act := range acts {
				got = append(got, act.Action)
				page.query.After = act.ID
			}
			if len(acts) < page.query.Limit {
				break
			}
		}
		if !slices.Equal(got, page.want) {
			t.Errorf("%s: %v, want %v", name, got, page.want)
		}
	}
}

func (c *catalogCase) journal(query seckill.ActQuery) []seckill.Act {
	c.t.Helper()
	acts, err := c.Journal(c.t.Context(), query)
	must(c.t, err)
	return acts
}
