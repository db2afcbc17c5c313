package redis

import (
	"context"
	"errors"
	"fmt"

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
	if err := checkGate(renewal.Gate); err != nil {
		return fmt.Errorf("renew: %w", err)
	}
	k := keysOf(renewal.Item)
	return l.do(ctx, l.scripts.renew, []string{k.meta(), k.gate()},
		renewal.Epoch, renewal.Server.RunID, renewal.Server.ReplicationID, renewal.Until.UnixMilli(),
		renewal.Version, flagText(renewal.Paused), opensMillis(renewal.OpensAt), renewal.ClosesAt.UnixMilli(), renewal.Limit)
}

func checkGate(gate seckill.Gate) error {
	if gate.Server.RunID == "" || gate.Server.ReplicationID == "" {
		return errors.New("a gate needs the server it is for")
	}
	return nil
}

// Issue implements seckill.Lent.
func (l *Lent) Issue(ctx context.Context, move seckill.Move) error {
	if move.Units < 0 {
		return fmt.Errorf("issue: %d units", move.Units)
	}
	return l.do(ctx, l.scripts.issue, []string{keysOf(move.Item).meta()}, move.Epoch, move.Issue, move.Units)
}
