package lent_test

import (
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/lent"
)

// BenchmarkReserve is one call of four new shoppers, on an item that is loaded anew now and then.
func BenchmarkReserve(b *testing.B) {
	s := newCounter(b)
	for b.Loop() {
		s.reserve(4)
	}
}

// BenchmarkFailover is the run again of what a busy schedule has written: 200 calls.
func BenchmarkFailover(b *testing.B) {
	for b.Loop() {
		s := newCounter(b)
		for range 200 {
			s.reserve(4)
		}
		s.Failover(lent.Loss{Writes: 20})
	}
}

// counter sells as long as anybody asks.
type counter struct {
	*lent.Redis
	*lent.Client

	b    *testing.B
	last seckill.ID
	load seckill.Load
}

func newCounter(b *testing.B) *counter {
	b.Helper()
	r := lent.New(seckill.SystemClock{})
	s := &counter{Redis: r, Client: r.Client(), b: b, last: 1 << 61, load: seckill.Load{
		Item: item, Available: 1 << 50, Limit: 5, ClosesAt: time.Now().Add(time.Hour),
	}}
	s.reopen()
	return s
}

func (s *counter) must(err error) {
	if err != nil {
		s.b.Fatal(err)
	}
}

func (s *counter) reopen() {
	s.load.Epoch++
	server, err := s.Server(s.b.Context(), item)
	s.must(err)
	s.must(s.Load(s.b.Context(), s.load))
	s.must(s.Open(s.b.Context(), seckill.Gate{Item: item, Epoch: s.load.Epoch, Server: server, Until: s.load.ClosesAt}))
}

func (s *counter) reserve(n int) {
	if s.last++; s.last%1000 == 0 {
		s.Wipe()
		s.reopen()
	}
	batch := s.last
	requests := make([]seckill.ReserveRequest, n)
	for i := range requests {
		s.last++
		requests[i] = seckill.ReserveRequest{ID: s.last, User: seckill.UserID(s.last.String()), Quantity: 1, KeyHash: s.last.String()}
	}
	_, err := s.Reserve(s.b.Context(), item, batch, requests)
	s.must(err)
	s.must(s.Settled(s.b.Context(), item, []seckill.ID{batch}))
}
