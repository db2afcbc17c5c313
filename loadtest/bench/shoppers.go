package main

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seckill-dev/seckill/internal/identity"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/loadtest/bench/stage"
)

const tokensLast = 6 * time.Hour

// shoppers are distinct users with a good token each, made before any clock starts. All tokens are equally long.
type shoppers struct {
	tokens []byte
	size   int
	count  int64
	// used is how many have been taken; after the last one the first one comes again, to another item.
	used atomic.Int64
	name func(n int64) seckill.UserID
}

func newShoppers(key stage.Key, count int64, name func(n int64) seckill.UserID) (*shoppers, error) {
	keys, err := identity.NewSecrets([]identity.Secret{{ID: key.ID, Key: []byte(key.Secret)}})
	if err != nil {
		return nil, err
	}
	minter, err := identity.NewTokens(identity.TokensConfig{Keys: keys, Clock: seckill.SystemClock{}})
	if err != nil {
		return nil, err
	}
	first, err := minter.Mint(name(0), tokensLast)
	if err != nil {
		return nil, err
	}
	s := &shoppers{tokens: make([]byte, int64(len(first))*count), size: len(first), count: count, name: name}
	workers := int64(runtime.GOMAXPROCS(0))
	failures := make([]error, workers)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() { failures[w] = s.mint(minter, w*count/workers, (w+1)*count/workers) })
	}
	all.Wait()
	return s, errors.Join(failures...)
}

func (s *shoppers) mint(minter *identity.Tokens, from, until int64) error {
	for n := from; n < until; n++ {
		token, err := minter.Mint(s.name(n), tokensLast)
		if err != nil {
			return err
		}
		if copy(s.tokens[n*int64(s.size):(n+1)*int64(s.size)], token) != len(token) {
			return errors.New("a token is longer than the others")
		}
	}
	return nil
}

func shopper(n int64) seckill.UserID { return stage.User(n) }

// scattered are the same users in another order: whoever comes next is anywhere among those who have been here before.
func scattered(n int64) seckill.UserID { return stage.User(scatter(n)) }

// scatter changes the order of the numbers below stage.PastMost. It has no divisor in common with that.
func scatter(n int64) int64 {
	const step = 7_654_321
	return n * step % stage.PastMost
}

func (s *shoppers) token(n int64) []byte {
	at := n % s.count * int64(s.size)
	return s.tokens[at : at+int64(s.size)]
}

// purchase is how a shopper asks for one unit.
type purchase struct {
	shoppers *shoppers
	// from is the shopper of request 0.
	from int64
	// heads are one for each item; the requests take turns.
	heads []string
	// keyed adds an Idempotency-Key.
	keyed bool
	// again says that it does no harm if a shopper asks twice.
	again bool
	// mayBeBusy says that some may hear so.
	mayBeBusy bool
}

func newPurchase(s *shoppers, item string, keyed bool) *purchase {
	return &purchase{shoppers: s, from: s.used.Load(), keyed: keyed, heads: []string{headOf(item)}}
}

// newSpread buys of all items in turn.
func newSpread(s *shoppers, items []string) *purchase {
	p := &purchase{shoppers: s, from: s.used.Load(), mayBeBusy: true}
	for _, item := range items {
		p.heads = append(p.heads, headOf(item))
	}
	return p
}

func headOf(item string) string {
	return "POST /v1/items/" + item + "/reservations HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n" +
		"Content-Length: 14\r\nAuthorization: Bearer "
}

// request appends request n.
func (p *purchase) request(b []byte, n int64) []byte {
	b = append(append(b, p.heads[n%int64(len(p.heads))]...), p.shoppers.token(p.from+n)...)
	if p.keyed {
		b = fmt.Appendf(b, "\r\nIdempotency-Key: purchase-of-%07d", p.from+n)
	}
	return append(b, "\r\n\r\n{\"quantity\":1}"...)
}

// done notes how many shoppers were used up.
func (p *purchase) done(taken int64) { p.shoppers.used.Store(p.from + taken) }
