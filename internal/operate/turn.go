package operate

import (
	"context"
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// turnsMax bounds how often a transition is decided anew because the sale moved meanwhile (the clock started it, say).
const turnsMax = 3

// Turn is a transition that an operator asks for.
type Turn struct {
	Actor string
	Sale  seckill.ID
	Act   SaleAct
	// Version is what the sale's must be; 0 does not ask.
	Version int64
}

// SaleAct is what an operator does to a sale as a whole, as the operators' log calls it.
type SaleAct string

// What moves a sale.
const (
	ActPreload SaleAct = "sale.preload"
	ActPause   SaleAct = "sale.pause"
	ActResume  SaleAct = "sale.resume"
	ActEnd     SaleAct = "sale.end"
)

// Turn moves a sale and answers when its items have heard of it.
func (s *Service) Turn(ctx context.Context, turn Turn) (SaleReport, error) {
	switch turn.Act {
	case ActPreload:
		return s.preload(ctx, turn)
	case ActPause:
		return s.pause(ctx, turn, pauseTurn)
	case ActResume:
		return s.pause(ctx, turn, resumeTurn)
	case ActEnd:
		return s.end(ctx, turn)
	default:
		return SaleReport{}, fmt.Errorf("turn sale %s: there is no act %q", turn.Sale, turn.Act)
	}
}

// Pause stops selling. What was reserved before is honoured.
func (s *Service) Pause(ctx context.Context, actor string, id seckill.ID) (SaleReport, error) {
	return s.Turn(ctx, Turn{Actor: actor, Sale: id, Act: ActPause})
}

// Resume goes on selling, or waiting for the start.
func (s *Service) Resume(ctx context.Context, actor string, id seckill.ID) (SaleReport, error) {
	return s.Turn(ctx, Turn{Actor: actor, Sale: id, Act: ActResume})
}

// End ends a sale for good and asks for the last seal of its items at once.
func (s *Service) End(ctx context.Context, actor string, id seckill.ID) (SaleReport, error) {
	return s.Turn(ctx, Turn{Actor: actor, Sale: id, Act: ActEnd})
}

// pause is pause and resume, which only tell Redis.
func (s *Service) pause(ctx context.Context, turn Turn, decide decision) (SaleReport, error) {
	sale, err := s.turn(ctx, turn, decide)
	if err != nil {
		return SaleReport{}, err
	}
	return s.report(ctx, sale.ID, s.carryAll(ctx, sale.Items))
}

func (s *Service) end(ctx context.Context, turn Turn) (SaleReport, error) {
	sale, err := s.turn(ctx, turn, endTurn)
	if err != nil {
		return SaleReport{}, err
	}
	// Redis hears that the window is over before the seal stops whoever could tell it: the answer "ended" must be true.
	s.carryAll(ctx, sale.Items)
	checks := each(sale.Items, func(item seckill.Item) Check { return s.sealFinal(ctx, item.ID) })
	return s.report(ctx, sale.ID, checks)
}

// decision is what a transition decides about the sale as it was read: the state to move to, or "" when it is there.
type decision func(moment) (seckill.SaleState, error)

func pauseTurn(m moment) (seckill.SaleState, error) {
	switch {
	case m.is(seckill.SalePaused):
		return "", nil
	case m.is(seckill.SaleScheduled, seckill.SaleLive):
		return seckill.SalePaused, nil
	default:
		return "", m.conflict("be paused")
	}
}

func resumeTurn(m moment) (seckill.SaleState, error) {
	switch {
	case m.is(seckill.SaleScheduled, seckill.SaleLive):
		return "", nil
	case !m.is(seckill.SalePaused):
		return "", m.conflict("be resumed")
	case isOver(m.sale, m.now):
		return "", conflict(m.sale, "", "this sale is paused and its window ended at "+stamp(m.sale.EndsAt))
	case m.now.Before(m.sale.StartsAt):
		return seckill.SaleScheduled, nil
	default:
		return seckill.SaleLive, nil
	}
}

func endTurn(m moment) (seckill.SaleState, error) {
	switch {
	case m.is(seckill.SaleEnded):
		return "", nil
	case m.is(seckill.SaleDraft):
		return "", m.conflict("be ended")
	default:
		return seckill.SaleEnded, nil
	}
}

func (m moment) is(states ...seckill.SaleState) bool { return slices.Contains(states, m.sale.State) }

func (m moment) conflict(verb string) error {
	return conflict(m.sale, "", fmt.Sprintf("this sale is %s and cannot %s", m.sale.State, verb))
}

// conflict refuses what the sale, as it is, does not allow.
func conflict(sale seckill.Sale, field, detail string) error {
	return &seckill.Refusal{Reason: seckill.Conflict, Field: field, Detail: detail, Sale: &sale}
}

// atVersion refuses a sale that is not as the operator saw it; 0 does not ask.
func atVersion(sale seckill.Sale, version int64) error {
	if version == 0 || version == sale.Version {
		return nil
	}
	return conflict(sale, "", fmt.Sprintf("this sale is %s at version %d by now, not %d", sale.State, sale.Version, version))
}

// turn moves a sale from exactly the version that was read, so that the log says what truly was before, and a call that comes
// twice does not undo what was decided since. It returns the sale as it was read. One that is there already is not an error:
// whoever repeats a call continues what it left undone.
func (s *Service) turn(ctx context.Context, turn Turn, decide decision) (seckill.Sale, error) {
	for range turnsMax {
		sale, now, err := s.read(ctx, turn.Sale)
		if err != nil {
			return seckill.Sale{}, err
		}
		if err := atVersion(sale, turn.Version); err != nil {
			return seckill.Sale{}, err
		}
		to, err := decide(moment{sale, now})
		if err != nil || to == "" {
			return sale, err
		}
		changed, err := s.ports.Catalog.Change(ctx, seckill.SaleChange{
			Sale: sale.ID, From: []seckill.SaleState{sale.State}, To: to, Version: sale.Version,
			Act: seckill.Act{
				Actor: turn.Actor, Action: string(turn.Act), Target: sale.ID, At: now,
				Before: stateOnly(sale.State), After: stateOnly(to),
			},
		})
		if err != nil {
			return seckill.Sale{}, fmt.Errorf("%s %s: %w", turn.Act, sale.ID, err)
		}
		if changed {
			s.ports.Log.Info("sale moved", "sale", sale.ID, "actor", turn.Actor, "action", turn.Act, "from", sale.State, "to", to)
			return sale, nil
		}
	}
	return seckill.Sale{}, s.overtaken(ctx, turn.Sale)
}

// sealFinal asks for the last seal; a keeper's clock job asks again for what could not be reached.
func (s *Service) sealFinal(ctx context.Context, item seckill.ID) Check {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	stock, err := s.ports.Stocks.Get(ctx, item)
	if isNotFound(err) {
		return Check{Item: item, OK: true, Detail: "was never preloaded"}
	}
	if err == nil && !stock.Final && stock.State != seckill.StockClosed {
		_, err = s.ports.Stocks.Seal(ctx, seckill.SealRequest{Item: item, Final: true})
	}
	if err != nil {
		s.ports.Log.Warn("last seal not asked for", "item", item, "error", err)
		return Check{Item: item, Detail: fmt.Sprintf("not sealed yet, a keeper will (%v)", err)}
	}
	if stock.State == seckill.StockClosed {
		return Check{Item: item, OK: true, Detail: "closed"}
	}
	return Check{Item: item, OK: true, Detail: fmt.Sprintf("epoch %d is the last one; it closes once it is settled", stock.Epoch)}
}
