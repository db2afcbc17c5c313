package seckill_test

import (
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestStateAt(t *testing.T) {
	t.Parallel()
	opens := time.UnixMilli(1_800_000_000_000)
	closes := opens.Add(time.Hour)
	for name, c := range map[string]struct {
		state seckill.SaleState
		at    time.Time
		want  seckill.SaleState
	}{
		"is scheduled until it opens":                {seckill.SaleScheduled, opens.Add(-time.Millisecond), seckill.SaleScheduled},
		"is live from the opening, written or not":   {seckill.SaleScheduled, opens, seckill.SaleLive},
		"is live until it closes":                    {seckill.SaleLive, closes.Add(-time.Millisecond), seckill.SaleLive},
		"has ended from the closing, written or not": {seckill.SaleLive, closes, seckill.SaleEnded},
		"stays paused inside its window":             {seckill.SalePaused, opens, seckill.SalePaused},
		"has ended though it was paused":             {seckill.SalePaused, closes, seckill.SaleEnded},
		"stays ended when it was ended early":        {seckill.SaleEnded, opens, seckill.SaleEnded},
		"stays a draft whatever the time":            {seckill.SaleDraft, closes, seckill.SaleDraft},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sale := seckill.Sale{State: c.state, StartsAt: opens, EndsAt: closes}
			if got := sale.StateAt(c.at); got != c.want {
				t.Fatalf("got %s, want %s", got, c.want)
			}
		})
	}
}
