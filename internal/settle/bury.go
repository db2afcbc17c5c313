package settle

import (
	"context"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// setAside moves what can never be settled here to the dead letters and returns the rest.
func (l *line) setAside(ctx context.Context, batch []parcel) ([]parcel, error) {
	good := batch[:0]
	for _, p := range batch {
		poison, cause := l.unfit(p)
		if poison == "" {
			good = append(good, p)
			continue
		}
		if err := l.buryOne(context.WithoutCancel(ctx), p.delivery, poison, cause); err != nil {
			return nil, err
		}
	}
	return good, nil
}

// unfit says why something can never be settled here.
func (l *line) unfit(p parcel) (Poison, string) {
	if p.broken != nil {
		return Undecodable, p.broken.Error()
	}
	if home := seckill.HomeShard(l.worker.ports.Shards, p.message.Item); home != l.shard {
		return Misrouted, fmt.Sprintf("item %s lives on shard %d, this is the queue of shard %d", p.message.Item, home, l.shard)
	}
	return "", ""
}

// buryOne logs bytes, so that they are never lost, and moves them to the dead letters.
func (l *line) buryOne(ctx context.Context, delivery seckill.Delivery, poison Poison, cause string, more ...any) error {
	ports := l.worker.ports
	ports.Log.ErrorContext(ctx, "dead letter", append([]any{
		"shard", l.shard, "message", delivery.Message, "poison", poison, "cause", cause, "body", string(delivery.Body),
	}, more...)...)
	if err := l.subscription.DeadLetter(ctx, delivery, cause); err != nil {
		return err
	}
	if ports.DeadLettered != nil {
		ports.DeadLettered(poison)
	}
	return nil
}

// bury moves to the dead letters what T1 refused to write, and returns the parcels that are still to be acknowledged.
func (l *line) bury(ctx context.Context, parcels []parcel, settlement seckill.Settlement) ([]parcel, error) {
	for _, d := range settlement.Doubled {
		single := d.Message
		single.Reservations = []seckill.Reserved{d.Reservation}
		delivery := seckill.Delivery{Message: carrier(parcels, d.Message.Batch), Body: single.Encode()}
		if err := l.buryOne(ctx, delivery, Unclaimable, d.Cause, "reservation", d.Reservation.ID); err != nil {
			return nil, err
		}
	}
	if len(settlement.Ahead) == 0 {
		return parcels, nil
	}
	return l.buryAhead(ctx, parcels, settlement.Ahead)
}

// carrier is the name of the message that brought a batch.
func carrier(parcels []parcel, batch seckill.ID) string {
	for _, p := range parcels {
		if p.message.Batch == batch {
			return p.delivery.Message
		}
	}
	return ""
}

const aheadCause = "its epoch or item is not in SQL (restored from a backup?); the item is halted"

func (l *line) buryAhead(ctx context.Context, parcels []parcel, ahead []seckill.Message) ([]parcel, error) {
	batches := make(map[seckill.ID]bool, len(ahead))
	for _, message := range ahead {
		batches[message.Batch] = true
	}
	kept := parcels[:0]
	for _, p := range parcels {
		if !batches[p.message.Batch] {
			kept = append(kept, p)
			continue
		}
		if err := l.buryOne(ctx, p.delivery, Ahead, aheadCause, "item", p.message.Item, "epoch", p.message.Epoch); err != nil {
			return nil, err
		}
	}
	return kept, nil
}
