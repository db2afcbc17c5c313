package purchase_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
)

var errLost = errors.New("reply lost")

// fakeLent is one item in Redis: enough of reserve.lua to tell a right caller from a wrong one.
type fakeLent struct {
	seckill.Lent
	clock *handclock.Clock
	// before fails a Reserve before it does anything, after loses its reply. Both get the number of the call, from 1.
	before, after func(call int) error
	lookErr       error
	statesErr     error
	away          seckill.ID // an item on a server that does not answer
	thawed        func()     // comes between the answer of States and whoever asked

	mu      sync.Mutex
	state   seckill.LentState
	skew    time.Duration // Redis time - process time
	buyers  map[seckill.UserID][]seckill.BuyerEntry
	unsent  map[seckill.ID]seckill.Body
	batches []seckill.ID // of every Reserve call
	sizes   []int
	sent    []seckill.ID
	calls   map[string]int
}

func newFakeLent(clock *handclock.Clock, item seckill.ID, available int64) *fakeLent {
	l := &fakeLent{
		clock: clock, buyers: map[seckill.UserID][]seckill.BuyerEntry{}, unsent: map[seckill.ID]seckill.Body{}, calls: map[string]int{},
	}
	l.state = seckill.LentState{
		Item: item, Known: true, Live: true, Opened: true, Epoch: 1, Available: available, Limit: 2,
		OpensAt: clock.Now().Add(-time.Minute), ClosesAt: clock.Now().Add(time.Hour),
	}
	return l
}

func (l *fakeLent) now() time.Time { return l.clock.Now().Add(l.skew) }

// set changes what Redis knows.
func (l *fakeLent) set(change func(*seckill.LentState)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.state)
}

func (l *fakeLent) count(call string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls[call]
}

func (l *fakeLent) Reserve(_ context.Context, item, batch seckill.ID, requests []seckill.ReserveRequest) (seckill.ReserveReply, error) {
	l.mu.Lock()
	l.calls["reserve"]++
	call := l.calls["reserve"]
	l.batches, l.sizes = append(l.batches, batch), append(l.sizes, len(requests))
	l.mu.Unlock()
	if l.before != nil {
		if err := l.before(call); err != nil {
			return seckill.ReserveReply{}, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.state.Live {
		return seckill.ReserveReply{}, seckill.ErrNotLive
	}
	reply := l.decideAll(item, batch, requests)
	if l.after != nil {
		if err := l.after(call); err != nil {
			return seckill.ReserveReply{}, err
		}
	}
	return reply, nil
}

func (l *fakeLent) decideAll(item, batch seckill.ID, requests []seckill.ReserveRequest) seckill.ReserveReply {
	reply := seckill.ReserveReply{Epoch: l.state.Epoch, Own: seckill.Body{Batch: batch}}
	message := seckill.Message{Batch: batch, Item: item, Epoch: l.state.Epoch}
	met := map[seckill.ID]bool{}
	for _, request := range requests {
		outcome := l.decide(batch, request)
		if outcome.Code == seckill.ReserveAccepted {
			message.Reservations = append(message.Reservations, seckill.Reserved(request))
		}
		body, unsent := l.unsent[outcome.Batch]
		if unsent && !met[outcome.Batch] && len(reply.Unsent) < seckill.UnsentBodiesMax {
			met[outcome.Batch] = true
			reply.Unsent = append(reply.Unsent, body)
		}
		reply.Outcomes = append(reply.Outcomes, outcome)
	}
	if len(message.Reservations) > 0 {
		message.Sold = l.state.Sold
		reply.Own.Bytes = message.Encode()
		l.unsent[batch] = reply.Own
	}
	reply.Sold, reply.Available, reply.Now = l.state.Sold, l.state.Available, l.now()
	return reply
}

func (l *fakeLent) decide(batch seckill.ID, r seckill.ReserveRequest) seckill.ReserveOutcome {
	out := seckill.ReserveOutcome{ID: r.ID, Quantity: r.Quantity}
	if known := l.known(seckill.LookRequest{User: r.User, KeyHash: r.KeyHash}, r.ID); known != nil {
		out.ID, out.Quantity, out.Batch = known.ID, known.Quantity, known.Batch
		out.Code = l.replayCode(*known, batch, r.Quantity)
		return out
	}
	var sum int64
	for _, entry := range l.buyers[r.User] {
		sum += entry.Quantity
	}
	switch now := l.now(); {
	case l.state.Paused:
		out.Code = seckill.ReservePaused
	case now.Before(l.state.OpensAt):
		out.Code = seckill.ReserveNotStarted
	case !now.Before(l.state.ClosesAt):
		out.Code = seckill.ReserveEnded
	case sum+r.Quantity > l.state.Limit:
		out.Code, out.Held = seckill.ReserveLimitReached, l.buyers[r.User]
	case l.state.Available < r.Quantity:
		out.Code, out.Available = seckill.ReserveSoldOut, l.state.Available
	default:
		out.Code, out.Batch = seckill.ReserveAccepted, batch
		l.state.Available -= r.Quantity
		l.state.Sold += r.Quantity
		l.buyers[r.User] = append(l.buyers[r.User], seckill.BuyerEntry{ID: r.ID, Quantity: r.Quantity, KeyHash: r.KeyHash, Batch: batch})
	}
	return out
}

func (l *fakeLent) replayCode(known seckill.BuyerEntry, batch seckill.ID, quantity int64) seckill.ReserveCode {
	_, unsent := l.unsent[known.Batch]
	switch {
	case known.Quantity == 0:
		return seckill.ReserveGivenBack
	case known.Quantity != quantity:
		return seckill.ReserveMismatch
	case unsent || known.Batch == batch:
		return seckill.ReserveUnsent
	default:
		return seckill.ReserveReplayed
	}
}

func (l *fakeLent) known(r seckill.LookRequest, id seckill.ID) *seckill.BuyerEntry {
	for i, entry := range l.buyers[r.User] {
		if entry.ID == id || entry.KeyHash == r.KeyHash {
			return &l.buyers[r.User][i]
		}
	}
	return nil
}

func (l *fakeLent) Look(_ context.Context, _ seckill.ID, requests []seckill.LookRequest) ([]seckill.LookAnswer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls["look"]++
	if l.lookErr != nil {
		return nil, l.lookErr
	}
	if !l.state.Live {
		return nil, seckill.ErrNotLive
	}
	answers := make([]seckill.LookAnswer, len(requests))
	for i, r := range requests {
		if r.ID == 0 && r.KeyHash == "" {
			for _, entry := range l.buyers[r.User] {
				answers[i].Held = append(answers[i].Held, l.looked(entry))
			}
			continue
		}
		if known := l.known(r, r.ID); known != nil {
			answers[i] = seckill.LookAnswer{Found: true, Entry: l.looked(*known)}
		}
	}
	return answers, nil
}

// looked is what a look says of an entry.
func (l *fakeLent) looked(entry seckill.BuyerEntry) seckill.BuyerEntry {
	_, entry.Unsent = l.unsent[entry.Batch]
	return entry
}

func (l *fakeLent) Sent(_ context.Context, _ seckill.ID, batches []seckill.ID) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls["sent"]++
	l.sent = append(l.sent, batches...)
	for _, batch := range batches {
		delete(l.unsent, batch)
	}
	return nil
}

func (l *fakeLent) States(_ context.Context, items []seckill.ID) ([]seckill.LentState, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.thawed != nil {
		defer l.thawed()
	}
	l.calls["states"]++
	if l.statesErr != nil {
		return nil, l.statesErr
	}
	var states []seckill.LentState
	var err error
	for _, item := range items {
		if item == l.away {
			err = seckill.ErrUnavailable
			continue
		}
		state := seckill.LentState{Item: item}
		if item == l.state.Item {
			state = l.state
		}
		state.Server.Now = l.now()
		states = append(states, state)
	}
	return states, err
}

// put lets a user hold something, as if it had been loaded from SQL.
func (l *fakeLent) put(user seckill.UserID, entry seckill.BuyerEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buyers[user] = append(l.buyers[user], entry)
}

// takeUnsent is a batch that nobody has confirmed.
func (l *fakeLent) takeUnsent(batch seckill.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unsent[batch] = seckill.Body{Batch: batch}
}

// forgetUnsent is what becomes of confirmed batches soon.
func (l *fakeLent) forgetUnsent() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.unsent)
}

// unsentBatches is how many batches Redis counts as unsent.
func (l *fakeLent) unsentBatches() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.unsent)
}
