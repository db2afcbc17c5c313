package redis

import (
	"context"
	"errors"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Reserve implements seckill.Lent. A batch id that has a message already is ErrBatchKnown.
func (l *Lent) Reserve(ctx context.Context, item, batch seckill.ID, requests []seckill.ReserveRequest) (seckill.ReserveReply, error) {
	if err := checkReserve(item, batch, requests); err != nil {
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

func checkReserve(item, batch seckill.ID, requests []seckill.ReserveRequest) error {
	if item <= 0 || batch <= 0 {
		return errors.New("item or batch id is missing")
	}
	if len(requests) == 0 || len(requests) > seckill.ReserveBatchMax {
		return fmt.Errorf("%d requests, not 1-%d", len(requests), seckill.ReserveBatchMax)
	}
	for _, request := range requests {
		if request.Quantity < 1 {
			return fmt.Errorf("quantity %d is not positive", request.Quantity)
		}
		entry := seckill.BuyerEntry{ID: request.ID, Quantity: request.Quantity, KeyHash: request.KeyHash}
		if err := entryArgument(request.User, entry); err != nil {
			return err
		}
	}
	return nil
}

func reserveArguments(identity string, item, batch seckill.ID, requests []seckill.ReserveRequest) []any {
	const head, each = 4, 4
	args := make([]any, 0, head+each*len(requests))
	args = append(args, identity, item.String(), batch.String(), seckill.UnsentBodiesMax)
	for _, request := range requests {
		args = append(args, request.ID.String(), string(request.User), decimal(request.Quantity), request.KeyHash)
	}
	return args
}

func readReserve(r *reply, batch seckill.ID, requests []seckill.ReserveRequest) seckill.ReserveReply {
	out := seckill.ReserveReply{Epoch: r.number(), Sold: r.number(), Available: r.number(), Now: r.micros()}
	out.Own.Batch = batch
	if body := r.bytes(); len(body) > 0 {
		out.Own.Bytes = body
	}
	for range r.number() {
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
