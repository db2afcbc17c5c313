package settle

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// placingsMax is how many T2 batches may wait behind the one under way before T1 waits for them.
const placingsMax = 1

// line is one subscription's way from delivery to order: T1 here, T2 on a goroutine of its own.
type line struct {
	worker       *Worker
	shard        int
	subscription seckill.Subscription
	settled      bool
	placings     chan placing
	done         sync.WaitGroup
}

// placing is what T1 leaves to T2.
type placing struct {
	held     []seckill.Claim
	rejected []seckill.Claim
}

// newLine starts T2. It outlives ctx: what T1 has committed is placed although the worker is being stopped, each batch
// within the placer's own time.
func newLine(ctx context.Context, w *Worker, shard int, subscription seckill.Subscription) *line {
	ctx = context.WithoutCancel(ctx)
	l := &line{worker: w, shard: shard, subscription: subscription, placings: make(chan placing, placingsMax)}
	l.done.Go(func() {
		for p := range l.placings {
			w.placer.place(ctx, shard, p)
		}
	})
	return l
}

// close lets T2 finish what T1 has left and gives back what was not settled.
func (l *line) close() {
	close(l.placings)
	l.done.Wait()
	if err := l.subscription.Close(); err != nil {
		l.worker.ports.Log.Warn("close subscription", "shard", l.shard, "error", err)
	}
}

// settle brings one gathered batch through T1, acknowledges it and hands it to T2.
func (l *line) settle(ctx context.Context, batch []parcel) error {
	parcels, err := l.setAside(ctx, batch)
	if err != nil {
		return err
	}
	if len(parcels) == 0 {
		return nil
	}
	settlement, err := l.claim(ctx, parcels)
	if err != nil {
		return err
	}
	// From here on the batch is in SQL: shutting down must not keep it from being acknowledged.
	ctx = context.WithoutCancel(ctx)
	remaining, err := l.bury(ctx, parcels, settlement)
	if err != nil {
		return err
	}
	if err := l.subscription.Ack(ctx, deliveriesOf(remaining)); err != nil {
		return err
	}
	l.settled = true
	l.tellRedis(ctx, remaining)
	l.placings <- placing{settlement.Held, settlement.Rejected}
	return nil
}

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

// claim runs T1 on the whole batch, or piece by piece when something in it is poisoned.
func (l *line) claim(ctx context.Context, parcels []parcel) (seckill.Settlement, error) {
	messages := make([]seckill.Message, len(parcels))
	for i, p := range parcels {
		messages[i] = p.message
	}
	settlement, err := l.settleMessages(ctx, messages)
	if !errors.Is(err, seckill.ErrPoison) {
		return settlement, err
	}
	l.worker.ports.Log.Error("poison in a batch: settling one by one", "shard", l.shard, "error", err)
	return l.claimApart(ctx, messages)
}

func (l *line) settleMessages(ctx context.Context, messages []seckill.Message) (settlement seckill.Settlement, err error) {
	err = l.worker.retry(ctx, "settle", l.shard, func(ctx context.Context) error {
		settlement, err = l.worker.ports.Claims.Settle(ctx, l.shard, messages)
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
			settlement, err := l.settleMessages(ctx, []seckill.Message{single})
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

// tellRedis drops settled batches from the outbox. A failure costs one republishing, which T1 recognises.
func (l *line) tellRedis(ctx context.Context, parcels []parcel) {
	ctx, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	batches := make(map[seckill.ID][]seckill.ID)
	for _, p := range parcels {
		batches[p.message.Item] = append(batches[p.message.Item], p.message.Batch)
	}
	for item, ids := range batches {
		if err := l.worker.ports.Lent.Settled(ctx, item, ids); err != nil {
			l.worker.ports.Log.Info("settled batches stay in the outbox for now", "item", item, "error", err)
		}
	}
}

func deliveriesOf(parcels []parcel) []seckill.Delivery {
	deliveries := make([]seckill.Delivery, len(parcels))
	for i, p := range parcels {
		deliveries[i] = p.delivery
	}
	return deliveries
}
