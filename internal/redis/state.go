package redis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// States implements seckill.Lent. One reading per item is consistent; different items are read one after the other.
func (l *Lent) States(ctx context.Context, items []seckill.ID) ([]seckill.LentState, error) {
	states := make([]seckill.LentState, 0, len(items))
	var failures []error
	for some := range slices.Chunk(items, pipelineMax) {
		read, err := l.states(ctx, some)
		states, failures = append(states, read...), append(failures, err)
		if len(read) == 0 {
			break // nobody answers: the next ones would only wait for as long again
		}
	}
	return states, errors.Join(failures...)
}

func (l *Lent) states(ctx context.Context, items []seckill.ID) ([]seckill.LentState, error) {
	outcomes := l.pipeline(ctx, calls{l.scripts.state, len(items), func(n int) ([]string, []any) {
		k := keysOf(items[n])
		return []string{k.meta(), k.gate(), k.unsent(), k.unsettled()}, []any{l.identity}
	}})
	states := make([]seckill.LentState, 0, len(items))
	var failure error
	for n, item := range items {
		state, err := l.state(item, outcomes[n])
		if err != nil {
			failure = cmp.Or(failure, err)
			continue
		}
		states = append(states, state)
	}
	if failure != nil {
		return states, fmt.Errorf("%d of %d items: %w", len(items)-len(states), len(items), failure)
	}
	return states, nil
}

func (l *Lent) state(item seckill.ID, answer outcome) (seckill.LentState, error) {
	if answer.err != nil {
		return seckill.LentState{}, answer.err
	}
	s := l.scripts.state
	r, err := s.open(answer.value)
	if err != nil {
		return seckill.LentState{}, err
	}
	state := readState(r, item)
	return state, r.done(s.name)
}

func readState(r *reply, item seckill.ID) seckill.LentState {
	s := seckill.LentState{Item: item, Server: readServer(r)}
	s.Unsent, s.Unsettled, s.Live = r.number(), r.number(), r.flag()
	s.GateEpoch, s.GateRunID, s.GateReplicationID = r.number(), r.text(), r.text()
	s.Epoch, s.Available, s.Sold, s.Issue = r.number(), r.number(), r.number(), r.number()
	if s.Known = s.Epoch > 0; s.Known {
		s.OpensAt, s.ClosesAt = r.millis(), r.millis()
	} else {
		_, _ = r.text(), r.text()
	}
	s.Limit = r.number()
	s.Opened, s.Paused = r.text() == "open", r.flag()
	return s
}

// Server implements seckill.Lent.
func (l *Lent) Server(ctx context.Context, item seckill.ID) (seckill.Server, error) {
	s := l.scripts.server
	r, err := s.run(ctx, l.client, []string{keysOf(item).meta()}, l.identity)
	if err != nil {
		return seckill.Server{}, err
	}
	server := readServer(r)
	return server, r.done(s.name)
}

// readServer reads micros, run id and replication id.
func readServer(r *reply) seckill.Server {
	return seckill.Server{Now: r.micros(), RunID: r.text(), ReplicationID: r.text()}
}
