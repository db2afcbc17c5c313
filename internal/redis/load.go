package redis

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// loadChunkMax is how many buyers one call carries, to keep it well under a millisecond or two.
const loadChunkMax = 500

// LoadBuyers implements seckill.Lent. Large chunks take several calls.
func (l *Lent) LoadBuyers(ctx context.Context, item seckill.ID, epoch int64, attempt seckill.ID, buyers []seckill.Buyer) error {
	k := keysOf(item)
	for some := range slices.Chunk(buyers, loadChunkMax) {
		args := make([]any, 0, 1+2*len(some))
		args = append(args, epoch)
		for _, buyer := range some {
			value, err := buyerValue(buyer)
			if err != nil {
				return fmt.Errorf("load buyers: %s: %w", buyer.User, err)
			}
			args = append(args, string(buyer.User), value)
		}
		if err := l.do(ctx, l.scripts.loadBuyers, []string{k.meta(), k.side(epoch, attempt)}, args...); err != nil {
			return err
		}
	}
	return nil
}

// buyerValue is the form that prelude.lua reads.
func buyerValue(buyer seckill.Buyer) (string, error) {
	var b strings.Builder
	for _, entry := range buyer.Entries {
		if err := seckill.CheckEntry(buyer.User, entry); err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%d,%d,%s,%s;", entry.ID, entry.Quantity, entry.KeyHash, batchText(entry.Batch))
	}
	return b.String(), nil
}

// Load implements seckill.Lent. Missing buyers are ErrBuyersLost.
func (l *Lent) Load(ctx context.Context, load seckill.Load) error {
	k := keysOf(load.Item)
	return l.do(ctx, l.scripts.load,
		[]string{k.meta(), k.gate(), k.buyers(), k.side(load.Epoch, load.Attempt)},
		load.Epoch, load.Buyers, load.Issue, load.Available,
		opensMillis(load.OpensAt), load.ClosesAt.UnixMilli(), load.Limit, flagText(load.Paused), load.Version)
}

// Expire implements seckill.Lent.
func (l *Lent) Expire(ctx context.Context, item seckill.ID, after time.Duration) error {
	k := keysOf(item)
	return l.do(ctx, l.scripts.expire,
		[]string{k.meta(), k.gate(), k.buyers(), k.bodies(), k.unsent(), k.unsettled(), k.tries()},
		after.Milliseconds())
}

// opensMillis rounds up: not even a part of a millisecond too early.
func opensMillis(opens time.Time) int64 {
	return opens.Add(time.Millisecond - time.Nanosecond).UnixMilli()
}

func flagText(flag bool) string {
	if flag {
		return "1"
	}
	return "0"
}
