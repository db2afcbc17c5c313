package sim

import (
	"context"
	"errors"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
)

// slip is a step of the protocol that is left out, repeated or swapped. It is planted in the ports, as if the use case had
// forgotten it, so that the product has no switches.
type slip string

// The slips.
const (
	noPublish       slip = "an api says queued and publishes nothing"
	noConfirm       slip = "a failed publish counts as a confirm"
	settledEarly    slip = "the outbox is emptied at the publish"
	beatsSwallowed  slip = "a heartbeat that failed counts"
	marksDropped    slip = "marks are not written"
	lateUntil       slip = "a gate is renewed from the moment of the renewal"
	closeAtOnce     slip = "close is not waited for"
	drainReady      slip = "drained is when the queue shows nothing ready"
	drainAtOnce     slip = "drained is not waited for"
	buyersEarly     slip = "buyers are read before the seal commits"
	openUnsure      slip = "redis is opened after an unsure commit"
	noRelay         slip = "nobody relays"
	noCompleter     slip = "nobody completes"
	ackFailed       slip = "what T1 failed to write is acknowledged"
	orderedEarly    slip = "a claim is ordered before its order is placed"
	owedEarly       slip = "an owed entry is done before it is applied"
	returnEarly     slip = "a return is done before its units are back"
	returnUnclosed  slip = "units return before payments are closed"
	closeForgets    slip = "what was paid on a closed payment is not recorded"
	refundEarly     slip = "a refund is done before the bank has confirmed it"
	noticeForgotten slip = "a notice is answered before its charge is recorded"
	noExpiry        slip = "nobody cancels what is not paid in time"
	freshIDs        slip = "each delivery makes new ids"
	sameBatch       slip = "a repeated Lua call keeps its batch"
	toldEarly       slip = "an event is told before the shop has it"
	standsStill     slip = "a process does not count the time it stood still"
	oneNode         slip = "every process makes the ids of one node"
	noLoss          slip = "nobody notices a loss"
	lagIsLoss       slip = "an issue that redis has not heard of yet is taken for a loss"
	doubtForgets    slip = "nobody knows since when units are in doubt"
	owedForEver     slip = "what is owed to a closed item stays owed"
	relayOnce       slip = "a batch is relayed once"
	lockStays       slip = "the row lock of a worker that is gone stays"
	highKept        slip = "what redis has sold does not raise high"
	fullBuffer      slip = "an api drops what its buffer has no room for, and says queued"
	refillLags      slip = "redis is refilled with all that SQL has no orders for"
	preloadLeft     slip = "nobody finishes a preload"
	flagStays       slip = "sold out once is sold out for ever"
)

// slips are the mistakes of this kind. One step is not among them, because another does what it does: what step 3 publishes
// the relay publishes within seconds.
func slips() []Mistake {
	of := func(s slip, source string) Mistake {
		return Mistake{"step: " + string(s), source, func(w *world) { w.slip = s }}
	}
	return []Mistake{
		of(oneNode, "peer: id collisions"), of(noPublish, "peer: lost order"), of(noConfirm, "design 4"), of(settledEarly, "peer: done before the insert"),
		of(beatsSwallowed, "trap 31"), of(marksDropped, "trap 25"), of(lateUntil, "trap 9"), of(closeAtOnce, "design 8, step 2"),
		of(drainReady, "trap 2"), of(drainAtOnce, "trap 2"),
		of(buyersEarly, "trap 11"), of(openUnsure, "trap 34"), of(noRelay, "peer: lost order"), of(noCompleter, "trap 15"),
		of(ackFailed, "peer: ack before the flush"), of(orderedEarly, "peer: done before the insert"), of(owedEarly, "trap 12"),
		of(returnEarly, "peer: stranded units"), of(returnUnclosed, "peer: paid but cancelled"), of(closeForgets, "design 9"),
		of(refundEarly, "design 9"), of(noticeForgotten, "design 9"), of(noExpiry, "peer: stranded units"),
		of(freshIDs, "peer: double order"), of(toldEarly, "design 9"), of(standsStill, "trap 17"),
		of(noLoss, "design 8"), of(lagIsLoss, "trap 26"), of(owedForEver, "trap 33"),
		of(relayOnce, "trap 16"), of(lockStays, "trap 19"), of(highKept, "trap 32"),
		of(fullBuffer, "peer: full buffer"), of(refillLags, "peer: refilled"), of(flagStays, "peer: false sold out"),
		of(preloadLeft, "design 8, step 1"),
	}
}

// slips says whether the world has this one.
func (w *world) slips(s slip) bool { return w.slip == s }

// skips says whether a process of one of these roles, or of any, makes this mistake.
func (p *process) skips(s slip, of ...role) bool {
	if !p.slips(s) {
		return false
	}
	for _, role := range of {
		if p.role == role {
			return true
		}
	}
	return len(of) == 0
}

// errSkipped is what a step answers that is left out where it cannot be said to be done.
var errSkipped = errors.New("left out")

// keepBuyers keeps the buyers of an item as they were before the seal.
func (w *world) keepBuyers(ctx context.Context, item seckill.ID) {
	buyers, err := ledger.Claims{Ledger: w.ledger}.Buyers(context.WithoutCancel(ctx), item, "", buyersMost)
	if err == nil {
		w.buyersBefore[item] = buyers
	}
}

// buyersMost is more than any schedule has.
const buyersMost = 1000

// lag is how far behind a process's clock is that does not count the time it stood still.
func (p *process) lag() time.Duration {
	if p.slips(standsStill) && p.role == apiRole {
		return p.stood
	}
	return 0
}

// hasty is a drain that does not count.
type hasty struct{ p *process }

// Drained implements seckill.Drain.
func (h hasty) Drained(ctx context.Context, stock seckill.Stock) (seckill.Drained, error) {
	done := seckill.Drained{Done: true, Target: stock.Accounted}
	if h.p.slips(drainAtOnce) {
		return done, nil
	}
	state, err := h.p.queuePort().Look(ctx, seckill.HomeShard(h.p.ledger.Shards(), stock.Item))
	done.Done = err == nil && state.Ready == 0
	return done, err
}

// sameBatch is the batch under which a reservation was asked for first.
func (w *world) sameBatch(batch, id seckill.ID) seckill.ID {
	if w.batches[id] == 0 {
		w.batches[id] = batch
	}
	return w.batches[id]
}

// lagging has those items look lost whose last issue Redis has not heard of.
func (w *world) lagging(states []seckill.LentState) []seckill.LentState {
	w.ledger.Look(func(v ledger.View) {
		for i := range states {
			if stock, exists := v.Stock(states[i].Item); exists && states[i].Epoch == stock.Epoch && states[i].Issue < stock.Issue {
				states[i].GateEpoch = 0
			}
		}
	})
	return states
}

// renewLate counts a gate from the moment of its renewal, whatever SQL has decided since it was read.
func (p *process) renewLate(renewals []seckill.Renewal) []seckill.Renewal {
	late := append([]seckill.Renewal(nil), renewals...)
	for i := range late {
		late[i].Until = everyones{}.Now().Add(p.plan.gate)
	}
	return late
}

// renamed gives reservations ids of their own, as peers do who make the order's id when the message comes.
func (p *process) renamed(messages []seckill.Message) []seckill.Message {
	fresh := append([]seckill.Message(nil), messages...)
	for i := range fresh {
		fresh[i].Reservations = append([]seckill.Reserved(nil), fresh[i].Reservations...)
		for j := range fresh[i].Reservations {
			r := &fresh[i].Reservations[j]
			if id, err := p.ids.Next(r.User.Bucket()); err == nil {
				r.ID, r.KeyHash = id, id.String()
			}
		}
	}
	return fresh
}

// lock leaves the rows locked of what a worker was about to settle when it died: nobody ends its session.
func (w *world) lock(messages []seckill.Message) {
	for _, message := range messages {
		w.ledger.Lock(message.Item)
	}
}

// doubted is what is promised and has no claim: SQL lags behind the queue.
func (w *world) doubted(item seckill.ID) (units int64) {
	w.ledger.Look(func(v ledger.View) {
		stock, _ := v.Stock(item)
		units = stock.Doubt
	})
	return units
}

// flag has an api remember which items it has seen sold out, and never forget it.
func (p *process) flag(states []seckill.LentState) {
	for i := range states {
		s := &states[i]
		if p.flagged[s.Item] = p.flagged[s.Item] || s.Known && s.Available == 0; p.flagged[s.Item] {
			s.Available = 0
		}
	}
}
