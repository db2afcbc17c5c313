package redis

import (
	"context"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Look implements seckill.Lent. More than ReserveBatchMax requests take several calls.
func (l *Lent) Look(ctx context.Context, item seckill.ID, requests []seckill.LookRequest) ([]seckill.LookAnswer, error) {
	answers := make([]seckill.LookAnswer, 0, len(requests))
	for some := range slices.Chunk(requests, seckill.ReserveBatchMax) {
		found, err := l.look(ctx, item, some)
		if err != nil {
			return nil, err
		}
		answers = append(answers, found...)
	}
	return answers, nil
}

func (l *Lent) look(ctx context.Context, item seckill.ID, requests []seckill.LookRequest) ([]seckill.LookAnswer, error) {
	k, s := keysOf(item), l.scripts.look
	args := make([]any, 0, 1+3*len(requests))
	args = append(args, l.identity)
	for _, request := range requests {
		rid := ""
		if request.ID != 0 {
			rid = request.ID.String()
		}
		args = append(args, string(request.User), rid, request.KeyHash)
	}
	r, err := s.run(ctx, l.client, []string{k.meta(), k.gate(), k.buyers(), k.unsent()}, args...)
	if err != nil {
		return nil, err
	}
	answers := make([]seckill.LookAnswer, len(requests))
	for i, request := range requests {
		answers[i] = readLook(r, request)
	}
	return answers, r.done(s.name)
}

func readLook(r *reply, request seckill.LookRequest) seckill.LookAnswer {
	found := r.looked()
	if request.ID == 0 && request.KeyHash == "" {
		return seckill.LookAnswer{Held: found}
	}
	if len(found) == 0 {
		return seckill.LookAnswer{}
	}
	return seckill.LookAnswer{Found: true, Entry: found[0]}
}

// looked reads how many entries there are, then each with a flag whether its batch is unsent.
func (r *reply) looked() []seckill.BuyerEntry {
	var entries []seckill.BuyerEntry
	for range r.count() {
		entry := r.entry()
		entry.Unsent = r.flag()
		entries = append(entries, entry)
	}
	return entries
}
