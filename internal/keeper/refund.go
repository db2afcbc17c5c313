package keeper

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	refundBatch      = 200
	refundRetryLeast = time.Second
	refundRetryMost  = 5 * time.Minute
	// refundTriesAlarm is how often a refund fails before somebody is called; it is tried for ever.
	refundTriesAlarm = 10
)

// Refund gives back, at the providers, the money that must not stand, until they have confirmed it.
type Refund struct{ ports Ports }

// NewRefund returns the job.
func NewRefund(ports Ports) *Refund { return &Refund{ports} }

// RunOnce tries what is due on every shard.
func (r *Refund) RunOnce(ctx context.Context) error {
	return r.ports.eachShard(ctx, "refunds", r.refundShard)
}

func (r *Refund) refundShard(ctx context.Context, shard int) error {
	type name struct{ provider, txn string }
	calls := errands[name, seckill.Refund]{
		clock: r.ports.Clock,
		find: func(ctx context.Context) ([]seckill.Refund, error) {
			return r.ports.Payments.RefundsDue(ctx, shard, refundBatch)
		},
		key: func(refund seckill.Refund) name { return name{refund.Provider, refund.Txn} },
		do:  r.refund,
	}
	failure := calls.run(ctx)
	owed, oldest, err := r.ports.Payments.RefundsOwed(ctx, shard)
	if err == nil {
		r.ports.Metrics.refunds(shard, owed, oldest)
	}
	return errors.Join(failure, err)
}

// refund tries one and writes down what came of it. A try that nobody wrote down is made again: for the provider it is the
// same refund.
func (r *Refund) refund(ctx context.Context, refund seckill.Refund) {
	done, err := r.give(ctx, refund)
	if err == nil {
		if done {
			r.ports.Metrics.refunded(refund.Reason)
			r.ports.Log.Info("money went back", "order", refund.Order, "reason", refund.Reason, "provider", refund.Provider)
		}
		return
	}
	tries := refund.Tries + 1
	wait := backoff(refundRetryLeast, refundRetryMost, int(tries))
	// Many that failed together should not come back together.
	wait += rand.N(wait / 4)
	r.alarm(refund, tries, err)
	// The call may have used up its time; the note gets some of its own.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteWithin)
	defer cancel()
	if err := r.ports.Payments.RefundFailed(bounded, refund, wait, err.Error()); err != nil {
		r.ports.Log.Info("a failed refund could not be noted, so it is tried at once", "order", refund.Order, "error", err)
	}
}

const noteWithin = 2 * time.Second

// give tells whether this call has ended the refund; several keepers may ask the provider for the same one.
func (r *Refund) give(ctx context.Context, refund seckill.Refund) (bool, error) {
	provider, err := r.ports.provider(refund.Provider)
	if err != nil {
		return false, err
	}
	if err := provider.Refund(ctx, refund); err != nil {
		return false, fmt.Errorf("%s: %w", refund.Provider, err)
	}
	done, err := r.ports.Payments.Refunded(ctx, refund)
	if err != nil {
		return false, fmt.Errorf("note the refund: %w", err)
	}
	return done, nil
}

// alarm makes the first failure news, and calls somebody when it stays one.
func (r *Refund) alarm(refund seckill.Refund, tries int64, err error) {
	if tries >= refundTriesAlarm {
		r.ports.Metrics.stuck()
		r.ports.Log.Error("a refund does not succeed, however often it is tried",
			"order", refund.Order, "provider", refund.Provider, "txn", refund.Txn, "tries", tries, "error", err)
		return
	}
	r.ports.Log.Info("a refund failed and is tried again", "order", refund.Order, "provider", refund.Provider, "tries", tries, "error", err)
}
