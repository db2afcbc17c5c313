package lent

import (
	"context"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Look implements seckill.Lent: look.lua.
func (c *Client) Look(ctx context.Context, id seckill.ID, requests []seckill.LookRequest) ([]seckill.LookAnswer, error) {
	answers := make([]seckill.LookAnswer, 0, len(requests))
	for some := range slices.Chunk(requests, seckill.ReserveBatchMax) {
		found, err := read(ctx, c, "look", id, func(i *item, m moment) ([]seckill.LookAnswer, error) { return i.look(m, some) })
		if err != nil {
			return nil, err
		}
		answers = append(answers, found...)
	}
	return answers, nil
}

func (i *item) look(m moment, requests []seckill.LookRequest) ([]seckill.LookAnswer, error) {
	if !i.live(m) {
		return nil, seckill.ErrNotLive
	}
	answers := make([]seckill.LookAnswer, len(requests))
	for n, request := range requests {
		for _, entry := range i.buyers[request.User] {
			if !asked(request, entry) {
				continue
			}
			entry.Unsent = entry.Batch != 0 && i.unsent.has(entry.Batch)
			if request.ID == 0 && request.KeyHash == "" {
				answers[n].Held = append(answers[n].Held, entry)
				continue
			}
			answers[n] = seckill.LookAnswer{Found: true, Entry: entry}
			break
		}
	}
	return answers, nil
}

func asked(request seckill.LookRequest, entry seckill.BuyerEntry) bool {
	if request.ID != 0 {
		return request.ID == entry.ID
	}
	return request.KeyHash == "" || request.KeyHash == entry.KeyHash
}
