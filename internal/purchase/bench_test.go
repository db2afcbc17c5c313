package purchase_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// quickLent accepts everything after the time a Lua call takes.
type quickLent struct {
	*fakeLent
	takes time.Duration
	calls atomic.Int64
}

func (q *quickLent) Reserve(_ context.Context, _, batch seckill.ID, requests []seckill.ReserveRequest) (seckill.ReserveReply, error) {
	q.calls.Add(1)
	if q.takes > 0 {
		<-time.After(q.takes)
	}
	reply := seckill.ReserveReply{Epoch: 1, Sold: 1, Available: 1, Own: seckill.Body{Batch: batch, Bytes: []byte("{}")}}
	reply.Outcomes = make([]seckill.ReserveOutcome, len(requests))
	for i, r := range requests {
		reply.Outcomes[i] = seckill.ReserveOutcome{Code: seckill.ReserveAccepted, ID: r.ID, Quantity: r.Quantity, Batch: batch}
	}
	return reply, nil
}

type quickQueue struct{ *fakeQueue }

func (quickQueue) Publish(context.Context, seckill.Outgoing) error { return nil }

// BenchmarkBuy is the cost of the use case itself, with 256 shoppers per core.
func BenchmarkBuy(b *testing.B) {
	for _, takes := range []time.Duration{0, 300 * time.Microsecond} {
		b.Run("Lua "+takes.String(), func(b *testing.B) {
			service, lent := benched(b, 1_000_000, takes)
			buying(b, service, 256, func(err error) bool { return err == nil })
			b.ReportMetric(float64(b.N)/float64(lent.calls.Load()), "requests/call")
		})
	}
	b.Run("sold out", func(b *testing.B) {
		service, _ := benched(b, 0, 0)
		// Refusals never block: more shoppers per core would only keep the reading of states waiting for its turn.
		buying(b, service, 1, func(err error) bool { return seckill.ReasonOf(err) == seckill.SoldOut })
	})
}

func benched(b *testing.B, available int64, takes time.Duration) (*purchase.Service, *quickLent) {
	b.Helper()
	w := build(handclock.New(), available)
	lent := &quickLent{fakeLent: w.lent, takes: takes}
	ports := w.ports()
	ports.Lent, ports.Publisher, ports.Clock = lent, quickQueue{w.queue}, seckill.SystemClock{}
	service, err := purchase.New(ports, purchase.Options{UserRate: 1e6})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx) }()
	b.Cleanup(func() { cancel(); <-ended })
	eventually(b, "it knows the item", func() bool {
		view, _ := service.View(mug)
		return view.Known && service.Ready() == nil
	})
	return service, lent
}

func buying(b *testing.B, service *purchase.Service, perCore int, right func(error) bool) {
	b.Helper()
	users := make([]seckill.UserID, 1<<16)
	for i := range users {
		users[i] = seckill.UserID(fmt.Sprintf("user-%d", i))
	}
	var next atomic.Int64
	b.SetParallelism(perCore)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			user := users[next.Add(1)%int64(len(users))]
			_, err := service.Buy(context.Background(), purchase.Request{Item: mug, User: user, Quantity: 1})
			if !right(err) {
				b.Error(err)
				return
			}
		}
	})
}
