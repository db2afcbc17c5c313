package settle

import (
	"context"
	"errors"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// claim runs T1 on the whole batch, or piece by piece when something in it is poisoned.
func (l *line) claim(ctx context.Context, parcels []parcel) (seckill.Settlement, error) {
	messages := make([]seckill.Message, len(parcels))
	for i, p := range parcels {
		messages[i] = p.message
	}
	settlement, err := l.settleMessages(ctx, messages, l.worker.placer.termsOfAll(ctx, messages))
	if !errors.Is(err, seckill.ErrPoison) {
		return settlement, err
	}
	l.worker.ports.Log.Error("poison in a batch: settling one by one", "shard", l.shard, "error", err)
	return l.claimApart(ctx, messages)
}

func (l *line) settleMessages(
	ctx context.Context, messages []seckill.Message, terms map[seckill.ID]seckill.Terms,
) (settlement seckill.Settlement, err error) {
	err = l.worker.retry(ctx, "settle", l.shard, func(ctx context.Context) error {
		settlement, err = l.worker.ports.Claims.Settle(ctx, l.shard, messages, terms)
		return err
	})
	return settlement, err
}

// claimApart settles each reservation alone, so that the poisoned one is rejected and its neighbours are not.
func (l *line) claimApart(ctx context.Context, messages []seckill.Message) (seckill.Settlement, error) {
	var all seckill.Settlement
	for _, message := range messages {
		for _, reserved := range message.Reservations {
			single := message
			single.Reservations = []seckill.Reserved{reserved}
			settlement, err := l.settleMessages(ctx, []seckill.Message{single}, nil)
			if errors.Is(err, seckill.ErrPoison) {
				settlement, err = l.reject(ctx, single, err)
			}
			if err != nil {
				return all, err
			}
			all.Held = append(all.Held, settlement.Held...)
			all.Rejected = append(all.Rejected, settlement.Rejected...)
			all.Doubled = append(all.Doubled, settlement.Doubled...)
			all.Ahead = append(all.Ahead, settlement.Ahead...)
		}
	}
	return all, nil
}

// reject writes a poisoned reservation as rejected; one that cannot even be rejected is buried like a doubled id.
func (l *line) reject(ctx context.Context, single seckill.Message, poison error) (settlement seckill.Settlement, err error) {
	err = l.worker.retry(ctx, "reject", l.shard, func(ctx context.Context) error {
		settlement, err = l.worker.ports.Claims.Reject(ctx, l.shard, single, single.Reservations[0], seckill.Invalid)
		return err
	})
	if errors.Is(err, seckill.ErrPoison) {
		doubled := seckill.Doubled{Message: single, Reservation: single.Reservations[0], Cause: poison.Error()}
		return seckill.Settlement{Doubled: []seckill.Doubled{doubled}}, nil
	}
	return settlement, err
}
