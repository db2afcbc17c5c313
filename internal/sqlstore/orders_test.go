package sqlstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// countRows counts the rows of shard 0 that a condition selects.
func countRows(t *testing.T, store *sqlstore.Store, table, where string, args ...any) int64 {
	t.Helper()
	var count int64
	_, read, err := store.SQL(0)
	if err == nil {
		err = read.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table+" WHERE "+where, args...).Scan(&count)
	}
	if err != nil {
		t.Fatal(err)
	}
	return count
}

func TestOrderRows(t *testing.T) {
	t.Parallel()
	store := openStore(t, 1)
	orders := sqlstore.Orders{Store: store}
	var placed []seckill.NewOrder
	for i := range 200 {
		user := seckill.UserID(fmt.Sprintf("user-%d", i))
		id, err := store.IDs().Next(user.Bucket())
		if err != nil {
			t.Fatal(err)
		}
		placed = append(placed, seckill.NewOrder{
			ID: id, Item: 1, User: user, Quantity: 1, PriceMinor: 100, Currency: "EUR", PayWithin: time.Minute,
		})
	}
	for range 2 {
		if err := orders.Place(t.Context(), 0, placed); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("lie in the table of their bucket", func(t *testing.T) {
		t.Parallel()
		for _, order := range placed {
			table := fmt.Sprintf("orders_%02d", order.User.Bucket()%16)
			if countRows(t, store, table, "id = ? AND user_id = ?", order.ID, order.User) != 1 {
				t.Fatalf("order of bucket %d is not in %s", order.User.Bucket(), table)
			}
		}
	})
	t.Run("have one first event each, placed twice or not", func(t *testing.T) {
		t.Parallel()
		all := countRows(t, store, "order_events", "1 = 1")
		first := countRows(t, store, "order_events", "version = 1 AND state = 'unpaid' AND cause = 'settle' AND at > 0")
		if all != 200 || first != 200 {
			t.Fatalf("%d events, %d of them first ones, of 200 orders", all, first)
		}
	})
}
