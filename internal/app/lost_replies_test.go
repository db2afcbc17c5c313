package app_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/redis"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv"
)

// redisPath is a real Redis that a shop reaches over a path that can be broken. It keeps what was asked of Reserve.
type redisPath struct {
	*testenv.Proxy
	over, direct *redis.Lent

	mu    sync.Mutex
	calls []reserveCall
}

type reserveCall struct {
	batch        seckill.ID
	reservations []seckill.ID
}

func openPath(t *testing.T, callTimeout time.Duration) *redisPath {
	t.Helper()
	server := testenv.StartRedis(t)
	p := &redisPath{Proxy: testenv.StartProxy(t, server.Addr())}
	open := func(addr string) *redis.Lent {
		lent, err := redis.OpenLent(redis.Options{Addresses: []string{addr}, CallTimeout: callTimeout})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = lent.Close() })
		return lent
	}
	p.over, p.direct = open(p.Addr()), open(server.Addr())
	return p
}

// everything takes the path.
func (p *redisPath) everything() app.Option { return func(b *app.Backend) { b.Lent = p.over } }

// reserving alone takes the path, so that nobody else has the connection when it breaks.
func (p *redisPath) reserving() app.Option {
	return func(b *app.Backend) { b.Lent = reservingLent{p.direct, p} }
}

type reservingLent struct {
	seckill.Lent
	path *redisPath
}

func (l reservingLent) Reserve(
	ctx context.Context, item, batch seckill.ID, requests []seckill.ReserveRequest,
) (seckill.ReserveReply, error) {
	call := reserveCall{batch: batch}
	for _, request := range requests {
		call.reservations = append(call.reservations, request.ID)
	}
	l.path.mu.Lock()
	l.path.calls = append(l.path.calls, call)
	l.path.mu.Unlock()
	return l.path.over.Reserve(ctx, item, batch, requests)
}

// openBroken is a shop that has sold one unit to Bob, so that there is a connection and Redis knows the script; from now on
// Reserve hears no replies. On a new connection it would not even ask.
func openBroken(t *testing.T, path *redisPath) *shop {
	t.Helper()
	s := openSale(t, 10, 2, path.reserving())
	if _, err := s.insist("bob", 1, "bob-buys-one"); err != nil {
		t.Fatal(err)
	}
	path.mu.Lock()
	path.calls = nil
	path.mu.Unlock()
	path.DropReplies()
	return s
}

// sold is what Redis knows, past the path.
func (p *redisPath) sold(s *shop) int64 {
	states, err := p.direct.States(s.t.Context(), []seckill.ID{s.item.ID})
	if err != nil {
		s.t.Fatal(err)
	}
	return states[0].Sold
}

// wantTwoCalls expects one repeat: another batch with the same reservations.
func (p *redisPath) wantTwoCalls(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.calls) != 2 || p.calls[0].batch == p.calls[1].batch || !slices.Equal(p.calls[0].reservations, p.calls[1].reservations) {
		t.Errorf("asked redis %+v", p.calls)
	}
}

func TestLostReplies(t *testing.T) {
	t.Parallel()
	t.Run("trap 18: one is asked for again, with the same reservation in another batch", oneLostReply)
	t.Run("two leave the outcome unknown, and whoever asks again gets the same reservation", twoLostReplies)
	t.Run("sell no unit twice and lose none, however many are lost", manyLostReplies)
}

func oneLostReply(t *testing.T) {
	t.Parallel()
	path := openPath(t, time.Second)
	s := openBroken(t, path)
	var receipt purchase.Receipt
	answered := make(chan error, 1)
	go func() {
		var err error
		receipt, err = s.buyUnlessBusy("ann", 1, "ann-buys-one")
		answered <- err
	}()
	s.await("redis has sold the unit", func() bool { return path.sold(s) == 2 })
	path.Heal()
	err := <-answered
	// On a full machine the gate may have lapsed before the second call. Then whoever asks again gets the same reservation, too.
	lapsed := seckill.ReasonOf(err) == seckill.UnknownOutcome
	switch {
	case lapsed:
		receipt = s.mustInsist(1, "ann-buys-one")
	case err != nil:
		t.Fatal(err)
	default:
		path.wantTwoCalls(t)
	}
	if receipt.Replayed != lapsed || receipt.Reservation.ID != path.calls[0].reservations[0] {
		t.Errorf("the receipt %+v is not of the first call, %+v", receipt, path.calls[0])
	}
	s.addsUp()
	s.wantOrders(2)
}

func twoLostReplies(t *testing.T) {
	t.Parallel()
	path := openPath(t, redis.CallTimeoutDefault)
	s := openBroken(t, path)
	_, err := s.buyUnlessBusy("ann", 1, "ann-buys-one")
	wantReason(t, err, seckill.UnknownOutcome)
	path.wantTwoCalls(t)
	var refusal *seckill.Refusal
	if !errors.As(err, &refusal) || refusal.Reservation != path.calls[0].reservations[0] {
		t.Fatalf("unknown outcome of %+v", refusal)
	}
	path.Heal()
	receipt := s.mustInsist(1, "ann-buys-one")
	if receipt.Reservation.ID != refusal.Reservation || path.sold(s) != 2 {
		t.Errorf("receipt %+v after %+v; redis has sold %d", receipt, refusal, path.sold(s))
	}
	s.addsUp()
	s.wantOrders(2)
}

func manyLostReplies(t *testing.T) {
	t.Parallel()
	const units = 200
	path := openPath(t, redis.CallTimeoutDefault)
	s := openSale(t, units, 1, path.everything())
	over, answered := make(chan struct{}), make(chan struct{}, 2*units)
	go func() {
		defer close(over)
		s.crowd(2*units, func(n int) {
			defer func() { answered <- struct{}{} }()
			if _, err := s.insist(user(n), 1, key(n)); err != nil {
				if reason := seckill.ReasonOf(err); reason != seckill.SoldOut {
					t.Errorf("user %d: %v", n, err)
				}
			}
		})
	}()
	// Sometimes for shorter than the caller waits, sometimes for longer than the gate.
	pauses := []time.Duration{700 * time.Millisecond, 5 * time.Millisecond, 1500 * time.Millisecond, 100 * time.Millisecond}
	for n := 0; ; n++ {
		path.DropReplies()
		select {
		case <-over:
		case <-time.After(pauses[n%len(pauses)]):
		}
		path.Heal()
		for len(answered) > 0 {
			<-answered
		}
		select { // healthy for as long as it takes to answer one more
		case <-over:
			s.soldOut()
			s.addsUp()
			s.wantOrders(units)
			return
		case <-answered:
		}
	}
}
