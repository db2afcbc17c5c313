package operate

import (
	"context"
	"errors"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Journal is one page of the operators' log, newest first.
type Journal struct {
	Acts []seckill.Act
	// Next is the After of the next page, 0 on the last one.
	Next seckill.ID
}

// Log reads the operators' log. What was done to a sale includes what was done to its items.
func (s *Service) Log(ctx context.Context, query seckill.ActQuery) (Journal, error) {
	if len(query.Targets) == 1 {
		items, err := s.itemIDs(ctx, query.Targets[0])
		if err != nil {
			return Journal{}, err
		}
		query.Targets = append(items, query.Targets...)
	}
	size := min(max(query.Limit, 1), pageMax)
	query.Limit = size + 1 // see cut
	acts, err := s.ports.Catalog.Journal(ctx, query)
	if err != nil {
		return Journal{}, fmt.Errorf("read the log: %w", err)
	}
	page, next := cut(acts, size, func(act seckill.Act) seckill.ID { return act.ID })
	return Journal{Acts: page, Next: next}, nil
}

// itemIDs are the items of a sale; of anything else there are none.
func (s *Service) itemIDs(ctx context.Context, sale seckill.ID) ([]seckill.ID, error) {
	found, err := s.ports.Catalog.Sale(ctx, sale)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read sale %s: %w", sale, err)
	}
	items := make([]seckill.ID, len(found.Items))
	for i, item := range found.Items {
		items[i] = item.ID
	}
	return items, nil
}

// deed is an act on what lies elsewhere than the log, so that the two cannot share a transaction. It has two lines: what is
// intended, written before, and what came of it, written after. An intention alone says that the process died in between, or
// never heard what came of it: then the thing itself tells.
type deed struct {
	actor  string
	target seckill.ID
	// intent and done name the two lines.
	intent, done string
	before       string
}

// intend writes the first line. Nothing is done that could not be written down.
func (s *Service) intend(ctx context.Context, d deed, asked map[string]any) error {
	act := seckill.Act{Actor: d.actor, Action: d.intent, Target: d.target, Before: d.before, After: encode(asked)}
	if err := s.ports.Catalog.Log(ctx, act); err != nil {
		return fmt.Errorf("%s %s: %w", d.intent, d.target, err)
	}
	return nil
}

// done writes the second line, also when whoever asked has left. By now it is done: a line that cannot be written only
// leaves the first one.
func (s *Service) done(ctx context.Context, d deed, after map[string]any) {
	s.note(ctx, d, d.done, after)
	s.ports.Log.Info("operated", "action", d.done, "target", d.target, "actor", d.actor)
}

// refused writes the second line of a deed that the thing itself refused. Other failures leave the first line alone, because
// nobody knows.
func (s *Service) refused(ctx context.Context, d deed, err error) {
	var refusal *seckill.Refusal
	if errors.As(err, &refusal) {
		s.note(ctx, d, d.intent+"_refused", map[string]any{"reason": refusal.Reason, "detail": refusal.Detail})
	}
}

func (s *Service) note(ctx context.Context, d deed, action string, after map[string]any) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	act := seckill.Act{Actor: d.actor, Action: action, Target: d.target, Before: d.before, After: encode(after)}
	if err := s.ports.Catalog.Log(ctx, act); err != nil {
		s.ports.Log.Warn("what came of an act is not in the operators' log", "action", action, "target", d.target, "actor", d.actor, "error", err)
	}
}
