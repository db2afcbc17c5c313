package purchase

import (
	"context"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// lookMax bounds one look at Redis, readMax one read of claims.
	lookMax = 256
	readMax = 500
)

// addReads gives a listing its batched reads: however many ask at once, each store sees one call at a time per item.
func (s *Service) addReads(l *listing) {
	l.looking = reads(s, lookMax, func(ctx context.Context, asked []seckill.LookRequest) ([]seckill.LookAnswer, error) {
		return s.ports.Lent.Look(ctx, l.id, asked)
	})
	l.finding = reads(s, readMax, func(ctx context.Context, ids []seckill.ID) ([]*seckill.Claim, error) {
		claims, err := s.ports.Claims.Find(ctx, l.id, ids)
		return match(ids, claims, func(c seckill.Claim) seckill.ID { return c.ID }), err
	})
	l.keys = reads(s, readMax, func(ctx context.Context, asked []seckill.LookRequest) ([]*seckill.Claim, error) {
		claims, err := s.ports.Claims.FindKeys(ctx, l.id, asked)
		return match(asked, claims, func(c seckill.Claim) seckill.LookRequest {
			return seckill.LookRequest{User: c.User, KeyHash: c.KeyHash}
		}), err
	})
	l.stocks = reads(s, readMax, func(ctx context.Context, asked []struct{}) ([]seckill.Stock, error) {
		stock, err := s.ports.Stocks.Get(ctx, l.id)
		answers := make([]seckill.Stock, len(asked))
		for i := range answers {
			answers[i] = stock
		}
		return answers, err
	})
}

// reads is a group whose one call answers everybody, in the order asked.
func reads[Q, A any](s *Service, most int, ask func(context.Context, []Q) ([]A, error)) *group[Q, A] {
	run := func(ctx context.Context, calls []*call[Q, A]) {
		if len(calls) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(ctx, s.options.CallTimeout)
		defer cancel()
		answers, err := ask(ctx, questions(calls))
		if err == nil && len(answers) != len(calls) {
			err = fmt.Errorf("asked for %d, got %d answers", len(calls), len(answers))
		}
		if err != nil {
			var none A
			each(calls, none, err)
			return
		}
		for i, c := range calls {
			c.reply(answers[i], nil)
		}
	}
	return &group[Q, A]{run: run, max: most, waitingMax: s.options.LookupsPerItem, tasks: s.lookups, base: s.base}
}

// match puts claims in the order asked, nil where there is none.
func match[K comparable](asked []K, claims []seckill.Claim, key func(seckill.Claim) K) []*seckill.Claim {
	byKey := make(map[K]*seckill.Claim, len(claims))
	for i := range claims {
		byKey[key(claims[i])] = &claims[i]
	}
	answers := make([]*seckill.Claim, len(asked))
	for i, k := range asked {
		answers[i] = byKey[k]
	}
	return answers
}

// claim reads one claim by id, nil when there is none.
func (s *Service) claim(ctx context.Context, l *listing, id seckill.ID) (*seckill.Claim, error) {
	claim, err := l.finding.do(ctx, id)
	if err != nil {
		return nil, s.outage("database", fmt.Errorf("find claim %s: %w", id, err))
	}
	return claim, nil
}

// stock reads the stock row, and remembers when there is no way back from it.
func (s *Service) stock(ctx context.Context, l *listing) (seckill.Stock, error) {
	stock, err := l.stocks.do(ctx, struct{}{})
	if err != nil {
		return stock, s.outage("database", fmt.Errorf("read stock of item %s: %w", l.id, err))
	}
	if stock.State == seckill.StockClosed && stock.Doubt == 0 {
		l.closed.Store(true)
	}
	return stock, nil
}

// told is what a shopper hears of a claim: a duplicate is what became of the first.
func (s *Service) told(ctx context.Context, l *listing, claim *seckill.Claim) (seckill.Reservation, error) {
	if claim.Reason != seckill.Duplicate {
		return claim.Reservation(), nil
	}
	first, err := s.claim(ctx, l, claim.First)
	if err != nil {
		return seckill.Reservation{}, err
	}
	if first == nil || first.Reason == seckill.Duplicate {
		return seckill.Reservation{}, fmt.Errorf("claim %s is a duplicate of %s, which is no first claim", claim.ID, claim.First)
	}
	return first.Reservation(), nil
}
