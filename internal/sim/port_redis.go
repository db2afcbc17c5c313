package sim

import (
	"context"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// redisPort is Redis as a process reaches it.
type redisPort struct {
	seckill.Lent
	seckill.Announcements

	p *process
}

// Reserve implements seckill.Lent.
func (x redisPort) Reserve(ctx context.Context, item, batch seckill.ID, requests []seckill.ReserveRequest) (seckill.ReserveReply, error) {
	if x.p.skips(sameBatch) && len(requests) > 0 {
		batch = x.p.sameBatch(batch, requests[0].ID)
	}
	x.p.checkBeat(item)
	return ask(ctx, x.p, lentReserve, about{item: item, id: batch, says: []any{requests}}, func(ctx context.Context) (seckill.ReserveReply, error) {
		reply, err := x.Lent.Reserve(ctx, item, batch, requests)
		if err == nil {
			x.p.book.granted(x.p, item, requests, reply)
		}
		return reply, err
	})
}

// Look implements seckill.Lent.
func (x redisPort) Look(ctx context.Context, item seckill.ID, requests []seckill.LookRequest) ([]seckill.LookAnswer, error) {
	return ask(ctx, x.p, lentLook, about{item: item, says: []any{requests}}, func(ctx context.Context) ([]seckill.LookAnswer, error) {
		answers, err := x.Lent.Look(ctx, item, requests)
		if err == nil {
			x.p.book.shown(item, answers)
		}
		return answers, err
	})
}

// Sent implements seckill.Lent.
func (x redisPort) Sent(ctx context.Context, item seckill.ID, batches []seckill.ID) error {
	if x.p.skips(settledEarly) {
		return x.Settled(ctx, item, batches)
	}
	return tell(ctx, x.p, lentSent, about{item: item, says: []any{batches}}, func(ctx context.Context) error {
		return x.Lent.Sent(ctx, item, batches)
	})
}

// Settled implements seckill.Lent.
func (x redisPort) Settled(ctx context.Context, item seckill.ID, batches []seckill.ID) error {
	return tell(ctx, x.p, lentSettled, about{item: item, says: []any{batches}}, func(ctx context.Context) error {
		return x.Lent.Settled(ctx, item, batches)
	})
}

// Due implements seckill.Lent.
func (x redisPort) Due(ctx context.Context, item seckill.ID, query seckill.DueQuery) ([]seckill.DueEntry, error) {
	if x.p.skips(noRelay) {
		return nil, nil
	}
	if x.p.skips(relayOnce) {
		query.TriesMax, query.SlowFor = 1, time.Hour
	}
	return ask(ctx, x.p, lentDue, about{item: item}, func(ctx context.Context) ([]seckill.DueEntry, error) {
		return x.Lent.Due(ctx, item, query)
	})
}

// Outbox implements seckill.Lent.
func (x redisPort) Outbox(ctx context.Context, item seckill.ID, offset, limit int) ([]seckill.DueEntry, error) {
	return ask(ctx, x.p, lentOutbox, about{item: item}, func(ctx context.Context) ([]seckill.DueEntry, error) {
		return x.Lent.Outbox(ctx, item, offset, limit)
	})
}

// LoadBuyers implements seckill.Lent.
func (x redisPort) LoadBuyers(ctx context.Context, item seckill.ID, epoch int64, attempt seckill.ID, buyers []seckill.Buyer) error {
	return tell(ctx, x.p, lentLoadBuyers, about{item: item, id: attempt, says: []any{epoch, buyers}}, func(ctx context.Context) error {
		return x.Lent.LoadBuyers(ctx, item, epoch, attempt, buyers)
	})
}

// Load implements seckill.Lent.
func (x redisPort) Load(ctx context.Context, load seckill.Load) error {
	if x.p.skips(refillLags) {
		load.Available += x.p.doubted(load.Item)
	}
	return tell(ctx, x.p, lentLoad, about{item: load.Item, id: load.Attempt, says: []any{load}}, func(ctx context.Context) error {
		return x.Lent.Load(ctx, load)
	})
}

// Open implements seckill.Lent.
func (x redisPort) Open(ctx context.Context, gate seckill.Gate) error {
	return tell(ctx, x.p, lentOpen, about{item: gate.Item, says: []any{gate.Epoch, gate.Server.RunID}}, func(ctx context.Context) error {
		return x.Lent.Open(ctx, gate)
	})
}

// Renew implements seckill.Lent.
func (x redisPort) Renew(ctx context.Context, renewal seckill.Renewal) error {
	return tell(ctx, x.p, lentRenew, about{item: renewal.Item, says: []any{renewal.Epoch, renewal.Server.RunID, renewal.Version, renewal.Paused}}, func(ctx context.Context) error {
		return x.Lent.Renew(ctx, renewal)
	})
}

// Issue implements seckill.Lent.
func (x redisPort) Issue(ctx context.Context, move seckill.Move) (bool, error) {
	return ask(ctx, x.p, lentIssue, about{item: move.Item, says: []any{move}}, func(ctx context.Context) (bool, error) {
		return x.Lent.Issue(ctx, move)
	})
}

// SetBuyer implements seckill.Lent.
func (x redisPort) SetBuyer(ctx context.Context, item seckill.ID, epoch int64, user seckill.UserID, entry seckill.BuyerEntry) (seckill.BuyerOutcome, error) {
	if x.p.skips(owedEarly) {
		answer, err := ask(ctx, x.p, lentSetBuyer, about{item: item, id: entry.ID}, func(ctx context.Context) (seckill.BuyerOutcome, error) {
			return x.Lent.SetBuyer(ctx, item, epoch, user, entry)
		})
		_ = answer
		_ = err
		return seckill.BuyerApplied, nil
	}
	return ask(ctx, x.p, lentSetBuyer, about{item: item, id: entry.ID, user: user, says: []any{epoch, entry}}, func(ctx context.Context) (seckill.BuyerOutcome, error) {
		return x.Lent.SetBuyer(ctx, item, epoch, user, entry)
	})
}

// States implements seckill.Lent.
func (x redisPort) States(ctx context.Context, items []seckill.ID) ([]seckill.LentState, error) {
	return ask(ctx, x.p, lentStates, about{item: first(items)}, func(ctx context.Context) ([]seckill.LentState, error) {
		states, err := x.Lent.States(ctx, items)
		if x.p.skips(lagIsLoss, keeperRole) {
			states = x.p.lagging(states)
		}
		if x.p.skips(flagStays, apiRole) {
			x.p.flag(states)
		}
		return states, err
	})
}

// Server implements seckill.Lent.
func (x redisPort) Server(ctx context.Context, item seckill.ID) (seckill.Server, error) {
	return ask(ctx, x.p, lentServer, about{item: item}, func(ctx context.Context) (seckill.Server, error) {
		return x.Lent.Server(ctx, item)
	})
}

// Expire implements seckill.Lent.
func (x redisPort) Expire(ctx context.Context, item seckill.ID, after time.Duration) error {
	return tell(ctx, x.p, lentExpire, about{item: item}, func(ctx context.Context) error {
		return x.Lent.Expire(ctx, item, after)
	})
}

// RenewAll implements seckill.Lent.
func (x redisPort) RenewAll(ctx context.Context, renewals []seckill.Renewal) []error {
	failures, err := ask(ctx, x.p, lentRenewAll, about{item: renewals[0].Item, says: []any{renewals}}, func(ctx context.Context) ([]error, error) {
		if x.p.skips(lateUntil) {
			renewals = x.p.renewLate(renewals)
		}
		return x.Lent.RenewAll(ctx, renewals), nil
	})
	if err != nil {
		return slices.Repeat([]error{err}, len(renewals))
	}
	return failures
}

// Announce implements seckill.Announcements.
func (x redisPort) Announce(ctx context.Context, decisions []seckill.Decision) error {
	return tell(ctx, x.p, lentAnnounce, about{}, func(ctx context.Context) error { return x.Announcements.Announce(ctx, decisions) })
}
