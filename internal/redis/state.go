package redis

import (
	"context"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// States implements seckill.Lent. One reading per item is consistent; different items are read one after the other.
func (l *Lent) States(ctx context.Context, items []seckill.ID) ([]seckill.LentState, error) {
	states := make([]seckill.LentState, 0, len(items))
	for some := range slices.Chunk(items, pipelineMax) {
		read, err := l.states(ctx, some)
		if err != nil {
			return nil, err
		}
		states = append(states, read...)
	}
	return states, nil
}

func (l *Lent) states(ctx context.Context, items []seckill.ID) ([]seckill.LentState, error) {
	s := l.scripts.state
	cmds, err := l.pipeline(ctx, s, len(items), func(n int) ([]string, []any) {
		k := keysOf(items[n])
		return []string{k.meta(), k.gate(), k.unsent(), k.unsettled()}, []any{l.identity}
	})
	if err != nil {
		return nil, err
	}
	states := make([]seckill.LentState, len(items))
	for i, item := range items {
		r, err := s.open(cmds[i].Val())
		if err != nil {
			return nil, err
		}
		states[i] = readState(r, item)
		if err := r.done(s.name); err != nil {
			return nil, err
		}
	}
	return states, nil
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
