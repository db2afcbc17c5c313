package operate

import (
	"context"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// busyFor is how long an operator is told to wait for a store that does not answer.
const busyFor = 2 * time.Second

// moment is a sale and the database's clock, read together.
type moment struct {
	sale seckill.Sale
	now  time.Time
}

// Preload lends a draft's units to Redis and schedules it. Repeating it continues what was left undone and leaves an item
// alone that has begun. A dry run checks the same and changes nothing; its findings are in the checks.
func (s *Service) Preload(ctx context.Context, actor string, id seckill.ID, dryRun bool) (SaleReport, error) {
	if !dryRun {
		return s.Turn(ctx, Turn{Actor: actor, Sale: id, Act: ActPreload})
	}
	m, err := s.beforePreload(ctx, id)
	if err != nil {
		return SaleReport{}, err
	}
	return s.report(ctx, id, each(m.sale.Items, func(item seckill.Item) Check {
		return s.inspect(ctx, m, item).check(item.ID)
	}))
}

func (s *Service) preload(ctx context.Context, turn Turn) (SaleReport, error) {
	m, err := s.beforePreload(ctx, turn.Sale)
	if err != nil {
		return SaleReport{}, err
	}
	if err := s.mayBegin(ctx, m); err != nil {
		return SaleReport{}, err
	}
	if _, err := s.turn(ctx, turn, preloadTurn); err != nil {
		return SaleReport{}, err
	}
	// From here on the items are fixed; what was read before may have been edited since.
	sale, _, err := s.read(ctx, turn.Sale)
	if err != nil {
		return SaleReport{}, err
	}
	return s.report(ctx, sale.ID, each(sale.Items, func(item seckill.Item) Check { return s.begin(ctx, item) }))
}

func (s *Service) beforePreload(ctx context.Context, id seckill.ID) (moment, error) {
	sale, now, err := s.read(ctx, id)
	if err != nil {
		return moment{}, err
	}
	m := moment{sale, now}
	if m.is(seckill.SaleEnded) {
		return moment{}, m.conflict("be preloaded")
	}
	return m, nil
}

func preloadTurn(m moment) (seckill.SaleState, error) {
	switch {
	case m.is(seckill.SaleDraft):
		return seckill.SaleScheduled, nil
	case m.is(seckill.SaleEnded):
		return "", m.conflict("be preloaded")
	default:
		return "", nil
	}
}

// mayBegin refuses with the first item that is not ready; what does not answer is a matter of waiting.
func (s *Service) mayBegin(ctx context.Context, m moment) error {
	findings := each(m.sale.Items, func(item seckill.Item) finding { return s.inspect(ctx, m, item) })
	for i, item := range m.sale.Items {
		detail := fmt.Sprintf("item %s: %s", item.ID, findings[i].detail)
		switch {
		case findings[i].unreachable:
			return seckill.BusyFor(busyFor, detail)
		case !findings[i].ok:
			return conflict(m.sale, "", detail)
		}
	}
	return nil
}

// finding is what the inspection of one item found.
type finding struct {
	ok          bool
	unreachable bool
	detail      string
}

func (f finding) check(item seckill.ID) Check { return Check{Item: item, OK: f.ok, Detail: f.detail} }

// inspect looks whether an item can be preloaded, or has been, without touching it.
func (s *Service) inspect(ctx context.Context, m moment, item seckill.Item) finding {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if isOver(m.sale, m.now) {
		return finding{detail: fmt.Sprintf("the window ended at %s and it is %s; move ends_at first", stamp(m.sale.EndsAt), stamp(m.now))}
	}
	if item.Allotment < 1 {
		return finding{detail: "the allotment is 0"}
	}
	if _, err := s.ports.Lent.Server(ctx, item.ID); err != nil {
		return finding{unreachable: true, detail: fmt.Sprintf("redis does not answer (%v)", err)}
	}
	stock, err := s.ports.Stocks.Get(ctx, item.ID)
	switch {
	case isNotFound(err):
		return finding{ok: true, detail: fmt.Sprintf("%d units are ready to be lent", item.Allotment)}
	case err != nil:
		return finding{unreachable: true, detail: fmt.Sprintf("the stock row cannot be read (%v)", err)}
	case stock.Halted != "":
		return finding{detail: "halted: " + stock.Halted}
	case stock.State != seckill.StockNew:
		return finding{ok: true, detail: begunDetail(stock)}
	case m.is(seckill.SaleDraft) && stock.Allotted != item.Allotment: // later an operator may have adjusted it
		return finding{detail: fmt.Sprintf("the stock row has %d units, the item %d", stock.Allotted, item.Allotment)}
	default:
		return finding{ok: true, detail: fmt.Sprintf("%d units are ready to be lent", stock.Allotted)}
	}
}

// begin begins an item that has not begun. What fails here the keepers finish within seconds of when it can be done.
func (s *Service) begin(ctx context.Context, item seckill.Item) Check {
	err := s.ports.Epochs.Begin(ctx, item)
	var stock seckill.Stock
	if err == nil {
		stock, err = s.ports.Stocks.Get(ctx, item.ID)
	}
	if err != nil {
		s.ports.Log.Warn("preload of an item not finished", "item", item.ID, "error", err)
		return Check{Item: item.ID, Detail: fmt.Sprintf("has not begun, the keepers try on (%v)", err)}
	}
	if stock.Halted != "" {
		return Check{Item: item.ID, Detail: "halted: " + stock.Halted}
	}
	return Check{Item: item.ID, OK: stock.State != seckill.StockNew, Detail: begunDetail(stock)}
}

func begunDetail(stock seckill.Stock) string {
	switch stock.State {
	case seckill.StockOpen:
		return fmt.Sprintf("%d units are lent in epoch %d", stock.Lent, stock.Epoch)
	case seckill.StockNew:
		return "has not begun"
	default:
		return fmt.Sprintf("%s, epoch %d", stock.State, stock.Epoch)
	}
}
