package guard

import (
	"context"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Lent guards Redis, one breaker for each server.
type Lent struct {
	next     seckill.Lent
	breakers *Nodes
}

var _ seckill.Lent = Lent{}

// NewLent returns next behind the breakers of its servers.
func NewLent(next seckill.Lent, breakers *Nodes) Lent { return Lent{next, breakers} }

// Reserve implements seckill.Lent.
func (l Lent) Reserve(ctx context.Context, item, batch seckill.ID, requests []seckill.ReserveRequest) (seckill.ReserveReply, error) {
	return call(ctx, l.breakers.of(ctx, item), func(ctx context.Context) (seckill.ReserveReply, error) {
		return l.next.Reserve(ctx, item, batch, requests)
	})
}

// Look implements seckill.Lent.
func (l Lent) Look(ctx context.Context, item seckill.ID, requests []seckill.LookRequest) ([]seckill.LookAnswer, error) {
	return call(ctx, l.breakers.of(ctx, item), func(ctx context.Context) ([]seckill.LookAnswer, error) {
		return l.next.Look(ctx, item, requests)
	})
}

// Sent implements seckill.Lent.
func (l Lent) Sent(ctx context.Context, item seckill.ID, batches []seckill.ID) error {
	return run(ctx, l.breakers.of(ctx, item), func(ctx context.Context) error { return l.next.Sent(ctx, item, batches) })
}

// Settled implements seckill.Lent.
func (l Lent) Settled(ctx context.Context, item seckill.ID, batches []seckill.ID) error {
	return run(ctx, l.breakers.of(ctx, item), func(ctx context.Context) error { return l.next.Settled(ctx, item, batches) })
}

// Due implements seckill.Lent.
func (l Lent) Due(ctx context.Context, item seckill.ID, query seckill.DueQuery) ([]seckill.DueEntry, error) {
	return call(ctx, l.breakers.of(ctx, item), func(ctx context.Context) ([]seckill.DueEntry, error) { return l.next.Due(ctx, item, query) })
}

// Outbox implements seckill.Lent.
func (l Lent) Outbox(ctx context.Context, item seckill.ID, offset, limit int) ([]seckill.DueEntry, error) {
	return call(ctx, l.breakers.of(ctx, item), func(ctx context.Context) ([]seckill.DueEntry, error) {
		return l.next.Outbox(ctx, item, offset, limit)
	})
}

// LoadBuyers implements seckill.Lent.
func (l Lent) LoadBuyers(ctx context.Context, item seckill.ID, epoch int64, attempt seckill.ID, buyers []seckill.Buyer) error {
	return run(ctx, l.breakers.of(ctx, item), func(ctx context.Context) error { return l.next.LoadBuyers(ctx, item, epoch, attempt, buyers) })
}

// Load implements seckill.Lent.
func (l Lent) Load(ctx context.Context, load seckill.Load) error {
	return run(ctx, l.breakers.of(ctx, load.Item), func(ctx context.Context) error { return l.next.Load(ctx, load) })
}

// Open implements seckill.Lent.
func (l Lent) Open(ctx context.Context, gate seckill.Gate) error {
	return run(ctx, l.breakers.of(ctx, gate.Item), func(ctx context.Context) error { return l.next.Open(ctx, gate) })
}

// Renew implements seckill.Lent.
func (l Lent) Renew(ctx context.Context, renewal seckill.Renewal) error {
	return run(ctx, l.breakers.of(ctx, renewal.Item), func(ctx context.Context) error { return l.next.Renew(ctx, renewal) })
}

// Issue implements seckill.Lent.
func (l Lent) Issue(ctx context.Context, move seckill.Move) (bool, error) {
	return call(ctx, l.breakers.of(ctx, move.Item), func(ctx context.Context) (bool, error) { return l.next.Issue(ctx, move) })
}

// SetBuyer implements seckill.Lent.
func (l Lent) SetBuyer(
	ctx context.Context, item seckill.ID, epoch int64, user seckill.UserID, entry seckill.BuyerEntry,
) (seckill.BuyerOutcome, error) {
	return call(ctx, l.breakers.of(ctx, item), func(ctx context.Context) (seckill.BuyerOutcome, error) {
		return l.next.SetBuyer(ctx, item, epoch, user, entry)
	})
}

// Server implements seckill.Lent.
func (l Lent) Server(ctx context.Context, item seckill.ID) (seckill.Server, error) {
	return call(ctx, l.breakers.of(ctx, item), func(ctx context.Context) (seckill.Server, error) { return l.next.Server(ctx, item) })
}

// Expire implements seckill.Lent.
func (l Lent) Expire(ctx context.Context, item seckill.ID, after time.Duration) error {
	return run(ctx, l.breakers.of(ctx, item), func(ctx context.Context) error { return l.next.Expire(ctx, item, after) })
}
