package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Open implements seckill.Lent.
func (l *Lent) Open(ctx context.Context, gate seckill.Gate) error {
	if err := checkGate(gate); err != nil {
		return fmt.Errorf("open: %w", err)
	}
	k := keysOf(gate.Item)
	return l.do(ctx, l.scripts.open, []string{k.meta(), k.gate()},
		gate.Epoch, gate.Server.RunID, gate.Server.ReplicationID, gate.Until.UnixMilli())
}

// Renew implements seckill.Lent.
func (l *Lent) Renew(ctx context.Context, renewal seckill.Renewal) error {
	return l.RenewAll(ctx, []seckill.Renewal{renewal})[0]
}

// RenewAll implements seckill.Lent.
func (l *Lent) RenewAll(ctx context.Context, renewals []seckill.Renewal) []error {
	failures := make([]error, 0, len(renewals))
	for some := range slices.Chunk(renewals, pipelineMax) {
		failures = append(failures, l.renew(ctx, some)...)
	}
	return failures
}

func (l *Lent) renew(ctx context.Context, renewals []seckill.Renewal) []error {
	failures := make([]error, len(renewals))
	for _, renewal := range renewals {
		if err := checkGate(renewal.Gate); err != nil {
			return each(failures, fmt.Errorf("renew: %w", err))
		}
	}
	s := l.scripts.renew
	line := func(n int) ([]string, []any) {
		r := renewals[n]
		k := keysOf(r.Item)
		return []string{k.meta(), k.gate()}, []any{
			r.Epoch, r.Server.RunID, r.Server.ReplicationID, r.Until.UnixMilli(),
			r.Version, flagText(r.Paused), opensMillis(r.OpensAt), r.ClosesAt.UnixMilli(), r.Limit,
		}
	}
	outcomes := l.pipeline(ctx, calls{script: s, count: len(renewals), line: line, alone: line})
	for n, answer := range outcomes {
		if failures[n] = answer.err; answer.err == nil {
			_, failures[n] = s.open(answer.value)
		}
	}
	return failures
}

// each says the same of all.
func each[T any](all []T, same T) []T {
	for n := range all {
		all[n] = same
	}
	return all
}

func checkGate(gate seckill.Gate) error {
	if gate.Server.RunID == "" || gate.Server.ReplicationID == "" {
		return errors.New("a gate needs the server it is for")
	}
	return nil
}

// Issue implements seckill.Lent.
func (l *Lent) Issue(ctx context.Context, move seckill.Move) (bool, error) {
	if move.Units < 0 {
		return false, fmt.Errorf("issue: %d units", move.Units)
	}
	r, err := l.scripts.issue.run(ctx, l.client, []string{keysOf(move.Item).meta()}, move.Epoch, move.Issue, move.Units)
	if err != nil {
		return false, err
	}
	applied := r.number() == 1
	return applied, r.done(l.scripts.issue.name)
}
