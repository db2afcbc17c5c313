package redis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// identityOutside is the identity of a call whose server is named around it.
	identityOutside = "-"
	// signedMin is for how many items of a call that is cheaper.
	signedMin = 2
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
	lineOf := func(identity string) func(int) ([]string, []any) {
		return func(n int) ([]string, []any) {
			k := keysOf(items[n])
			return []string{k.meta(), k.gate(), k.unsent(), k.unsettled()}, []any{identity}
		}
	}
	ask := calls{script: l.scripts.state, count: len(items), line: lineOf(l.identity), alone: lineOf(l.identity)}
	if l.identity == "" && len(items) >= signedMin {
		ask.line, ask.signed = lineOf(identityOutside), true
	}
	outcomes := l.pipeline(ctx, ask)
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
	state := readState(r, item, answer.server)
	return state, r.done(s.name)
}

// readState reads what one item is like. signed is who answered if the reply does not say so.
func readState(r *reply, item seckill.ID, signed seckill.Server) seckill.LentState {
	s := seckill.LentState{Item: item, Server: readServer(r)}
	if signed.RunID != "" {
		s.Server.RunID, s.Server.ReplicationID = signed.RunID, signed.ReplicationID
	}
	s.Unsent, s.Unsettled = r.number(), r.number()
	gate := readGate(r)
	s.GateEpoch, s.GateRunID, s.GateReplicationID = gate.Epoch, gate.Server.RunID, gate.Server.ReplicationID
	s.Epoch, s.Available, s.Sold, s.Issue = r.number(), r.number(), r.number(), r.number()
	if s.Known = s.Epoch > 0; s.Known {
		s.OpensAt, s.ClosesAt = r.millis(), r.millis()
	} else {
		_, _ = r.text(), r.text()
	}
	s.Limit = r.number()
	s.Opened, s.Paused = r.text() == "open", r.flag()
	s.Live = s.Opened && s.Known && holds(gate, s)
	return s
}

// holds is gate_holds of lua/prelude.lua.
func holds(gate seckill.Gate, s seckill.LentState) bool {
	return gate.Epoch == s.Epoch && gate.Server == seckill.Server{RunID: s.Server.RunID, ReplicationID: s.Server.ReplicationID} &&
		s.Server.Now.UnixMilli() < gate.Until.UnixMilli()
}

// readGate is read_gate of lua/prelude.lua: epoch, run_id, replid and until, or nothing when there is none.
func readGate(r *reply) (gate seckill.Gate) {
	text := r.text()
	if text == "" {
		return gate
	}
	fields := strings.Split(text, " ")
	if len(fields) != gateFields {
		r.fail(text)
		return gate
	}
	f := &reply{values: []any{fields[0], fields[1], fields[2], fields[3]}}
	gate.Epoch, gate.Server.RunID, gate.Server.ReplicationID, gate.Until = f.number(), f.text(), f.text(), f.millis()
	if f.err != nil {
		r.fail(text)
	}
	return gate
}

const gateFields = 4

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
