package operate

import (
	"context"
	"fmt"
	"strings"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// AdjustStock adds units to an item in the middle of its sale, or takes some away. Repeating an op answers what it answered
// the first time, with the stock as it is by now. What is lent is owed and taken by the end of the epoch, which begins now.
func (s *Service) AdjustStock(ctx context.Context, actor string, adjustment seckill.Adjustment) (seckill.Adjusted, error) {
	if err := validateAdjustment(adjustment); err != nil {
		return seckill.Adjusted{}, err
	}
	before, err := s.stockOf(ctx, adjustment.Item)
	if err != nil {
		return seckill.Adjusted{}, err
	}
	d := deed{actor: actor, target: adjustment.Item, intent: actionAdjust, done: actionAdjusted, before: encode(loggedStock(before))}
	if err := s.intend(ctx, d, map[string]any{"op_id": adjustment.Op, "delta": adjustment.Delta}); err != nil {
		return seckill.Adjusted{}, err
	}
	adjusted, err := s.adjust(ctx, adjustment)
	if err != nil {
		s.refused(ctx, d, err)
		return adjusted, err
	}
	after := loggedStock(adjusted.Stock)
	after["op_id"], after["moved"], after["owed"], after["repeated"] = adjustment.Op, adjusted.Taken, adjusted.Owed, adjusted.Repeated
	s.done(ctx, d, after)
	return adjusted, nil
}

// Reopened is what became of an item that was halted.
type Reopened struct {
	Stock seckill.Stock
	// Halted says why it was; "" when it was not, and nothing was changed.
	Halted string
}

// ReopenStock lets an item be sold again that was halted, after somebody has looked. What Redis sells then is what SQL says:
// an open epoch is sealed, and the next one follows. While SQL contradicts itself it is refused: nobody could say how many units
// there are to sell.
func (s *Service) ReopenStock(ctx context.Context, actor string, item seckill.ID, reason string) (Reopened, error) {
	if err := validateText("reason", reason, reasonMax); err != nil {
		return Reopened{}, err
	}
	before, err := s.stockOf(ctx, item)
	if err != nil {
		return Reopened{}, err
	}
	if before.Halted == "" {
		return Reopened{Stock: before}, nil
	}
	wrong, err := s.ports.Audit.Contradictions(ctx, item)
	switch {
	case err != nil:
		return Reopened{}, fmt.Errorf("audit item %s: %w", item, err)
	case len(wrong) > 0:
		return Reopened{}, seckill.Refuse(seckill.Conflict,
			fmt.Sprintf("the database contradicts itself about this item: %s; put that right first", strings.Join(wrong, "; ")))
	}
	d := deed{
		actor: actor, target: item, intent: actionReopen, done: actionReopened, before: encode(map[string]any{"halted": before.Halted}),
	}
	if err := s.intend(ctx, d, map[string]any{"reason": reason}); err != nil {
		return Reopened{}, err
	}
	stock, why, err := s.ports.Halts.Reopen(ctx, item)
	if err != nil {
		return Reopened{}, fmt.Errorf("reopen item %s: %w", item, err)
	}
	s.done(ctx, d, loggedStock(stock))
	return Reopened{Stock: stock, Halted: why}, nil
}

func (s *Service) adjust(ctx context.Context, adjustment seckill.Adjustment) (seckill.Adjusted, error) {
	adjusted, err := s.ports.Adjustments.Adjust(ctx, adjustment)
	if err != nil {
		return seckill.Adjusted{}, fmt.Errorf("adjust the stock of item %s: %w", adjustment.Item, err)
	}
	if adjusted.Refused {
		return seckill.Adjusted{}, tooMany(adjusted)
	}
	return adjusted, nil
}

func tooMany(adjusted seckill.Adjusted) error {
	detail := fmt.Sprintf("at most %d units can be taken; the others are claimed or will be taken already", adjusted.Largest)
	if adjusted.Stock.State == seckill.StockClosed {
		detail = "the stock of this item is closed: its sale is over"
	}
	return &seckill.Refusal{Reason: seckill.Conflict, Field: "delta", Detail: detail, Largest: &adjusted.Largest}
}

// stockOf reads an item's row, or says why there is none.
func (s *Service) stockOf(ctx context.Context, id seckill.ID) (seckill.Stock, error) {
	stock, err := s.ports.Stocks.Get(ctx, id)
	if err == nil {
		return stock, nil
	}
	if !isNotFound(err) {
		return seckill.Stock{}, fmt.Errorf("read the stock of item %s: %w", id, err)
	}
	_, err = s.ports.Catalog.Item(ctx, id)
	switch {
	case isNotFound(err):
		return seckill.Stock{}, seckill.Refuse(seckill.NotFound, fmt.Sprintf("there is no item %s", id))
	case err != nil:
		return seckill.Stock{}, fmt.Errorf("read item %s: %w", id, err)
	default:
		return seckill.Stock{}, seckill.Refuse(seckill.Conflict, "this item was never preloaded; change its allotment in the draft")
	}
}

// loggedStock is a stock row in the operators' log, in the words of the API.
func loggedStock(stock seckill.Stock) map[string]any {
	return map[string]any{
		"state": stock.State, "epoch": stock.Epoch, "allotted": stock.Allotted, "pool": stock.Pool, "lent": stock.Lent,
		"doubt": stock.Doubt, "claimed": stock.Claimed, "owed_decrease": stock.OwedDecrease,
	}
}

func validateAdjustment(a seckill.Adjustment) error {
	if err := a.Validate(); err != nil {
		return err
	}
	return validateRange("delta", a.Delta, -allotmentMax, allotmentMax)
}
