package stage_test

import (
	"database/sql"
	"log/slog"
	"testing"

	_ "github.com/go-sql-driver/mysql"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
	"github.com/seckill-dev/seckill/loadtest/bench/stage"
)

func TestPastOrdersHaveIDsOfTheirOwnInTheirUsersBuckets(t *testing.T) {
	t.Parallel()
	seen := map[seckill.ID]int64{}
	for n := int64(0); n < stage.PastMost; n += 97 {
		for _, n := range []int64{n, n + 1} { // neighbours share a millisecond
			id := stage.PastOrder(n % stage.PastMost)
			if other, taken := seen[id]; taken && other != n {
				t.Fatalf("orders %d and %d are both %s", other, n, id)
			}
			seen[id] = n
			if id.Bucket() != stage.User(n%stage.PastMost).Bucket() {
				t.Fatalf("order %d is of bucket %d", n, id.Bucket())
			}
		}
	}
}

func TestFillWritesWhatTheStoreFinds(t *testing.T) {
	t.Parallel()
	store, product := migrated(t)
	const orders = 60_000 // more than a chunk
	if err := product.FillPast(t.Context(), orders); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int64{0, 1, 9_999, 49_999, 50_000, orders - 1} {
		order, err := (sqlstore.Orders{Store: store}).Find(t.Context(), stage.PastOrder(n))
		if err != nil {
			t.Fatalf("order %d: %v", n, err)
		}
		if order.User != stage.User(n) || order.State != seckill.OrderPaid || order.Version != 2 {
			t.Errorf("order %d: %+v", n, order)
		}
	}
	if err := product.Warm(t.Context()); err != nil {
		t.Error(err)
	}
	count := func(table string) (rows int64) {
		t.Helper()
		if err := product.SQL.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	if claims, events := count("claims"), count("order_events"); claims != orders || events != 2*orders {
		t.Errorf("%d claims and %d events of %d orders", claims, events, orders)
	}
}

func TestFillRefusesMoreUsersThanThereAre(t *testing.T) {
	t.Parallel()
	for _, orders := range []int64{0, stage.PastMost + 1} {
		if err := (&stage.Product{}).FillPast(t.Context(), orders); err == nil {
			t.Errorf("%d orders are taken", orders)
		}
	}
}

// migrated is an installation of which there is only the database.
func migrated(t *testing.T) (*sqlstore.Store, *stage.Product) {
	t.Helper()
	dsn := env.MariaDB(t)
	store, err := sqlstore.Open(t.Context(), sqlstore.Config{
		Clock: seckill.SystemClock{}, Log: slog.New(slog.DiscardHandler),
		Shards: []sqlstore.ShardConfig{{MySQL: &sqlstore.MySQLConfig{DSN: dsn, Writers: 2}, Readers: 2}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return store, &stage.Product{SQL: db}
}
