package sqlstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// BenchmarkPlace places batches of 500 orders over all tables; a commit is a sync to disk.
func BenchmarkPlace(b *testing.B) {
	for _, e := range engines() {
		b.Run(e.name, func(b *testing.B) { benchPlace(b, e) })
	}
}

func benchPlace(b *testing.B, e engine) {
	b.Helper()
	const batch = 500
	store := e.open(b, 1)
	orders := sqlstore.Orders{Store: store}
	for n := 0; b.Loop(); n++ {
		placed := make([]seckill.NewOrder, batch)
		for i := range placed {
			user := seckill.UserID(fmt.Sprintf("user-%d-%d", n, i))
			id, err := store.IDs().Next(user.Bucket())
			if err != nil {
				b.Fatal(err)
			}
			placed[i] = seckill.NewOrder{
				ID: id, Item: 1, User: user, Quantity: 1, PriceMinor: 100, Currency: "EUR", PayWithin: time.Minute,
			}
		}
		if err := orders.Place(b.Context(), 0, placed); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "orders/s")
}

// BenchmarkNextID makes ids from all cores.
func BenchmarkNextID(b *testing.B) {
	ids := openStore(b, 1).IDs()
	b.RunParallel(func(pb *testing.PB) {
		for bucket := 0; pb.Next(); bucket++ {
			if _, err := ids.Next(bucket % seckill.Buckets); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
