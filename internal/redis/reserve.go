package redis

import (
	"context"
	"fmt"
	"strconv"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Reserve implements seckill.Lent. A batch id that has or had a message already is ErrBatchKnown.
func (l *Lent) Reserve(ctx context.Context, item, batch seckill.ID, requests []seckill.ReserveRequest) (seckill.ReserveReply, error) {
	if err := seckill.CheckReserve(item, batch, requests); err != nil {
		return seckill.ReserveReply{}, fmt.Errorf("reserve: %w", err)
	}
	k, s := keysOf(item), l.scripts.reserve
	r, err := s.run(ctx, l.client, []string{k.meta(), k.gate(), k.buyers(), k.bodies(), k.unsent()},
		reserveArguments(l.identity, item, batch, requests)...)
	if err != nil {
		return seckill.ReserveReply{}, err
	}
	out := readReserve(r, batch, requests)
	return out, r.done(s.name)
}

func reserveArguments(identity string, item, batch seckill.ID, requests []seckill.ReserveRequest) []any {
	const head, each = 7, 2
	var units, most int64
	seen := make(map[seckill.UserID]struct{}, len(requests))
	entries := make([]byte, 0, entryRoom*len(requests))
	message := make([]byte, 0, entryRoom*len(requests))
	args := make([]any, head, head+each*len(requests))
	for i, request := range requests {
		units, most = units+request.Quantity, max(most, request.Quantity)
		seen[request.User] = struct{}{}
		from := len(entries)
		entries = appendEntry(entries, request, batch)
		args = append(args, string(request.User), entries[from:len(entries):len(entries)])
		if i > 0 {
			message = append(message, ',')
		}
		message = appendReservation(message, request)
	}
	if len(seen) < len(requests) {
		message = nil
	}
	copy(args, []any{identity, item.String(), batch.String(), seckill.UnsentBodiesMax, units, most, message})
	return args
}

// entryRoom is enough for most entries, and for most reservations of a message.
const entryRoom = 96

// appendEntry appends a request as its user's value holds it, see lua/prelude.lua.
func appendEntry(b []byte, request seckill.ReserveRequest, batch seckill.ID) []byte {
	b = append(strconv.AppendInt(b, int64(request.ID), 10), ',')
	b = append(strconv.AppendInt(b, request.Quantity, 10), ',')
	b = append(append(b, request.KeyHash...), ',')
	return append(strconv.AppendInt(b, int64(batch), 10), ';')
}

// appendReservation appends a request as the message lists it. Neither user nor hash needs escaping: entryArgument has seen
// to that.
func appendReservation(b []byte, request seckill.ReserveRequest) []byte {
	b = append(strconv.AppendInt(append(b, `["`...), int64(request.ID), 10), `","`...)
	b = append(append(b, request.User...), `",`...)
	b = append(strconv.AppendInt(b, request.Quantity, 10), `,"`...)
	return append(append(b, request.KeyHash...), `"]`...)
}

func readReserve(r *reply, batch seckill.ID, requests []seckill.ReserveRequest) seckill.ReserveReply {
	out := seckill.ReserveReply{Epoch: r.number(), Sold: r.number(), Available: r.number(), Now: r.micros()}
	out.Own.Batch = batch
	if body := r.bytes(); len(body) > 0 {
		out.Own.Bytes = body
	}
	for range r.count() {
		out.Unsent = append(out.Unsent, seckill.Body{Batch: r.id(), Bytes: r.bytes()})
	}
	out.Outcomes = make([]seckill.ReserveOutcome, len(requests))
	for i, request := range requests {
		out.Outcomes[i] = readOutcome(r, batch, request)
	}
	return out
}

func readOutcome(r *reply, batch seckill.ID, request seckill.ReserveRequest) seckill.ReserveOutcome {
	out := seckill.ReserveOutcome{Code: seckill.ReserveCode(r.number()), ID: request.ID, Quantity: request.Quantity, Batch: batch}
	switch out.Code {
	case seckill.ReserveReplayed, seckill.ReserveUnsent, seckill.ReserveMismatch, seckill.ReserveGivenBack:
		out.ID, out.Quantity, out.Batch = r.id(), r.number(), r.id()
	case seckill.ReserveLimitReached:
		out.Held = r.entries()
	case seckill.ReserveSoldOut:
		out.Available = r.number()
	case seckill.ReserveAccepted, seckill.ReserveNotStarted, seckill.ReserveEnded, seckill.ReservePaused:
	default:
		r.fail(out.Code)
	}
	return out
}
