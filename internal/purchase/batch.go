package purchase

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

type reserveCall = call[seckill.ReserveRequest, decision]

// batcher makes one Lua call of concurrent requests for one item, and one publish of what it accepted.
type batcher struct {
	service *Service
	listing *listing
	// publishes has one place for each batch on its way to the queue.
	publishes chan struct{}
}

func (s *Service) newListing(id seckill.ID) *listing {
	l := &listing{id: id, home: s.shards[seckill.HomeShard(s.ports.Shards, id)]}
	b := &batcher{service: s, listing: l, publishes: make(chan struct{}, s.options.PublishesMax)}
	l.reserving = &group[seckill.ReserveRequest, decision]{
		run: b.run, room: b.room, max: s.options.BatchMax, waitingMax: int(s.options.PendingPerItem), tasks: s.tasks, base: s.base,
	}
	s.addReads(l)
	return l
}

// room takes the place of the next batch. While all are taken no Lua call is made: t0 must not run during the wait.
func (b *batcher) room() { b.publishes <- struct{}{} }

func (b *batcher) run(ctx context.Context, calls []*reserveCall) {
	if len(calls) == 0 {
		<-b.publishes
		return
	}
	b.service.ports.Metrics.batched(len(calls))
	reply, t0, err := b.decide(ctx, questions(calls))
	if err != nil {
		<-b.publishes
		each(calls, decision{}, err)
		return
	}
	b.publish(ctx, reply.Epoch, sortOut(calls, reply, t0))
}

// decide makes the Lua call, twice if the first reply is lost. An error is errNothingTaken or errUnsure.
func (b *batcher) decide(ctx context.Context, requests []seckill.ReserveRequest) (seckill.ReserveReply, time.Time, error) {
	if !b.listing.state.Load().fresh(b.service.clock.Now()) {
		// Redis, or this process, has stood still while they waited.
		b.service.ports.Metrics.hit(BoundState)
		return seckill.ReserveReply{}, time.Time{}, errNothingTaken
	}
	reply, t0, first := b.ask(ctx, requests)
	if first == nil || errors.Is(first, errNothingTaken) {
		return reply, t0, first
	}
	b.service.ports.Metrics.repeated()
	// The same reservations under a new batch: the body of the first one must stay as it is. Whatever happens now, the
	// first call may have taken units.
	reply, t0, err := b.ask(ctx, requests)
	if err != nil {
		b.service.log.Warn("the outcome of a Lua call is unknown", "item", b.listing.id, "requests", len(requests),
			"error", fmt.Errorf("%w; asked again: %w", first, err))
		return reply, t0, errUnsure
	}
	return reply, t0, nil
}

func (b *batcher) ask(ctx context.Context, requests []seckill.ReserveRequest) (seckill.ReserveReply, time.Time, error) {
	s, item := b.service, b.listing.id
	batch, err := s.ports.IDs.Next(item.Bucket())
	if err != nil {
		return seckill.ReserveReply{}, time.Time{}, errors.Join(errNothingTaken, err)
	}
	t0 := s.clock.Now()
	if bound, _ := s.closed(b.listing.home); bound != "" {
		s.ports.Metrics.hit(bound)
		return seckill.ReserveReply{}, t0, errNothingTaken
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.CallTimeout)
	defer cancel()
	reply, err := s.ports.Lent.Reserve(ctx, item, batch, requests)
	switch {
	case errors.Is(err, seckill.ErrNotLive), errors.Is(err, seckill.ErrUnavailable):
		s.ports.Metrics.failed("reserve")
		return reply, t0, errors.Join(errNothingTaken, err)
	case err != nil:
		s.ports.Metrics.failed("reserve")
		return reply, t0, fmt.Errorf("reserve item %s: %w", item, err)
	case len(reply.Outcomes) != len(requests):
		return reply, t0, fmt.Errorf("reserve item %s: %d outcomes for %d requests", item, len(reply.Outcomes), len(requests))
	}
	// Recorded before anything else can go wrong: the seal of this epoch must hear of it even if nobody is answered.
	s.marks.record(b.listing.home.number, seckill.Mark{Item: item, Epoch: reply.Epoch, Sold: reply.Sold})
	b.listing.learn(reply)
	return reply, t0, nil
}

// parcel is one body and the calls that wait for its confirm.
type parcel struct {
	seckill.Body
	calls []*reserveCall
}

// sortOut answers what is decided and returns the bodies to publish with those who wait for them.
func sortOut(calls []*reserveCall, reply seckill.ReserveReply, t0 time.Time) map[seckill.ID]*parcel {
	parcels := make(map[seckill.ID]*parcel, 1+len(reply.Unsent))
	for _, body := range reply.Unsent {
		parcels[body.Batch] = &parcel{Body: body}
	}
	if reply.Own.Bytes != nil {
		parcels[reply.Own.Batch] = &parcel{Body: reply.Own, calls: make([]*reserveCall, 0, len(calls))}
	}
	for i, c := range calls {
		outcome := reply.Outcomes[i]
		c.answer = decision{outcome: outcome, t0: t0}
		waiting := parcels[outcome.Batch] // a replay may have met a reservation of this very call
		switch {
		case waiting != nil && holds(outcome.Code):
			waiting.calls = append(waiting.calls, c)
		case outcome.Code == seckill.ReserveUnsent, outcome.Code == seckill.ReserveAccepted:
			c.reply(c.answer, errUnsure) // beyond the bodies that fit into one reply: only the relay can send it
		default:
			c.reply(c.answer, nil)
		}
	}
	return parcels
}

// holds says that the outcome is a reservation, whose batch must be durable before it is promised.
func holds(code seckill.ReserveCode) bool {
	return code == seckill.ReserveAccepted || code == seckill.ReserveUnsent || code == seckill.ReserveReplayed
}

// publish sends the bodies beside the next Lua call; the batch keeps its place until the last of them is decided.
func (b *batcher) publish(ctx context.Context, epoch int64, parcels map[seckill.ID]*parcel) {
	if len(parcels) == 0 {
		<-b.publishes
		return
	}
	left := new(atomic.Int64)
	left.Store(int64(len(parcels)))
	for _, p := range parcels {
		b.service.tasks.follow()
		go func() {
			defer b.service.tasks.leave()
			b.send(ctx, epoch, p)
			if left.Add(-1) == 0 {
				<-b.publishes
			}
		}()
	}
}

func (b *batcher) send(ctx context.Context, epoch int64, p *parcel) {
	err := b.confirm(ctx, epoch, p.Body)
	for _, c := range p.calls {
		c.reply(c.answer, err)
	}
}

// confirm publishes one body. Anything but a confirm is errUnsure, certain failures too: Redis holds the reservations
// and the relay will deliver them.
func (b *batcher) confirm(ctx context.Context, epoch int64, body seckill.Body) error {
	s, home := b.service, b.listing.home
	ctx, cancel := context.WithTimeout(ctx, s.options.ConfirmTimeout)
	defer cancel()
	err := s.ports.Publisher.Publish(ctx, seckill.Outgoing{
		Shard: home.number, Batch: body.Batch, Item: b.listing.id, Epoch: epoch, Body: body.Bytes,
	})
	if err != nil {
		now := s.clock.Now()
		home.failed.Store(&now)
		s.ports.Metrics.failed("publish")
		s.log.Warn("a batch is left to the relay", "item", b.listing.id, "batch", body.Batch, "error", err)
		return errUnsure
	}
	home.failed.Store(nil)
	b.listing.sent.add(body.Batch)
	return nil
}
