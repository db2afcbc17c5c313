package operate

import (
	"context"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// carryEvery is how long to wait before an item is tried again.
const carryEvery = 100 * time.Millisecond

// carryAll brings what was just committed to Redis, item by item at once. All of them count the same wait, so that many
// items are not waited for one after another.
func (s *Service) carryAll(ctx context.Context, items []seckill.Item) []Check {
	since := s.ports.Clock.Now()
	return each(items, func(item seckill.Item) Check { return s.carry(ctx, item.ID, since) })
}

// carry tries until the item took the settings, or until no gate that was lit under the old ones can be valid any more.
// since is after the commit.
func (s *Service) carry(ctx context.Context, item seckill.ID, since time.Time) Check {
	wait := s.gateOf(ctx, item) + seckill.CloseMargin
	for {
		err := s.carryOnce(ctx, item)
		if err == nil {
			return s.carried(ctx, item)
		}
		left := wait - s.ports.Clock.Now().Sub(since)
		if left <= 0 {
			s.ports.Log.Warn("settings not sent, gate has lapsed", "item", item, "error", err)
			return Check{Item: item, OK: true, Detail: fmt.Sprintf(
				"not sent within %s, so its gate has lapsed: it sells nothing until Redis hears of the change (%v)", wait, err)}
		}
		select {
		case <-ctx.Done():
			return Check{Item: item, Detail: fmt.Sprintf("not sent yet, a keeper will (%v)", err)}
		case <-s.ports.Clock.After(min(carryEvery, left)):
		}
	}
}

func (s *Service) carryOnce(ctx context.Context, item seckill.ID) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return s.ports.Settings.Carry(ctx, item)
}

// gateOf is the gate in the item's row; while the row cannot be read, the longest there is.
func (s *Service) gateOf(ctx context.Context, item seckill.ID) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	stock, err := s.ports.Stocks.Get(ctx, item)
	if err != nil {
		return seckill.GateMax
	}
	return stock.Gate
}

// carried says in which sense the item took it.
func (s *Service) carried(ctx context.Context, item seckill.ID) Check {
	stock, err := s.ports.Stocks.Get(ctx, item)
	switch {
	case isNotFound(err):
		return Check{Item: item, OK: true, Detail: "has no stock yet, so it takes the change before it sells"}
	case err != nil:
		return Check{Item: item, OK: true, Detail: "sent"}
	case stock.Halted != "":
		return Check{Item: item, Detail: "halted: " + stock.Halted}
	case stock.State == seckill.StockOpen:
		return Check{Item: item, OK: true, Detail: fmt.Sprintf("sent to epoch %d", stock.Epoch)}
	case stock.State == seckill.StockLoading:
		// The load may have read the sale before the commit; the keeper looks again before it lights the gate.
		return Check{Item: item, OK: true, Detail: fmt.Sprintf("loading epoch %d, which opens with the change or not at all", stock.Epoch)}
	default:
		return Check{Item: item, OK: true, Detail: fmt.Sprintf("%s, so it takes the change before it sells again", stock.State)}
	}
}
