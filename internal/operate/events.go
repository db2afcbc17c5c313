package operate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// EventPage is one page of events that endpoints were not told, oldest first.
type EventPage struct {
	Dead []seckill.Dispatch
	// Next is the After of the next page, 0 on the last one.
	Next seckill.ID
}

// DeadEvents lists what one endpoint was not told, or with "" all of them. The limit counts events; each comes with all
// these endpoints.
func (s *Service) DeadEvents(ctx context.Context, endpoint string, after seckill.ID, limit int) (EventPage, error) {
	size := min(max(limit, 1), pageMax)
	var dead []seckill.Dispatch
	for shard := range s.ports.Shards.Count() {
		some, err := s.ports.Events.Dead(ctx, shard, endpoint, after, size+1) // one more tells whether there is a next page
		if err != nil {
			return EventPage{}, fmt.Errorf("list dead events: %w", err)
		}
		dead = append(dead, some...)
	}
	slices.SortStableFunc(dead, func(a, b seckill.Dispatch) int { return cmp.Compare(a.ID, b.ID) })
	var last seckill.ID
	events := 0
	for i, dispatch := range dead {
		if dispatch.ID == last {
			continue
		}
		if events++; events > size {
			return EventPage{Dead: dead[:i], Next: last}, nil
		}
		last = dispatch.ID
	}
	return EventPage{Dead: dead}, nil
}

// ReplayEvent has an endpoint told again what it was not told, and returns that as it was.
func (s *Service) ReplayEvent(ctx context.Context, actor, endpoint string, event seckill.ID) (seckill.Dispatch, error) {
	d := deed{actor: actor, target: event, intent: actionReplayEvent, done: actionEventReplayed}
	return s.decideEvent(ctx, d, endpoint, map[string]any{"endpoint": endpoint}, s.ports.Events.Replay)
}

// DiscardEvent gives up telling an endpoint of an event, and returns it as it was; the log keeps it.
func (s *Service) DiscardEvent(
	ctx context.Context, actor, endpoint string, event seckill.ID, reason string,
) (seckill.Dispatch, error) {
	if err := validateText("reason", reason, reasonMax); err != nil {
		return seckill.Dispatch{}, err
	}
	d := deed{actor: actor, target: event, intent: actionDiscardEvent, done: actionEventDiscarded}
	return s.decideEvent(ctx, d, endpoint, map[string]any{"endpoint": endpoint, "reason": reason}, s.ports.Events.Discard)
}

// decideEvent does what was decided about a dead event. Of two operators one finds it.
func (s *Service) decideEvent(
	ctx context.Context, d deed, endpoint string, asked map[string]any,
	decide func(ctx context.Context, shard int, endpoint string, event seckill.ID) (bool, error),
) (seckill.Dispatch, error) {
	dead, shard, err := s.deadEvent(ctx, endpoint, d.target)
	if err != nil {
		return seckill.Dispatch{}, err
	}
	d.before = encode(loggedEvent(dead))
	if err := s.intend(ctx, d, asked); err != nil {
		return seckill.Dispatch{}, err
	}
	d.before = "" // once is enough
	decided, err := decide(ctx, shard, endpoint, d.target)
	if err == nil && !decided {
		err = seckill.Refuse(seckill.Conflict, fmt.Sprintf("somebody else has decided about event %s at the same moment", d.target))
		s.refused(ctx, d, err)
		return seckill.Dispatch{}, err
	}
	if err != nil {
		return seckill.Dispatch{}, fmt.Errorf("%s %s: %w", d.intent, d.target, err)
	}
	s.done(ctx, d, asked)
	return dead, nil
}

// deadEvent finds what an endpoint was not told. An event lies on the shard that its transaction was on, whatever its id.
func (s *Service) deadEvent(ctx context.Context, endpoint string, event seckill.ID) (seckill.Dispatch, int, error) {
	for shard := range s.ports.Shards.Count() {
		first, err := s.ports.Events.Dead(ctx, shard, endpoint, event-1, 1)
		if err != nil {
			return seckill.Dispatch{}, 0, fmt.Errorf("read dead event %s: %w", event, err)
		}
		for _, dispatch := range first {
			if dispatch.ID == event {
				return dispatch, shard, nil
			}
		}
	}
	return seckill.Dispatch{}, 0, seckill.Refuse(seckill.NotFound, fmt.Sprintf("there is no dead event %s for %s", event, endpoint))
}

// loggedEvent is a dead event in the operators' log.
func loggedEvent(dead seckill.Dispatch) map[string]any {
	return map[string]any{
		"type": dead.Type, "subject": dead.Subject, "version": dead.Version, "data": string(dead.Data), "tries": dead.Tries,
		"failure": dead.Failure, "at": dead.At.UTC().Format(time.RFC3339Nano),
	}
}
