package keeper

import (
	"context"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// owingRows is an outbox of buyers' entries.
type owingRows struct {
	seckill.Owing
	rows []seckill.Owed
}

func (o *owingRows) Owed(_ context.Context, _ int, _ seckill.OwedKind, after seckill.ID, limit int) ([]seckill.Owed, error) {
	var page []seckill.Owed
	for _, row := range o.rows {
		if row.ID > after && len(page) < limit {
			page = append(page, row)
		}
	}
	return page, nil
}

func (o *owingRows) Done(ctx context.Context, _ int, ids []seckill.ID) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	o.rows = o.rows[len(ids):]
	return nil
}

// slowLent ends the run after so many entries.
type slowLent struct {
	*fakeLent
	left int
	end  context.CancelFunc
}

func (l *slowLent) SetBuyer(
	ctx context.Context, item seckill.ID, epoch int64, user seckill.UserID, entry seckill.BuyerEntry,
) (seckill.BuyerOutcome, error) {
	if l.left--; l.left == 0 {
		l.end()
	}
	if ctx.Err() != nil {
		return seckill.BuyerNotLive, ctx.Err()
	}
	return l.fakeLent.SetBuyer(ctx, item, epoch, user, entry)
}

func TestOwedGetsOnAlthoughItsRunsAreTooShort(t *testing.T) {
	t.Parallel()
	const entries, eachRun = 400, 100
	owing := &owingRows{}
	for id := range entries {
		owing.rows = append(owing.rows, seckill.Owed{ID: seckill.ID(id + 1)})
	}
	for runs := 1; len(owing.rows) > 0; runs++ {
		if runs > 2*entries/eachRun {
			t.Fatalf("%d entries are owed still after %d runs", len(owing.rows), runs)
		}
		ctx, end := context.WithCancel(t.Context())
		lent := &slowLent{fakeLent: &fakeLent{outcome: seckill.BuyerApplied}, left: eachRun, end: end}
		_ = NewOwed(Ports{Owing: owing, Lent: lent, Shards: oneShard{}}).RunOnce(ctx) // it says that its time was over
		end()
	}
}
