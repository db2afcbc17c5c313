package redis_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/redis"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// BenchmarkReserve sells to new users, one call after the other.
func BenchmarkReserve(b *testing.B) {
	for _, size := range []int{1, 64, seckill.ReserveBatchMax} {
		b.Run(fmt.Sprintf("server/%d", size), func(b *testing.B) {
			benchmarkReserve(b, openLent(b, redis.Options{Addresses: []string{env.Redis(b)}}), size)
		})
		b.Run(fmt.Sprintf("embedded/%d", size), func(b *testing.B) {
			benchmarkReserve(b, embedded(b).Lent, size)
		})
	}
}

func benchmarkReserve(b *testing.B, lent *redis.Lent, size int) {
	b.Helper()
	id := seckill.ID(time.Now().UnixNano())
	ctx := b.Context()
	server, err := lent.Server(ctx, id)
	fatal(b, err)
	load := loadOf(server)
	load.Item, load.Available = id, 1<<50
	fatal(b, lent.Load(ctx, load))
	gate := seckill.Gate{Item: id, Epoch: load.Epoch, Server: server, Until: server.Now.Add(time.Hour)}
	fatal(b, lent.Open(ctx, gate))
	requests := make([]seckill.ReserveRequest, size)
	next := id
	for b.Loop() {
		next++
		batch := next
		for n := range requests {
			next++
			requests[n] = seckill.ReserveRequest{ID: next, User: seckill.UserID(next.String()), Quantity: 1, KeyHash: next.String()}
		}
		reply, err := lent.Reserve(ctx, id, batch, requests)
		fatal(b, err)
		fatal(b, lent.Settled(ctx, id, []seckill.ID{batch}))
		if reply.Outcomes[size-1].Code != seckill.ReserveAccepted {
			b.Fatalf("outcome %+v", reply.Outcomes[size-1])
		}
	}
	b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "reservations/s")
}

// BenchmarkItems is what one keeper or api does with each of a thousand live items again and again.
func BenchmarkItems(b *testing.B) {
	lent := openLent(b, redis.Options{Addresses: []string{env.Redis(b)}})
	const count = 1000
	base := seckill.ID(time.Now().UnixNano())
	items := make([]seckill.ID, count)
	renewals := make([]seckill.Renewal, count)
	for n := range items {
		items[n] = base + seckill.ID(n)
		server, err := lent.Server(b.Context(), items[n])
		fatal(b, err)
		load := loadOf(server)
		load.Item = items[n]
		gate := seckill.Gate{Item: items[n], Epoch: load.Epoch, Server: server, Until: server.Now.Add(time.Hour)}
		fatal(b, lent.Load(b.Context(), load))
		fatal(b, lent.Open(b.Context(), gate))
		renewals[n] = renewalOf(gate)
	}
	b.Run("states", func(b *testing.B) {
		for b.Loop() {
			_, err := lent.States(b.Context(), items)
			fatal(b, err)
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*count), "µs/item")
	})
	b.Run("renew", func(b *testing.B) {
		for b.Loop() {
			for _, err := range lent.RenewAll(b.Context(), renewals) {
				fatal(b, err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*count), "µs/item")
	})
}
