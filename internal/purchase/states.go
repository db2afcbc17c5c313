package purchase

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	statesEvery = 100 * time.Millisecond
	// statesBatch is how many items one States call reads.
	statesBatch = 256
	// wantedFor is how long after the last request for it an item is read in every round; the others are in every
	// quietRounds-th, so that a thousand items cost Redis little while the crowd is at one of them.
	wantedFor   = 2 * time.Second
	quietRounds = 5
	// watchEnded is how long the state of an ended sale's items is still read: replays and look-ups need it until the last
	// seal is done.
	watchEnded = 10 * time.Minute
	// clockGrain covers the millisecond grain of Redis TIME and what two clocks drift apart in a second.
	clockGrain = 5 * time.Millisecond
)

// reading is the local state of an item. Immutable. asked and heard are the process's clock before and after the call:
// Redis read its own clock somewhere between them.
type reading struct {
	state seckill.LentState
	asked time.Time
	heard time.Time
	// learned is the Redis time of the Lua reply that state.Available was taken from; zero when it is the state's own.
	learned time.Time
}

// fresh says whether the reading may be believed. Its age counts from before the call: it may be as old as that.
func (r *reading) fresh(now time.Time) bool {
	return r != nil && now.Sub(r.asked) <= seckill.StateMaxAge
}

// redisTime is the span in which Redis time lies now.
func (r *reading) redisTime(now time.Time) (earliest, latest time.Time) {
	read := r.state.Server.Now
	return read.Add(now.Sub(r.heard) - clockGrain), read.Add(now.Sub(r.asked) + clockGrain)
}

// ServerTime estimates Redis time, which decides about windows; without any reading it is the process's own.
func (s *Service) ServerTime() time.Time {
	now := s.clock.Now()
	r := s.redisTime.Load()
	if r == nil {
		return now
	}
	earliest, latest := r.redisTime(now)
	return earliest.Add(latest.Sub(earliest) / 2).UTC()
}

// verdict is the refusal that local state alone can give, or nil when Redis must be asked. now is the process's clock.
func (l *listing) verdict(now time.Time, request Request) *seckill.Refusal {
	l.want(now)
	if l.entry.Load().sale.State == seckill.SaleEnded {
		return seckill.Refuse(seckill.Ended, "the sale has ended")
	}
	r := l.state.Load()
	if !r.fresh(now) {
		return seckill.BusyFor(0, "the state of the item is not known")
	}
	if !r.state.Known || !r.state.Live {
		return seckill.BusyFor(0, "the item is not being sold at the moment")
	}
	earliest, latest := r.redisTime(now)
	switch {
	case r.state.Paused:
		return &seckill.Refusal{Reason: seckill.Paused, Detail: "the sale is paused", RetryAfter: pausedRetry}
	case latest.Before(r.state.OpensAt):
		return &seckill.Refusal{Reason: seckill.NotStarted, Detail: "the sale has not started", RetryAfter: r.state.OpensAt.Sub(latest)}
	case !earliest.Before(r.state.ClosesAt):
		return seckill.Refuse(seckill.Ended, "the sale has ended")
	case r.state.Available == 0:
		return seckill.Refuse(seckill.SoldOut, "asked for "+strconv.FormatInt(request.Quantity, 10)+", 0 are left")
	}
	return nil
}

const pausedRetry = 5 * time.Second

// learn takes over what a Lua reply says is left, so that the crowd after the last unit is refused without asking Redis.
// Only a reply that is surely newer than the reading counts, and it proves nothing else about the state.
func (l *listing) learn(reply seckill.ReserveReply) {
	for {
		old := l.state.Load()
		if old == nil || old.state.Epoch != reply.Epoch || !reply.Now.After(old.state.Server.Now) || reply.Now.Before(old.learned) {
			return
		}
		next := *old
		next.state.Available, next.state.Sold, next.learned = reply.Available, reply.Sold, reply.Now
		if l.state.CompareAndSwap(old, &next) {
			return
		}
	}
}

// take replaces the reading, keeping what a newer Lua reply has said meanwhile.
func (l *listing) take(r *reading) {
	for {
		old := l.state.Load()
		next := *r
		if old != nil && old.state.Epoch == r.state.Epoch && old.learned.After(r.state.Server.Now) {
			next.state.Available, next.state.Sold, next.learned = old.state.Available, old.state.Sold, old.learned
		}
		if l.state.CompareAndSwap(old, &next) {
			return
		}
	}
}

// refreshStates reads the state of everything that may be bought or looked up.
func (s *Service) refreshStates(ctx context.Context) error {
	shelf := s.listings.Load()
	if shelf == nil {
		return nil
	}
	var watched []*listing
	now, here := s.ServerTime(), s.clock.Now()
	s.round++
	for _, l := range shelf.listed {
		if l.watched(now) && (l.wanted(here) || (uint64(l.id)+s.round)%quietRounds == 0) {
			watched = append(watched, l)
		}
	}
	var failure error
	for batch := range slices.Chunk(watched, statesBatch) {
		if err := s.readStates(ctx, batch); err != nil {
			failure = err
		}
	}
	return failure
}

func (l *listing) watched(now time.Time) bool {
	sale := l.entry.Load().sale
	return sale.State != seckill.SaleEnded || (!l.closed.Load() && now.Sub(sale.EndsAt) < watchEnded)
}

// want notes that somebody asked for the item. Most requests find that noted already and write nothing.
func (l *listing) want(now time.Time) {
	if until := now.Add(wantedFor).UnixNano(); until-l.wantedUntil.Load() > int64(wantedFor/2) {
		l.wantedUntil.Store(until)
	}
}

// wanted says whether the reading must be young: somebody asks for the item, or waits for it to be sold.
func (l *listing) wanted(now time.Time) bool {
	r := l.state.Load()
	return now.UnixNano() < l.wantedUntil.Load() || !r.fresh(now) || !r.state.Live
}

func (s *Service) readStates(ctx context.Context, listings []*listing) error {
	ids := make([]seckill.ID, len(listings))
	for i, l := range listings {
		ids[i] = l.id
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.CallTimeout)
	defer cancel()
	asked := s.clock.Now()
	states, err := s.ports.Lent.States(ctx, ids)
	heard := s.clock.Now()
	for len(states) > 0 && len(listings) > 0 {
		// What did not answer is left out; its old reading ages until it means busy.
		if l := listings[0]; l.id == states[0].Item {
			s.takeState(l, &reading{state: states[0], asked: asked, heard: heard})
			states = states[1:]
		}
		listings = listings[1:]
	}
	if err != nil {
		return fmt.Errorf("read the state of %d items: %w", len(ids), err)
	}
	return nil
}

func (s *Service) takeState(l *listing, r *reading) {
	l.take(r)
	if !r.state.Server.Now.IsZero() {
		s.takeTime(r)
	}
}

// takeTime keeps what Redis' clock says, unless more time passed between question and answer than a call may take: a process
// that stood still meanwhile knows it better from before.
func (s *Service) takeTime(r *reading) {
	if s.redisTime.Load() == nil || r.heard.Sub(r.asked) <= s.options.CallTimeout {
		s.redisTime.Store(r)
	}
}
