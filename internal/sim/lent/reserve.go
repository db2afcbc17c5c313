package lent

import (
	"context"
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Reserve implements seckill.Lent: reserve.lua.
func (c *Client) Reserve(ctx context.Context, id, batch seckill.ID, requests []seckill.ReserveRequest) (seckill.ReserveReply, error) {
	if err := seckill.CheckReserve(id, batch, requests); err != nil {
		return seckill.ReserveReply{}, fmt.Errorf("reserve: %w", err)
	}
	asked := slices.Clone(requests)
	return write(ctx, c, "reserve", id, func(i *item, m moment) (seckill.ReserveReply, error) {
		if m.mistakes.MissingIsZero && i.meta == nil {
			return soldOut(m, batch, asked), nil
		}
		if !i.live(m) {
			return seckill.ReserveReply{}, seckill.ErrNotLive
		}
		r := &reserving{item: i, moment: m, batch: batch, closed: i.meta.closedFor(m), avail: i.meta.avail, sold: i.meta.sold}
		for _, request := range asked {
			r.outcomes = append(r.outcomes, r.decide(request))
		}
		return r.commit(id)
	})
}

// soldOut is the mistake to take nothing for zero.
func soldOut(m moment, batch seckill.ID, asked []seckill.ReserveRequest) seckill.ReserveReply {
	reply := seckill.ReserveReply{Now: m.server.Now, Own: seckill.Body{Batch: batch}}
	for _, request := range asked {
		reply.Outcomes = append(reply.Outcomes, seckill.ReserveOutcome{
			Code: seckill.ReserveSoldOut, ID: request.ID, Quantity: request.Quantity, Batch: batch,
		})
	}
	return reply
}

// reserving is one call: what it has decided so far, nothing of which is written yet.
type reserving struct {
	*item
	moment

	batch       seckill.ID
	closed      seckill.ReserveCode // for everybody who is new, 0 if it is not
	avail, sold int64
	changed     buyers
	fresh       []seckill.Reserved
	outcomes    []seckill.ReserveOutcome
	asked       map[seckill.ID]bool // batches that replays met: whether they are unsent
	unsent      []seckill.Body
	repeated    bool // an earlier call with this batch has reserved something
}

// closedFor is why the item sells nothing new at a moment.
func (m *meta) closedFor(at moment) seckill.ReserveCode {
	switch {
	case m.paused:
		return seckill.ReservePaused
	case at.milli < m.opens:
		return seckill.ReserveNotStarted
	case at.milli >= m.closes:
		return seckill.ReserveEnded
	default:
		return 0
	}
}

func (r *reserving) held(user seckill.UserID) entries {
	if held, ok := r.changed[user]; ok {
		return held
	}
	return r.buyers[user]
}

func (r *reserving) decide(request seckill.ReserveRequest) seckill.ReserveOutcome {
	out := seckill.ReserveOutcome{ID: request.ID, Quantity: request.Quantity, Batch: r.batch}
	held := r.held(request.User)
	sum, known := held.find(request)
	switch {
	case known != nil && !r.mistakes.NoReplay && (!r.mistakes.ReplayLate || r.closed == 0):
		r.repeated = r.repeated || known.Batch == r.batch && !r.isFresh(known.ID)
		out.Code = r.replay(request, *known)
		out.ID, out.Quantity, out.Batch = known.ID, known.Quantity, known.Batch
	case r.closed != 0:
		out.Code = r.closed
	case r.overLimit(sum, request.Quantity):
		out.Code, out.Held = seckill.ReserveLimitReached, held.held()
	case r.avail+one(r.mistakes.OneTooMany) < request.Quantity:
		out.Code, out.Available = seckill.ReserveSoldOut, r.avail
	default:
		out.Code = seckill.ReserveAccepted
		r.accept(request, held)
	}
	return out
}

func (r *reserving) overLimit(sum, quantity int64) bool {
	if r.mistakes.LimitTooLate {
		return sum >= r.meta.limit
	}
	return sum+quantity > r.meta.limit
}

func one(really bool) int64 {
	if really {
		return 1
	}
	return 0
}

// find is the entry of the request's key or id, else only how much the user holds.
func (e entries) find(request seckill.ReserveRequest) (sum int64, known *seckill.BuyerEntry) {
	for n := range e {
		if e[n].ID == request.ID || e[n].KeyHash == request.KeyHash {
			return sum, &e[n]
		}
		sum += e[n].Quantity
	}
	return sum, nil
}

// held are the entries that count.
func (e entries) held() []seckill.BuyerEntry {
	var held []seckill.BuyerEntry
	for _, entry := range e {
		if entry.Quantity != 0 {
			held = append(held, entry)
		}
	}
	return held
}

func (r *reserving) replay(request seckill.ReserveRequest, known seckill.BuyerEntry) seckill.ReserveCode {
	switch {
	case known.Quantity == 0:
		return seckill.ReserveGivenBack
	case known.Quantity != request.Quantity:
		return seckill.ReserveMismatch
	case !r.mistakes.ReplayTrusted && r.isUnsent(known.Batch):
		return seckill.ReserveUnsent
	default:
		return seckill.ReserveReplayed
	}
}

// isUnsent also gathers the messages of the first few unsent batches.
func (r *reserving) isUnsent(batch seckill.ID) bool {
	if batch == 0 {
		return false
	}
	if batch == r.batch && len(r.fresh) > 0 {
		return true // it is this call's own message
	}
	unsent, known := r.asked[batch]
	if known {
		return unsent
	}
	unsent = r.item.unsent.has(batch)
	if r.asked == nil {
		r.asked = map[seckill.ID]bool{}
	}
	r.asked[batch] = unsent
	if body := r.bodies[batch]; unsent && body != nil && len(r.unsent) < seckill.UnsentBodiesMax {
		r.unsent = append(r.unsent, seckill.Body{Batch: batch, Bytes: body})
	}
	return unsent
}

func (r *reserving) isFresh(id seckill.ID) bool {
	return slices.ContainsFunc(r.fresh, func(f seckill.Reserved) bool { return f.ID == id })
}

func (r *reserving) accept(request seckill.ReserveRequest, held entries) {
	r.avail -= request.Quantity
	if !r.mistakes.SoldKept {
		r.sold += request.Quantity
	}
	if r.changed == nil {
		r.changed = buyers{}
	}
	r.changed[request.User] = append(slices.Clip(held), seckill.BuyerEntry{
		ID: request.ID, Quantity: request.Quantity, KeyHash: request.KeyHash, Batch: r.batch,
	})
	r.fresh = append(r.fresh, seckill.Reserved(request))
}

// commit writes what was decided.
func (r *reserving) commit(id seckill.ID) (seckill.ReserveReply, error) {
	reply := seckill.ReserveReply{
		Epoch: r.meta.epoch, Sold: r.sold, Available: r.avail, Now: r.server.Now, Outcomes: r.outcomes,
		Own: seckill.Body{Batch: r.batch}, Unsent: r.unsent,
	}
	if replaced := r.mistakes.BatchReplaced && r.bodies[r.batch] != nil; len(r.fresh) == 0 && !replaced {
		return reply, nil
	}
	if (r.repeated || r.bodies[r.batch] != nil) && !r.mistakes.BatchReplaced {
		return seckill.ReserveReply{}, errBatchKnown()
	}
	reply.Own.Bytes = seckill.Message{
		Batch: r.batch, Item: id, Epoch: r.meta.epoch, At: r.milli, Sold: r.sold, Reservations: r.fresh,
	}.Encode()
	r.meta.avail, r.meta.sold = r.avail, r.sold
	for user, held := range r.changed {
		r.buyers[user] = held
	}
	if !r.mistakes.NoOutbox {
		r.bodies[r.batch] = reply.Own.Bytes
		r.item.unsent.add(r.batch, r.milli)
	}
	return reply, nil
}
