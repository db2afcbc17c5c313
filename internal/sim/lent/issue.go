package lent

import (
	"context"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Issue implements seckill.Lent: issue.lua.
func (c *Client) Issue(ctx context.Context, move seckill.Move) (bool, error) {
	if move.Units < 0 {
		return false, fmt.Errorf("issue: %d units", move.Units)
	}
	return write(ctx, c, "issue", move.Item, func(i *item, m moment) (bool, error) {
		if i.meta == nil || !i.meta.open || (i.meta.epoch != move.Epoch && !m.mistakes.IssueAnyEpoch) {
			return false, seckill.ErrNotLive
		}
		if move.Issue > i.meta.issue+1 && !m.mistakes.IssueGaps {
			return false, seckill.ErrNotLive
		}
		if move.Issue <= i.meta.issue && !m.mistakes.IssueRepeats {
			return false, nil
		}
		i.meta.avail += move.Units
		i.meta.issue = move.Issue
		return true, nil
	})
}
