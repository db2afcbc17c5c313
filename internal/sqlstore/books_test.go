package sqlstore_test

import (
	"fmt"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

func TestBooks(t *testing.T) {
	t.Parallel()
	t.Run("names users whose held claims exceed the ceiling", func(t *testing.T) {
		t.Parallel()
		store := openStore(t, 1)
		b := newBench(t, store, 10, 2)
		b.settle(t, b.message(t, 3))
		tamper(t, store, 0, "UPDATE claims SET quantity = 3 WHERE user_id = ?", b.user(1))
		facts, err := b.Books.Facts(t.Context(), b.item)
		if err != nil || len(facts.OverLimit) != 1 || facts.OverLimit[0] != b.user(1) || facts.HeldUnits == facts.Stock.Claimed {
			t.Fatalf("got %+v, %v", facts, err)
		}
	})
	t.Run("flags orders that nobody would find", func(t *testing.T) {
		t.Parallel()
		store := openStore(t, 2)
		b := newBench(t, store, 10, 2)
		user := b.user(0)
		id, err := store.IDs().Next(user.Bucket())
		if err != nil {
			t.Fatal(err)
		}
		home, table := seckill.UserShard(store.Shards(), user), fmt.Sprintf("orders_%02d", user.Bucket()%16)
		other := fmt.Sprintf("orders_%02d", (user.Bucket()+1)%16)
		insertOrder(t, store, home, table, id, user)
		insertOrder(t, store, home, other, id, user)
		insertOrder(t, store, 1-home, table, id, user)
		insertOrder(t, store, home, table, id+1, "stranger-of-another-bucket")
		if right, misplaced := countOrders(t, store); right != 1 || misplaced != 3 {
			t.Fatalf("%d right, %d misplaced", right, misplaced)
		}
	})
	t.Run("has the last word in the stock row's checks", func(t *testing.T) {
		t.Parallel()
		store := openStore(t, 1)
		b := newBench(t, store, 10, 2)
		write, _, err := store.SQL(0)
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range []string{"claimed = 11", "lent = lent - 1", "lent = -1, pool = 11", "doubt = 1"} {
			if _, err := write.ExecContext(t.Context(), "UPDATE stock SET "+change+" WHERE item = ?", b.item); err == nil {
				t.Fatalf("the row took %s", change)
			}
		}
	})
}

func insertOrder(t *testing.T, store *sqlstore.Store, shard int, table string, id seckill.ID, user seckill.UserID) {
	t.Helper()
	tamper(t, store, shard, "INSERT INTO "+table+` (id, item, user_id, quantity, price_minor, currency, state, pay_by,
		created_at, paid_at, version) VALUES (?, 1, ?, 1, 1, 'EUR', 'unpaid', 1, 1, 0, 1)`, id, user)
}

// countOrders counts every order of every shard.
func countOrders(t *testing.T, store *sqlstore.Store) (right, misplaced int) {
	t.Helper()
	for shard := range store.Shards().Count() {
		page, next, err := sqlstore.Books{Store: store}.OrdersAfter(t.Context(), shard, nil, "", 100)
		if err != nil || next != "" {
			t.Fatalf("got %q, %v", next, err)
		}
		for _, o := range page {
			if o.Misplaced {
				misplaced++
			} else {
				right++
			}
		}
	}
	return right, misplaced
}
