package sqlstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// lagging describes a store whose one shard has a replica that never hears of anything: an empty database.
func lagging(t *testing.T) sqlstore.Config {
	t.Helper()
	c := mariadbConfig(t, 1)
	c.Shards[0].MySQL.Replicas = []string{mariadbConfig(t, 1).Shards[0].MySQL.DSN}
	return c
}

// Whatever a shopper looks at and whatever is decided on comes from the primary: with a replica that lags for ever, all
// suites hold. The two lists that may lag are those of the test below.
func TestMySQLReplicaThatLagsShowsNobodyLess(t *testing.T) {
	t.Parallel()
	for name, suite := range map[string]func(*testing.T, func(*testing.T) contract.Ledger){
		"stocks": contract.Stocks, "settle": contract.Settle, "claims": contract.Claims, "books": contract.Books,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite(t, func(t *testing.T) contract.Ledger {
				t.Helper()
				return ledger(leased(t, lagging(t)))
			})
		})
	}
	t.Run("marks", func(t *testing.T) {
		t.Parallel()
		contract.Marks(t, func(t *testing.T) (seckill.Marks, seckill.Shards) {
			t.Helper()
			store := leased(t, lagging(t))
			return sqlstore.Marks{Store: store}, store.Shards()
		})
	})
	t.Run("accounts", func(t *testing.T) {
		t.Parallel()
		contract.Accounts(t, func(t *testing.T) seckill.Accounts {
			t.Helper()
			return sqlstore.Accounts{Store: leased(t, lagging(t))}
		})
	})
}

// What a shopper and an operator were told is there at once, two seconds before a replica has it; the figures of a sale
// follow.
func TestMySQLReplicaTwoSecondsBehind(t *testing.T) {
	t.Parallel()
	store := leased(t, lagging(t))
	b := newBench(t, store, 10, 10)
	if err := b.purchase(t.Context(), b.message(t, 1)); err != nil {
		t.Fatal(err)
	}
	user := b.user(0)
	orders, err := b.Orders.OfUser(t.Context(), seckill.OrderQuery{User: user, Limit: 10})
	if err != nil || len(orders) != 1 {
		t.Fatalf("the shopper's list has %d orders, %v", len(orders), err)
	}
	if _, err := b.Orders.Find(t.Context(), orders[0].ID); err != nil {
		t.Fatal(err)
	}
	if claims, err := b.Claims.OfUser(t.Context(), b.item, user); err != nil || len(claims) != 1 || !claims[0].Ordered {
		t.Fatalf("got %+v, %v", claims, err)
	}
	if counted := b.counted(t); counted != 0 {
		t.Fatalf("the figures were not read on the replica: %d orders", counted)
	}
}

// A sale goes on without its replicas.
func TestMySQLReplicaAway(t *testing.T) {
	t.Parallel()
	c := mariadbConfig(t, 1)
	c.Shards[0].MySQL.Replicas = []string{"nobody:secret@tcp(127.0.0.1:1)/nowhere"}
	b := newBench(t, leased(t, c), 10, 10)
	if err := b.purchase(t.Context(), b.message(t, 3)); err != nil {
		t.Fatal(err)
	}
	if counted := b.counted(t); counted != 3 {
		t.Fatalf("counted %d of 3 orders", counted)
	}
}

// counted is how many unpaid orders the figures of the sale show.
func (b *bench) counted(t *testing.T) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	count, err := b.Orders.Count(ctx, 0, b.item)
	if err = errors.Join(err, ctx.Err()); err != nil {
		t.Fatal(err)
	}
	return count[seckill.OrderUnpaid].Orders
}
