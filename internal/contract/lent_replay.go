package contract

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func lentReplay() []lentCase {
	return []lentCase{
		{"trap 3: tells an unsent batch from one that was sent", lentTellsUnsent},
		{"trap 18: answers a repeat of the ids in a new batch, keeping the first message", lentAnswersRepeat},
		{"refuses to write another message under a batch id", lentKeepsMessage},
		{"refuses that when the first message is settled, too", lentKnowsSettledBatch},
		{"refuses a known key with another quantity", lentRefusesMismatch},
		{"trap 4: remembers the key of what was given back, and lets its user buy again", lentRemembersGivenBack},
		{"trap 13: comes before pause, window, limit and stock", lentReplaysFirst},
		{"brings the messages of eight unsent batches at most", lentBoundsBodies},
		{"knows what was loaded from SQL", lentKnowsLoaded},
	}
}

// A replay answered from Lua alone may promise what the queue never got.
func lentTellsUnsent(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	first := i.ask("ann", 2, lentSomeKey)
	made := i.reserve(first)

	replay := i.reserve(i.ask("ann", 2, lentSomeKey))
	i.isReplay(replay.Outcomes[0], seckill.ReserveUnsent, first, made.Own.Batch)
	if len(replay.Unsent) != 1 || replay.Unsent[0].Batch != made.Own.Batch || !bytes.Equal(replay.Unsent[0].Bytes, made.Own.Bytes) {
		t.Errorf("unsent %v, want the first batch's message", replay.Unsent)
	}
	if replay.Own.Bytes != nil || replay.Sold != 2 {
		t.Errorf("reserved again: %+v", replay)
	}

	i.must(i.Lent.Sent(t.Context(), i.id, []seckill.ID{made.Own.Batch}))
	replay = i.reserve(i.ask("ann", 2, lentSomeKey))
	i.isReplay(replay.Outcomes[0], seckill.ReserveReplayed, first, made.Own.Batch)
	i.must(i.Lent.Settled(t.Context(), i.id, []seckill.ID{made.Own.Batch}))
	replay = i.reserve(i.ask("ann", 2, lentSomeKey))
	i.isReplay(replay.Outcomes[0], seckill.ReserveReplayed, first, made.Own.Batch)
	if len(replay.Unsent) != 0 {
		t.Errorf("unsent %v", replay.Unsent)
	}
}

// What an api does when the reply was lost.
func lentAnswersRepeat(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	requests := []seckill.ReserveRequest{i.ask("ann", 1, ""), i.ask("bob", 2, lentSomeKey)}
	made := i.reserve(requests...)
	repeat := i.reserve(append(requests, i.ask("cat", 1, ""))...)
	if got := lentCodes(repeat); got != "[3 3 1]" {
		t.Fatalf("codes %s", got)
	}
	for n := range requests {
		i.isReplay(repeat.Outcomes[n], seckill.ReserveUnsent, requests[n], made.Own.Batch)
	}
	if box := i.outbox(); len(box) != 2 || !bytes.Equal(box[0].Bytes, made.Own.Bytes) || len(repeat.Unsent) != 1 {
		t.Errorf("outbox %v, unsent %v", box, repeat.Unsent)
	}
}

func lentKeepsMessage(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	request := i.ask("ann", 1, "")
	made := i.reserve(request)
	_, err := i.Lent.Reserve(t.Context(), i.id, made.Own.Batch, []seckill.ReserveRequest{request, i.ask("bob", 1, "")})
	if err == nil {
		t.Error("it was taken")
	}
	if box, s := i.outbox(), i.state(); len(box) != 1 || !bytes.Equal(box[0].Bytes, made.Own.Bytes) || s.Sold != 1 {
		t.Errorf("outbox %v, state %+v", box, s)
	}
}

// A cluster's client may make a call twice. If the second finds a unit that came meanwhile, what it reserves would be dropped
// from the outbox when the first message is delivered once more.
func lentKnowsSettledBatch(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	request := i.ask("ann", 1, "")
	made := i.reserve(request, i.ask("cat", 1, lentSomeKey), i.ask("cat", 1, lentSomeKey))
	i.must(i.Lent.Settled(t.Context(), i.id, []seckill.ID{made.Own.Batch}))
	_, err := i.Lent.Reserve(t.Context(), i.id, made.Own.Batch, []seckill.ReserveRequest{request, i.ask("bob", 1, "")})
	if err == nil {
		t.Error("it was taken")
	}
	if box, s := i.outbox(), i.state(); len(box) != 0 || s.Sold != 2 {
		t.Errorf("outbox %v, state %+v", box, s)
	}
}

func lentRefusesMismatch(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	first := i.ask("ann", 2, lentSomeKey)
	made := i.reserve(first)
	got := i.one(seckill.ReserveMismatch, i.ask("ann", 1, lentSomeKey))
	if got.ID != first.ID || got.Quantity != 2 || got.Batch != made.Own.Batch {
		t.Errorf("outcome %+v, want the reservation that exists", got)
	}
	i.one(seckill.ReserveAccepted, i.ask("bob", 1, lentSomeKey)) // a key belongs to its user
}

// A deleted entry would let the same key reserve a unit that SQL then swallows as a duplicate.
func lentRemembersGivenBack(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t, func(l *seckill.Load) { l.Limit = 1 })
	first, keyless := i.ask("ann", 1, lentSomeKey), i.ask("bob", 1, "")
	i.reserve(first, keyless)
	i.giveBack(first)
	i.giveBack(keyless)
	for _, quantity := range []int64{1, 2} {
		if got := i.one(seckill.ReserveGivenBack, i.ask("ann", quantity, lentSomeKey)); got.ID != first.ID || got.Quantity != 0 {
			t.Errorf("outcome %+v", got)
		}
	}
	i.one(seckill.ReserveGivenBack, keyless)
	i.one(seckill.ReserveAccepted, i.ask("ann", 1, lentSomeOther))
	i.one(seckill.ReserveAccepted, i.ask("bob", 1, ""))
	if got := i.one(seckill.ReserveLimitReached, i.ask("ann", 1, "third")); len(got.Held) != 1 {
		t.Errorf("held %+v, want only what is held now", got.Held)
	}
}

func lentReplaysFirst(t *testing.T, o lentOpener) {
	t.Helper()
	lentReplayFirst(o.open(t, func(l *seckill.Load) { l.Available, l.Limit = 2, 2 }))
}

func lentBoundsBodies(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	var again []seckill.ReserveRequest
	for n := range seckill.UnsentBodiesMax + 2 {
		request := i.ask(fmt.Sprint("u", n), 1, "")
		i.reserve(request)
		again = append(again, request, request)
	}
	reply := i.reserve(again...)
	if len(reply.Unsent) != seckill.UnsentBodiesMax {
		t.Fatalf("%d bodies", len(reply.Unsent))
	}
	for n, outcome := range reply.Outcomes {
		if outcome.Code != seckill.ReserveUnsent {
			t.Errorf("outcome %d: %+v", n, outcome)
		}
	}
	for n, body := range reply.Unsent {
		if body.Batch != reply.Outcomes[2*n].Batch {
			t.Errorf("body %d is of batch %v, want the first that replays met", n, body.Batch)
		}
	}
}

func lentKnowsLoaded(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.fresh(t)
	held, gone := i.entry(2, lentSomeKey), i.entry(0, lentSomeOther)
	i.loadBuyers(seckill.Buyer{User: "ann", Entries: []seckill.BuyerEntry{held, gone}})
	i.must(i.Lent.Open(t.Context(), i.gate()))
	if got := i.one(seckill.ReserveReplayed, i.ask("ann", 2, lentSomeKey)); got.ID != held.ID || got.Batch != 0 {
		t.Errorf("outcome %+v", got)
	}
	i.one(seckill.ReserveGivenBack, i.ask("ann", 2, lentSomeOther))
	i.one(seckill.ReserveLimitReached, i.ask("ann", 2, ""))
	i.one(seckill.ReserveAccepted, i.ask("ann", 1, ""))
}

func (i *lentItem) isReplay(got seckill.ReserveOutcome, code seckill.ReserveCode, of seckill.ReserveRequest, batch seckill.ID) {
	i.Helper()
	if got.Code != code || got.ID != of.ID || got.Quantity != of.Quantity || got.Batch != batch {
		i.Errorf("outcome %+v, want code %d, reservation %v of batch %v", got, code, of.ID, batch)
	}
}

// giveBack sets the entry to quantity 0.
func (i *lentItem) giveBack(request seckill.ReserveRequest) {
	i.Helper()
	outcome, err := i.Lent.SetBuyer(i.Context(), i.id, i.load.Epoch, request.User, seckill.BuyerEntry{ID: request.ID, KeyHash: request.KeyHash})
	i.must(err)
	if outcome != seckill.BuyerApplied {
		i.Fatalf("giving %v back was not applied", request.ID)
	}
}

func lentReplayFirst(i *lentItem) {
	mine := i.ask("ann", 2, lentSomeKey)
	i.reserve(mine)
	again := i.ask("ann", 2, lentSomeKey)
	i.one(seckill.ReserveUnsent, again) // sold out, and at the limit
	i.one(seckill.ReserveSoldOut, i.ask("bob", 1, ""))
	i.one(seckill.ReserveLimitReached, i.ask("ann", 1, ""))
	for want, change := range map[seckill.ReserveCode]func(*seckill.Renewal){
		seckill.ReservePaused:     func(r *seckill.Renewal) { r.Paused = true },
		seckill.ReserveNotStarted: func(r *seckill.Renewal) { r.OpensAt = i.server.Now.Add(time.Hour) },
		seckill.ReserveEnded:      func(r *seckill.Renewal) { r.ClosesAt = i.server.Now.Add(-time.Minute) },
	} {
		i.renew(change)
		i.one(want, i.ask("cat", 1, ""))
		i.one(seckill.ReserveUnsent, again)
		i.one(seckill.ReserveMismatch, i.ask("ann", 1, lentSomeKey))
	}
}
