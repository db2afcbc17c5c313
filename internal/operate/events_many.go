package operate

import (
	"context"
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// manyBatch is how many dead events of a shard are decided about in one transaction, manyBatches how many such
	// transactions one call makes on each shard.
	manyBatch   = 500
	manyBatches = 4
)

// DeadChoice says which dead events an operator decides about.
type DeadChoice struct {
	// Endpoint chooses those that it was not told; "" chooses none.
	Endpoint string
	// All chooses those of every endpoint; none is named then.
	All bool
	// Waiting also chooses what these are still to be told; only to discard it.
	Waiting bool
	// After is where the call before ended.
	After seckill.ID
}

// check refuses a choice of nothing: nobody should decide about everything by leaving something out. So it does with a
// choice of one and of all.
func (c DeadChoice) check() error {
	switch {
	case c.Endpoint == "" && !c.All:
		return seckill.InvalidField("endpoint", "name an endpoint, or say all")
	case c.Endpoint != "" && c.All:
		return seckill.InvalidField("all", "name an endpoint, or say all, not both")
	default:
		return nil
	}
}

// ManyDecided is what became of the chosen events.
type ManyDecided struct {
	// Count is how many were decided about, each once for each endpoint.
	Count int
	// Next is the After of the next call, 0 when there is nothing left.
	Next seckill.ID
}

// ReplayEvents has endpoints told again what they were not told: some thousands at a time.
func (s *Service) ReplayEvents(ctx context.Context, actor string, choice DeadChoice) (ManyDecided, error) {
	d := deed{actor: actor, intent: actionReplayEvents, done: actionEventsReplayed}
	return s.decideEvents(ctx, d, choice, map[string]any{}, s.ports.Events.ReplayDead)
}

// DiscardEvents gives up telling endpoints of events, some thousands at a time. The log keeps how many, and from which to
// which.
func (s *Service) DiscardEvents(ctx context.Context, actor string, choice DeadChoice, reason string) (ManyDecided, error) {
	if err := validateText("reason", reason, reasonMax); err != nil {
		return ManyDecided{}, err
	}
	asked := map[string]any{"reason": reason}
	if choice.Waiting {
		asked["waiting"] = true
		if err := s.giveUp(ctx, choice); err != nil {
			return ManyDecided{}, err
		}
	}
	d := deed{actor: actor, intent: actionDiscardEvents, done: actionEventsDiscarded}
	return s.decideEvents(ctx, d, choice, asked, s.ports.Events.DiscardDead)
}

// giveUp makes what waits one of the dead: as many events as this call can decide about. Should it be cut off here, an
// operator finds them there, and can have them told after all.
func (s *Service) giveUp(ctx context.Context, choice DeadChoice) error {
	if err := choice.check(); err != nil {
		return err
	}
	for shard := range s.ports.Shards.Count() {
		for range manyBatches {
			given, err := s.ports.Events.GiveUp(ctx, shard, choice.Endpoint, manyBatch)
			if err != nil {
				return fmt.Errorf("give up what waits: %w", err)
			}
			if given == 0 {
				break
			}
		}
	}
	return nil
}

// decideMany is what decides about some dead events of a shard.
type decideMany func(ctx context.Context, shard int, endpoint string, after seckill.ID, limit int) (seckill.DeadBatch, error)

// decideEvents does what was decided. The log has it under the first of the events.
func (s *Service) decideEvents(
	ctx context.Context, d deed, choice DeadChoice, asked map[string]any, decide decideMany,
) (ManyDecided, error) {
	if err := choice.check(); err != nil {
		return ManyDecided{}, err
	}
	first, err := s.DeadEvents(ctx, choice.Endpoint, choice.After, 1)
	if err != nil {
		return ManyDecided{}, err
	}
	if len(first.Dead) == 0 {
		return ManyDecided{}, s.checkKnown(ctx, choice)
	}
	d.target = first.Dead[0].ID
	if choice.Endpoint == "" {
		asked["all"] = true
	} else {
		asked["endpoint"] = choice.Endpoint
	}
	if err := s.intend(ctx, d, asked); err != nil {
		return ManyDecided{}, err
	}
	decided, err := s.decideShards(ctx, choice, decide)
	if err == nil || decided.Count > 0 { // what failed may have come to nothing, but the others did not
		asked["count"] = decided.Count
		if decided.Next > 0 {
			asked["last"] = decided.Next
		}
		s.done(ctx, d, asked)
	}
	if err != nil {
		return ManyDecided{}, fmt.Errorf("%s after %d: %w", d.intent, decided.Count, err)
	}
	return decided, nil
}

// checkKnown refuses the name of an endpoint that neither the configuration nor any event knows. Whoever goes on after a call
// before has found it then.
func (s *Service) checkKnown(ctx context.Context, choice DeadChoice) error {
	if choice.Endpoint == "" || choice.After > 0 || slices.Contains(s.ports.Endpoints, choice.Endpoint) {
		return nil
	}
	for shard := range s.ports.Shards.Count() {
		waiting, _, err := s.ports.Events.Waiting(ctx, shard, choice.Endpoint)
		if err != nil || waiting > 0 {
			return err
		}
	}
	return seckill.InvalidField("endpoint", fmt.Sprintf("no endpoint is called %s, and no event waits for one of that name", choice.Endpoint))
}

// decideShards goes through the shards. Where there is more, the next call goes on after the shard that got least far: what
// others did beyond that is no longer dead.
func (s *Service) decideShards(ctx context.Context, choice DeadChoice, decide decideMany) (ManyDecided, error) {
	var decided ManyDecided
	for shard := range s.ports.Shards.Count() {
		last := choice.After
		for range manyBatches {
			batch, err := decide(ctx, shard, choice.Endpoint, last, manyBatch)
			if err != nil {
				return decided, err
			}
			decided.Count += batch.Dispatches
			if last = batch.Last; last == 0 {
				break
			}
		}
		if last > 0 && (decided.Next == 0 || last < decided.Next) {
			decided.Next = last
		}
	}
	return decided, nil
}
