package keeper

import (
	"context"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// resalesMax is how many returns of one issue are measured, the oldest ones; measureWithin bounds that.
	resalesMax    = 1000
	measureWithin = 2 * time.Second
)

// resale is an issue that is for sale since a moment of this process's clock.
type resale struct {
	item         seckill.ID
	epoch, issue int64
	since        time.Time
}

// measure tells how long the units of cancelled orders took from the end of the order to being for sale again. Both are by
// the clock of the order's shard; what has passed since the sale is taken off by our own. It asks once the sale goes on, and
// whoever was the one to bring an issue to Redis measures it, so each return counts once, or not at all.
func (p Ports) measure(ctx context.Context, resales ...resale) {
	if p.Metrics.ForSale == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, measureWithin)
	defer cancel()
	for _, resale := range resales {
		if err := p.measureOne(ctx, resale); err != nil {
			p.Log.Debug("returns could not be measured", "item", resale.item, "issue", resale.issue, "error", err)
		}
	}
}

func (p Ports) measureOne(ctx context.Context, resale resale) error {
	orders, err := p.Returns.LentAgain(ctx, resale.item, resale.epoch, resale.issue, resalesMax)
	if err != nil || len(orders) == 0 {
		return err
	}
	ages, err := p.Payments.SinceEnd(ctx, orders)
	if err != nil {
		return err
	}
	passed := p.Clock.Now().Sub(resale.since)
	for _, age := range ages {
		p.Metrics.ForSale(max(age-passed, 0))
	}
	return nil
}
